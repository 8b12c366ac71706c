// Counts of multilabel predictions: matrices of 0 and 1, one column a label.
//
// Functions return nothing for input they leave to scikit-learn: shapes that differ, values other
// than 0 and 1, weights that are not finite.
#pragma once

#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

// Labels predicted and true, predicted, and true: one value a label, or one a sample.
struct set_counts {
    std::vector<double> hit, predicted, truth;
    double exact = 0.0;   // weight of the samples without a wrong label (by label only)
    double weight = 0.0;  // of all samples
};

std::optional<set_counts> count_by_label(const matrix_view& y_true, const matrix_view& y_pred,
                                         const vector_view& weight);

std::optional<set_counts> count_by_sample(const matrix_view& y_true, const matrix_view& y_pred);

}  // namespace mlestar::metrics
