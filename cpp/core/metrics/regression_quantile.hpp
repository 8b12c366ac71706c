// Quantiles of a column, and of its absolute errors, without sorting it.
#pragma once

#include <optional>

#include "support/span.hpp"

namespace mlestar::metrics {

// The quantile of Hyndman and Fan's second definition (the mean of two neighbours where the weight
// below is met exactly), of y or, where y_pred is given, of |y - y_pred|. `fraction` in [0, 1].
// Nothing for sizes that differ, values that are not finite, negative weights or none.
std::optional<double> quantile(const vector_view& y, const vector_view& y_pred,
                               const vector_view& weight, double fraction);

}  // namespace mlestar::metrics
