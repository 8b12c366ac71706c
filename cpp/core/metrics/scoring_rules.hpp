// Proper scoring rules of predicted probabilities, log loss and Brier score; and the hinge loss of
// decision values.
//
// Functions return nothing for input they leave to scikit-learn: sizes that differ, labels that are
// not integers or not as many as the columns, probabilities outside [0, 1], NaN, rows that do not
// sum to one.
#pragma once

#include <cstdint>
#include <optional>

#include "support/span.hpp"

namespace mlestar::metrics {

struct score {
    double value;
    bool normalized;  // every row of probabilities sums to one, as scikit-learn's tolerance has it
};

// `labels`, where given, are the labels that exist, ascending; y_true may then lack some of them.

// Mean (or sum) of -log p(true label), p clipped to [eps, 1 - eps] of the probabilities' own type.
// Binary: the probability of the larger of two labels.
std::optional<score> log_loss(const vector_view& y_true, const vector_view& probability,
                              const vector_view& weight, const vector_view& labels, bool normalize);
// One column a label, in the order of the sorted labels.
std::optional<score> log_loss(const vector_view& y_true, const matrix_view& probability,
                              const vector_view& weight, const vector_view& labels, bool normalize);

// Weighted mean of (p - [y == positive])^2. `positive` defaults to the larger of two labels, or to
// 1 where y_true holds nothing but 0 and 1, or -1 and 1.
std::optional<score> brier_score(const vector_view& y_true, const vector_view& probability,
                                 const vector_view& weight, std::optional<std::int64_t> positive);
// Weighted mean of the squared distance between the row and the one-hot true label, in [0, 2].
std::optional<score> brier_score(const vector_view& y_true, const matrix_view& probability,
                                 const vector_view& weight, const vector_view& labels);

enum class rule { log, brier };

// Several labels at once: a column of 0 and 1 and one of probabilities for each, the losses of a
// row added up.
std::optional<score> indicator_score(rule kind, const matrix_view& y_true,
                                     const matrix_view& probability, const vector_view& weight,
                                     bool normalize);

// Weighted mean of max(0, 1 - margin). Binary: the decision value of the larger of two labels.
std::optional<double> hinge_loss(const vector_view& y_true, const vector_view& decision,
                                 const vector_view& weight);
// More than two labels: one column a label, in the order of the sorted labels.
std::optional<double> hinge_loss(const vector_view& y_true, const matrix_view& decision,
                                 const vector_view& weight, const vector_view& labels);

}  // namespace mlestar::metrics
