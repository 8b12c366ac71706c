// Ranking metrics of many classes, labels or samples at once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/ranking.hpp"
#include "support/span.hpp"

namespace mlestar::metrics {

// All functions: NaN where a value is undefined (no positive; for ROC AUC, no negative); nothing
// for shapes that differ, labels other than 0 and 1 (codes outside [0, columns)), scores or weights
// that are not finite.

// One value a column: class k (code k) against the rest, by column k.
std::optional<std::vector<double>> class_scores(ranking_metric metric, const vector_view& codes,
                                                const matrix_view& score,
                                                const vector_view& weight);

// One value a column of 0 and 1.
std::optional<std::vector<double>> label_scores(ranking_metric metric, const matrix_view& y_true,
                                                const matrix_view& score,
                                                const vector_view& weight);

// One value a row of 0 and 1.
std::optional<std::vector<double>> sample_scores(ranking_metric metric, const matrix_view& y_true,
                                                 const matrix_view& score);

// Row a, column b: ROC AUC of class a against class b by column a.
std::optional<std::vector<double>> pair_scores(const vector_view& codes, const matrix_view& score);

// Whether each row's sum is one, as numpy.allclose has it.
bool rows_sum_to_one(const matrix_view& score);

}  // namespace mlestar::metrics
