// Rows partitioned by score: scores become cells, cells are counted and joined to buckets that fit
// L1, and every key is written to its bucket.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

struct score_scan {
    std::int64_t low = INT64_MAX;  // smallest and largest signed order key
    std::int64_t high = INT64_MIN;
    std::int64_t positives = 0;
    bool finite = true;
    bool two_labels = true;  // every label is one of the two named
};

// How a score becomes a cell. Adding `offset` to the magnitude makes cells even (linear) near zero
// and logarithmic far from it, so that neither tiny nor huge scores starve the others of
// resolution.
struct cell_map {
    double offset = 0.0;
    int shift = 0;
    std::uint64_t base = 0;
};

template <class Score, class Key>
struct partition_kernels_of {
    void (*scan)(const Score* score, const std::int64_t* label, std::int64_t count,
                 std::int64_t positive, std::int64_t negative, score_scan* result);
    std::uint64_t (*cell)(Score score, const cell_map* map);
    void (*count)(const Score* score, const std::int64_t* label, std::int64_t count,
                  std::int64_t positive, const cell_map* map, std::uint32_t* counts,
                  std::int64_t cells);
    // Writes each row's item (see `bucket` in ranking.kernels.hpp) to its bucket,
    // `bucket_of[cell]`; `place` holds the next free place of each.
    void (*scatter)(const Score* score, const std::int64_t* label, const double* weight,
                    std::int64_t count, std::int64_t positive, const cell_map* map,
                    const std::uint16_t* bucket_of, std::uint64_t* place, Key* items,
                    double* weights);
};

struct ranking_partition_kernels {
    partition_kernels_of<double, std::uint64_t> f64;
    partition_kernels_of<float, std::uint32_t> f32;
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
#include "support/sort.hpp"

namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

template <class Score>
void scan(const Score* score, const std::int64_t* label, std::int64_t count, std::int64_t positive,
          std::int64_t negative, score_scan* result) {
    auto low = signed_order(score[0]);
    auto high = low;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto key = signed_order(score[i]);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    std::int64_t wrong = 0;
    std::int64_t positives = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t is_positive = label[i] == positive ? -1 : 0;
        const std::int64_t is_negative = label[i] == negative ? -1 : 0;
        wrong |= ~(is_positive | is_negative);
        positives -= is_positive;
    }
    // Infinity and NaN have the outermost keys of their sign.
    const auto infinity = signed_order(static_cast<Score>(__builtin_inf()));
    const auto minus = signed_order(static_cast<Score>(-__builtin_inf()));
    if (high >= infinity || low <= minus) result->finite = false;
    if (wrong) result->two_labels = false;
    result->positives += positives;
    result->low = low < result->low ? low : result->low;
    result->high = high > result->high ? high : result->high;
}

std::uint64_t spread(double x, double offset) {
    return order_key(x + __builtin_copysign(offset, x));
}

template <class Score>
std::uint64_t cell(Score score, const cell_map* map) {
    // + 0.0: both zeros must share a cell, and copysign tells them apart.
    return (spread(static_cast<double>(score) + 0.0, map->offset) >> map->shift) - map->base;
}

constexpr std::int64_t batch = 256;

// Cells of up to `batch` scores, with the label as the lowest bit (1: negative).
template <class Score>
void cells_of(const Score* score, const std::int64_t* label, std::int64_t count,
              std::int64_t positive, const cell_map& map, std::uint32_t* cells) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double x = static_cast<double>(score[i]) + 0.0;
        const std::uint64_t at = (spread(x, map.offset) >> map.shift) - map.base;
        cells[i] = static_cast<std::uint32_t>(at << 1 | (label[i] == positive ? 0u : 1u));
    }
}

template <class Score>
void count(const Score* score, const std::int64_t* label, std::int64_t count, std::int64_t positive,
           const cell_map* map, std::uint32_t* counts, std::int64_t cells) {
    std::uint32_t at[batch];
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        cells_of(score + done, label + done, some, positive, *map, at);
        for (std::int64_t i = 0; i < some; ++i) ++counts[(at[i] & 1) * cells + (at[i] >> 1)];
    }
}

template <class Score, class Key>
void scatter(const Score* score, const std::int64_t* label, const double* weight,
             std::int64_t count, std::int64_t positive, const cell_map* map,
             const std::uint16_t* bucket_of, std::uint64_t* place, Key* items, double* weights) {
    std::uint32_t at[batch];
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        cells_of(score + done, label + done, some, positive, *map, at);
        for (std::int64_t i = 0; i < some; ++i) {
            const std::uint64_t target = place[bucket_of[at[i] >> 1]]++;
            items[target] = static_cast<Key>(order_key(score[done + i]) << 1 | (~at[i] & 1));
            if (weight != nullptr) weights[target] = weight[done + i];
        }
    }
}

}  // namespace

extern const ranking_partition_kernels ranking_partition_kernels_table;
const ranking_partition_kernels ranking_partition_kernels_table = {
    {scan<double>, cell<double>, count<double>, scatter<double, std::uint64_t>},
    {scan<float>, cell<float>, count<float>, scatter<float, std::uint32_t>},
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
