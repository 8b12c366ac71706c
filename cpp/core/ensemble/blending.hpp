// The weighted sum of several models' predictions in one pass over them.
#pragma once

#include <cstdint>
#include <vector>

#include "support/span.hpp"

namespace mlestar::ensemble {

// target = sum of weights[j] * predictions[j], row-major, summed in the order of the models; those
// of weight zero are not read. Throws argument_error where shapes differ (naming the model) or
// there is not one weight a model. `target` holds rows * columns.
void weighted_sum(const std::vector<matrix_view>& predictions, const std::vector<double>& weights,
                  double* target);

}  // namespace mlestar::ensemble
