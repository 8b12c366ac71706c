// Rows partitioned by score into buckets that fit L1, so that ranking metrics sort one bucket at a
// time. Internal to the ranking metrics.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "metrics/ranking.kernels.hpp"
#include "metrics/ranking_partition.kernels.hpp"
#include "support/blocks.hpp"
#include "support/scratch.hpp"
#include "support/span.hpp"

namespace mlestar::metrics {

// The rows split into as many contiguous pieces as threads are worth their while. The result does
// not depend on it: pieces write to places in the order of the rows.
struct pieces {
    std::int64_t rows;
    std::int64_t count;

    explicit pieces(std::int64_t n)
        : rows(n),
          count(n < serial_below ? 1 : std::min<std::int64_t>(thread_count(), task_count(n))) {}

    template <class Body>
    void each_block(std::int64_t piece, Body body) const {
        const std::int64_t blocks = (rows + block_size - 1) / block_size;
        const std::int64_t last = std::min(rows, blocks * (piece + 1) / count * block_size);
        for (std::int64_t at = blocks * piece / count * block_size; at < last; at += block_size)
            body(at, std::min(block_size, last - at));
    }
};

// The half of a table of kernels that is for one type of score.
template <class Score, class Table>
const auto& of_score(const Table& table) {
    if constexpr (std::is_same_v<Score, double>)
        return table.f64;
    else
        return table.f32;
}

// What every metric of scores asks before it partitions: sizes that fit, and 64-bit integer scores
// only where they are exact as doubles.
bool rankable(const vector_view& y_true, const vector_view& score, const vector_view& weight);

// Rows partitioned into buckets of ascending scores.
template <class Score>
class ranking_partition {
public:
    using key = std::conditional_t<std::is_same_v<Score, double>, std::uint64_t, std::uint32_t>;

    // Without `negative`, every other label is negative.
    ranking_partition(const vector_view& y_true, const vector_view& score,
                      const vector_view& weight, std::int64_t positive,
                      std::optional<std::int64_t> negative)
        : label_(y_true),
          score_(score),
          weight_(weight),
          positive_(positive),
          negative_(negative),
          pieces_(y_true.size) {}

    // False for input to decline.
    bool build();

    std::int64_t buckets() const { return static_cast<std::int64_t>(positives_in_.size()); }
    std::uint64_t positives() const { return positives_; }
    std::uint64_t negatives() const { return static_cast<std::uint64_t>(label_.size) - positives_; }

    // A kernel uses the bucket's items up: each bucket is for one look.
    bucket<key> at(std::int64_t b);
    std::int64_t positives_in(std::int64_t b) const {
        return positives_in_[static_cast<std::size_t>(b)];
    }
    std::int64_t negatives_in(std::int64_t b) const {
        const auto at = static_cast<std::size_t>(b);
        return static_cast<std::int64_t>(starts_[at + 1] - starts_[at]) - positives_in_[at];
    }
    std::size_t largest_bucket() const;
    // Whether the bucket's scores are from zero up; none holds scores of both signs.
    bool non_negative(std::int64_t b) const { return b >= first_non_negative_; }
    double* weights_at(std::int64_t b) {
        return weights_.data() + starts_[static_cast<std::size_t>(b)];
    }

private:
    bool scan_all();
    void choose_cells();
    void count_cells();
    void join_cells();
    void scatter_all();

    vector_view label_, score_, weight_;
    std::int64_t positive_;
    std::optional<std::int64_t> negative_;
    pieces pieces_;
    score_scan scan_;
    std::uint64_t positives_ = 0;
    cell_map map_;
    std::int64_t cells_ = 0;
    std::int64_t zero_cell_ = 0;
    std::int64_t first_non_negative_ = 0;
    std::vector<std::uint32_t> counts_;
    std::vector<std::uint16_t> bucket_of_;
    std::vector<std::uint64_t> places_, starts_;  // of each piece and bucket; of each bucket
    std::vector<std::int64_t> positives_in_;
    scratch_array<key> items_{static_cast<std::size_t>(label_.size)};
    scratch_array<double> weights_{weight_ ? static_cast<std::size_t>(label_.size) : 0};
};

// function(bucket number, scratch) for every bucket, several to a task; `room` items of scratch.
template <class Item, class Partition, class Function>
void over_buckets(const Partition& parts, std::size_t room, Function function) {
    constexpr std::int64_t at_once = 16;
    const std::int64_t tasks = (parts.buckets() + at_once - 1) / at_once;
    const auto rows = static_cast<std::int64_t>(parts.positives() + parts.negatives());
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            scratch_array<Item> scratch(room);
            const std::int64_t last = std::min(parts.buckets(), (task + 1) * at_once);
            for (std::int64_t b = task * at_once; b < last; ++b) function(b, scratch.data());
        },
        rows < serial_below / 4);
}

}  // namespace mlestar::metrics
