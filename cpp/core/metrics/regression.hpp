// Errors of real predictions. Functions return nothing for input they leave to scikit-learn: shapes
// that differ, values or weights that are not finite, no rows.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

enum class error_kind { squared, absolute, squared_log, percentage, pinball, tweedie };

// Weighted mean error of each output (column). `parameter`: the quantile of the pinball loss, the
// power of Tweedie's deviance (0 or below, or 1 or above; 1 is Poisson's and 2 the gamma deviance).
// Also nothing where the loss is not defined for a value.
std::optional<std::vector<double>> mean_error(error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred, const vector_view& weight,
                                              double parameter = 0.0);

// Mean Tweedie deviance of a single output from its own mean. The caller's promise: y lies where
// the deviance is defined.
std::optional<double> tweedie_of_mean(const vector_view& y, const vector_view& weight,
                                      double power);

// Several of them in one pass over the data, and the sums of R^2 (see below) where asked for.
struct error_request {
    error_kind kind;
    double parameter;
};
struct error_means {
    std::vector<std::vector<double>> means;  // of each request, of each output
    std::vector<double> residual, total;     // empty unless asked for
};
std::optional<error_means> mean_errors(const std::vector<error_request>& requests, bool with_r2,
                                       const matrix_view& y_true, const matrix_view& y_pred,
                                       const vector_view& weight);

// Largest absolute error of a single output.
std::optional<double> max_error(const vector_view& y_true, const vector_view& y_pred);

// The sums of R^2 for each output: sum w (y - p)^2 and sum w (y - mean)^2; with `centred`, the
// first about the mean of y - p instead (explained variance). And the mean of y.
struct explained_sums {
    std::vector<double> residual;
    std::vector<double> total;
    std::vector<double> mean;  // on the host only
};
std::optional<explained_sums> explained(const matrix_view& y_true, const matrix_view& y_pred,
                                        const vector_view& weight, bool centred = false);

// What the host and the GPU share around their sums: the check before, the results after.
// Moments are those of each output, with the members of `moments` in regression.kernels.hpp.

inline bool fits(const matrix_view& y_true, const matrix_view& y_pred, const vector_view& weight) {
    return y_true.rows > 0 && y_true.columns > 0 && y_true.rows == y_pred.rows &&
           y_true.columns == y_pred.columns && (!weight || weight.size == y_true.rows);
}

template <class Moments>
std::optional<std::vector<double>> mean_error_of(const std::vector<Moments>& outputs) {
    std::vector<double> result;
    for (const Moments& output : outputs) {
        result.push_back(output.residual / output.weight);
        // NaN or infinity anywhere ends up here; so does a total weight of zero.
        if (!std::isfinite(result.back())) return std::nullopt;
    }
    return result;
}

template <class Moments>
std::optional<explained_sums> explained_of(const std::vector<Moments>& outputs) {
    explained_sums result;
    for (const Moments& output : outputs) {
        if (!std::isfinite(output.residual) || !std::isfinite(output.square) ||
            output.weight == 0.0)
            return std::nullopt;
        result.residual.push_back(output.residual);
        result.total.push_back(output.square);
    }
    return result;
}

}  // namespace mlestar::metrics
