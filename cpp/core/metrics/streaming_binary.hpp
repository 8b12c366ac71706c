// Rows of a binary ranking as they come: which label is the positive one, and what may be ranked.
#pragma once

#include <cstdint>
#include <optional>

#include "metrics/streaming.hpp"

namespace mlestar::metrics {

// Numbers of pairs of rows.
__extension__ typedef unsigned __int128 pair_count;

// Scores as integers of the same order; -0.0 and 0.0 are the same.
inline std::uint64_t rank_of(double score) {
    const auto bits = __builtin_bit_cast(std::uint64_t, score + 0.0);
    return (bits >> 63) != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}
inline double score_of(std::uint64_t rank) {
    const std::uint64_t bits = (rank >> 63) != 0 ? rank & ~(std::uint64_t{1} << 63) : ~rank;
    return __builtin_bit_cast(double, bits);
}

class binary_classes {
public:
    // Without a positive label it is 1, and the other must be 0 or -1: a batch that lacks one of
    // two other labels would not tell which is the greater.
    explicit binary_classes(std::optional<std::int64_t> positive) : declared_(positive) {}

    // These classes and the labels of the batch; throws unless there is one negative label only,
    // scores are finite and exact as doubles, weights finite and not negative.
    binary_classes with(const vector_view& y_true, const vector_view& score,
                        const vector_view& weight) const;
    // These classes and those that another accumulator has met.
    binary_classes with(const binary_classes& other) const;

    bool is_positive(std::int64_t label) const { return label == declared_.value_or(1); }

    void write(streaming_state& state) const;
    void read(state_reader& reader);

private:
    std::optional<std::int64_t> declared_;
    std::optional<std::int64_t> negative_;
};

}  // namespace mlestar::metrics
