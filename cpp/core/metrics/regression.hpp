// Errors of real predictions. Functions return nothing for input they leave to scikit-learn: shapes
// that differ, values or weights that are not finite, no rows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

enum class error_kind { squared, absolute };

// Weighted mean error of each output (column).
std::optional<std::vector<double>> mean_error(error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred, const vector_view& weight);

// The two sums of R^2 for each output: sum w (y - p)^2 and sum w (y - mean)^2.
struct explained_sums {
    std::vector<double> residual;
    std::vector<double> total;
};
std::optional<explained_sums> explained(const matrix_view& y_true, const matrix_view& y_pred,
                                        const vector_view& weight);

}  // namespace mlestar::metrics
