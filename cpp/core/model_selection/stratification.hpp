// Folds that keep what a class would not say: the spread of a number, the share of each of many
// labels.
#pragma once

#include <cstdint>
#include <vector>

#include "model_selection/splitters.hpp"
#include "support/rng.hpp"
#include "support/span.hpp"

namespace mlestar::model_selection {

// The quantile bin of every row: how many of the values at sorted places i * rows / bins, for i of
// [1, bins), are not above it. Equal values share a bin, so bins may stay empty. Throws
// argument_error for values that are not finite.
std::vector<std::int32_t> quantile_bins(const vector_view& y, std::int64_t bins);

// The labels of every row, ascending.
struct label_rows {
    std::vector<std::int64_t> starts;  // of each row in `labels`, and the end
    std::vector<std::int32_t> labels;
    std::int64_t label_count = 0;

    std::int64_t rows() const { return static_cast<std::int64_t>(starts.size()) - 1; }
};

// Throws argument_error for indicators other than 0 and 1.
label_rows label_rows_of(const matrix_view& indicators);
// A sparse matrix by rows whose stored values are ones: throws argument_error unless the columns of
// each row ascend and there are at most `label_count`.
label_rows label_rows_of(const vector_view& starts, const vector_view& columns,
                         std::int64_t label_count);

inline constexpr std::int64_t most_stratified_rows = (std::int64_t{1} << 31) - 1;

// Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, algorithm 1): the label with the
// fewest rows left goes first; each of its rows goes to the fold that wants most of that label,
// among equals to the one that wants most rows. Fold f wants the share weights[f] of every label.
// With `pairs`, pairs of labels are dealt so before labels are (Szymanski and Kajdanowicz 2017).
// With a generator, rows and labels are taken in a shuffled order and ties between folds drawn;
// otherwise the first goes first. With `exact`, fold f gets weights[f] rows, of which the sum must
// be all.
folds iterative_stratification(const label_rows& y, const std::vector<std::int64_t>& weights,
                               bool exact, bool pairs, bit_generator* generator);

}  // namespace mlestar::model_selection
