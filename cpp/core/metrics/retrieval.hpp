// How well each row of scores orders the items that are true of it, averaged over the rows.
//
// Functions return nothing for input they leave to scikit-learn: shapes that differ, fewer than two
// items, scores, gains or weights that are not finite, indicators other than 0 and 1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

enum class retrieval_metric {
    coverage,           // how far down the scores the last true item is
    average_precision,  // mean over the true items of the precision down to them
    ranking_loss        // fraction of pairs of a true and another item in the wrong order
};

// The value of each of the rows [at, at + count), at most block_size of them. False for rows that
// the functions below leave to scikit-learn; then `value` holds nothing. The caller has checked
// the shapes, and that codes are columns.
bool score_rows_by(retrieval_metric metric, const matrix_view& y_true, const matrix_view& score,
                   std::int64_t at, std::int64_t count, double* value);
bool score_rows_by_gain(const matrix_view& gain, const matrix_view& score,
                        const std::vector<double>& discounts, bool ignore_ties, bool normalized,
                        std::int64_t at, std::int64_t count, double* value);
bool score_rows_by_place(const std::int32_t* codes, const matrix_view& score, std::int64_t k,
                         std::int64_t at, std::int64_t count, double* value);

std::optional<double> mean_over_rows(retrieval_metric metric, const matrix_view& y_true,
                                     const matrix_view& score, const vector_view& weight);

// Mean discounted cumulative gain (Jarvelin and Kekalainen 2002), ties averaged (McSherry and
// Najork 2008); `normalized` by that of the ideal order. `discount` of each rank, zero where ranks
// no longer count. With `ignore_ties`, also nothing where an order of equal scores would matter.
std::optional<double> discounted_gain(const matrix_view& gain, const matrix_view& score,
                                      const vector_view& weight, const vector_view& discount,
                                      bool ignore_ties, bool normalized);

// Fraction (or, not normalized, weight) of the rows whose code is among the k highest scores.
std::optional<double> top_k_accuracy(const vector_view& codes, const matrix_view& score,
                                     const vector_view& weight, std::int64_t k, bool normalize);

}  // namespace mlestar::metrics
