// What a resample's counts make of sorted scores, losses and cells of a table.
//
// Rows of a ranking lie sorted by label, then by score: negatives first. A positive then needs the
// counts of the negatives below it, one entry of their running sum. Ties cost nothing but a second
// entry, and no row is moved for a resample.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"
#include "support/sort.hpp"

namespace mlestar::metrics {

struct ranked_row {
    std::uint64_t key;  // the score's order
    std::int64_t row;
};

static inline std::uint64_t key_of(const ranked_row& item) { return item.key; }

// For each positive, in the order of the scores.
struct ranking_places {
    const std::uint32_t* below;      // negatives with a smaller score
    const std::uint32_t* not_above;  // negatives with no greater score
    const std::uint32_t* equal;      // first positive with the same score
};

struct resampling_kernels {
    // Sorts by key; `rows` is used up.
    void (*sort)(ranked_row* rows, std::int64_t count, ranked_row* sorted);
    void (*gather)(const std::uint8_t* counts, const std::int32_t* unit, std::int64_t size,
                   std::uint8_t* gathered);
    // Running sums before each row, and the whole one behind the last: size + 1 of them.
    void (*running)(const std::uint8_t* counts, std::int64_t size, std::uint32_t* sums);
    void (*running_weighted)(const std::uint8_t* counts, const double* weight, std::int64_t size,
                             double* sums);
    // Twice the pairs (of a positive and a negative) in order, ties counting one.
    std::uint64_t (*pairs)(const std::uint8_t* counts, const ranking_places* places, bool tied,
                           const std::uint32_t* negatives, std::int64_t size);
    double (*pairs_weighted)(const std::uint8_t* counts, const double* weight,
                             const ranking_places* places, const double* negatives,
                             std::int64_t size);
    // Sum over the positives of the precision at their score.
    double (*precision)(const std::uint8_t* counts, const ranking_places* places,
                        const std::uint32_t* negatives, std::int64_t negative_size,
                        const std::uint32_t* positives, std::int64_t size);
    double (*precision_weighted)(const std::uint8_t* counts, const double* weight,
                                 const ranking_places* places, const double* negatives,
                                 std::int64_t negative_size, const double* positives,
                                 std::int64_t size);
    double (*sum)(const std::uint8_t* counts, const double* values, std::int64_t size);
    // table[cell[i]] += counts[i] * weight[i]; weight may be null.
    void (*tabulate)(const std::uint8_t* counts, const std::int32_t* cell, const double* weight,
                     std::int64_t size, double* table);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t batch = 256;

void sort_rows(ranked_row* rows, std::int64_t count, ranked_row* sorted) {
    if (count > 0) sort_into(rows, count, sorted);
}

void gather(const std::uint8_t* counts, const std::int32_t* unit, std::int64_t size,
            std::uint8_t* gathered) {
    for (std::int64_t i = 0; i < size; ++i) gathered[i] = counts[unit[i]];
}

void running(const std::uint8_t* counts, std::int64_t size, std::uint32_t* sums) {
    std::uint32_t sum = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        sums[i] = sum;
        sum += counts[i];
    }
    sums[size] = sum;
}

void running_weighted(const std::uint8_t* counts, const double* weight, std::int64_t size,
                      double* sums) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < size; ++i) {
        sums[i] = sum;
        sum += counts[i] * weight[i];
    }
    sums[size] = sum;
}

std::uint64_t pairs(const std::uint8_t* counts, const ranking_places* places, bool tied,
                    const std::uint32_t* negatives, std::int64_t size) {
    const std::uint32_t* const below = places->below;
    const std::uint32_t* const not_above = places->not_above;
    std::uint64_t total = 0;
    if (!tied) {
        for (std::int64_t i = 0; i < size; ++i)
            total += counts[i] * static_cast<std::uint64_t>(negatives[below[i]]);
        return 2 * total;
    }
    for (std::int64_t i = 0; i < size; ++i)
        total += counts[i] * (static_cast<std::uint64_t>(negatives[below[i]]) +
                              static_cast<std::uint64_t>(negatives[not_above[i]]));
    return total;
}

double pairs_weighted(const std::uint8_t* counts, const double* weight,
                      const ranking_places* places, const double* negatives, std::int64_t size) {
    const std::uint32_t* const below = places->below;
    const std::uint32_t* const not_above = places->not_above;
    return lane_sum(size, [=](std::int64_t i) {
        return counts[i] * weight[i] * (negatives[below[i]] + negatives[not_above[i]]);
    });
}

// Of count * hits / all for every row of a batch: the divisions are a loop of their own. Where a
// count is zero, all may be; one then takes its place.
double precision_terms(const double* count, const double* hits, double* all, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) all[i] = all[i] > 0.0 ? all[i] : 1.0;
    return lane_sum(size, [=](std::int64_t i) { return count[i] * (hits[i] / all[i]); });
}

double precision(const std::uint8_t* counts, const ranking_places* places,
                 const std::uint32_t* negatives, std::int64_t negative_size,
                 const std::uint32_t* positives, std::int64_t size) {
    double count[batch], hits[batch], all[batch];
    double sum = 0.0;
    for (std::int64_t done = 0; done < size; done += batch) {
        const std::int64_t some = size - done < batch ? size - done : batch;
        for (std::int64_t i = 0; i < some; ++i) {
            const std::uint32_t hit = positives[size] - positives[places->equal[done + i]];
            const std::uint32_t miss =
                negatives[negative_size] - negatives[places->below[done + i]];
            count[i] = counts[done + i];
            hits[i] = hit;
            all[i] = static_cast<double>(hit) + miss;
        }
        sum += precision_terms(count, hits, all, some);
    }
    return sum;
}

double precision_weighted(const std::uint8_t* counts, const double* weight,
                          const ranking_places* places, const double* negatives,
                          std::int64_t negative_size, const double* positives, std::int64_t size) {
    double count[batch], hits[batch], all[batch];
    double sum = 0.0;
    for (std::int64_t done = 0; done < size; done += batch) {
        const std::int64_t some = size - done < batch ? size - done : batch;
        for (std::int64_t i = 0; i < some; ++i) {
            count[i] = counts[done + i] * weight[done + i];
            hits[i] = positives[size] - positives[places->equal[done + i]];
            all[i] = hits[i] + (negatives[negative_size] - negatives[places->below[done + i]]);
        }
        sum += precision_terms(count, hits, all, some);
    }
    return sum;
}

double sum(const std::uint8_t* counts, const double* values, std::int64_t size) {
    return lane_sum(size, [=](std::int64_t i) { return counts[i] * values[i]; });
}

void tabulate(const std::uint8_t* counts, const std::int32_t* cell, const double* weight,
              std::int64_t size, double* table) {
    if (weight == nullptr) {
        for (std::int64_t i = 0; i < size; ++i) table[cell[i]] += counts[i];
        return;
    }
    for (std::int64_t i = 0; i < size; ++i) table[cell[i]] += counts[i] * weight[i];
}

}  // namespace

extern const resampling_kernels resampling_kernels_table;
const resampling_kernels resampling_kernels_table = {
    sort_rows,          gather, running,  running_weighted, pairs, pairs_weighted, precision,
    precision_weighted, sum,    tabulate,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
