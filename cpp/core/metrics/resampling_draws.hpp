// What a resample draws: how often each unit (a row, or a group of rows) counts.
#pragma once

#include <cstdint>
#include <vector>

namespace mlestar::metrics {

struct poisson_table;

enum class draw_kind {
    bootstrap,  // as many units as there are, with replacement, within each stratum
    swap,       // a fair coin a unit: 1 or 0, and all the complements behind
};

// Draws resample after resample. Each has a stream of random numbers of its own, so that any thread
// may draw any of them, in any order.
class resample_plan {
public:
    // `sizes`: units of each stratum, which lie one behind the other. Throws argument_error unless
    // there is a unit, at most 2^31 - 1 in all, and no stratum is empty.
    resample_plan(draw_kind kind, std::vector<std::int64_t> sizes, std::uint64_t seed);
    ~resample_plan();

    std::int64_t units() const { return units_; }
    // Counts that a draw writes: one a unit; two where they are coins.
    std::int64_t entries() const { return kind_ == draw_kind::swap ? 2 * units_ : units_; }

    // A count is a byte: 256 draws of one unit of 256 or more have a probability below 1e-500.
    void draw(std::int64_t resample, std::uint8_t* counts) const;

private:
    draw_kind kind_;
    std::vector<std::int64_t> sizes_;
    std::uint64_t seed_;
    std::int64_t units_ = 0;
    std::vector<poisson_table> tables_;  // of the strata large enough for them
};

}  // namespace mlestar::metrics
