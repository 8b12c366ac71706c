// Errors of real predictions that lie on a GPU: metrics/regression there. Views hold device
// pointers; every call works on the given stream and waits for it once. Nothing is returned for
// input the host's route must deal with (values that are not finite, shapes that differ).
#pragma once

#include <optional>
#include <vector>

#include "cuda/devices.hpp"
#include "metrics/regression.hpp"
#include "support/span.hpp"

namespace mlestar::cuda {

std::optional<std::vector<double>> mean_error(metrics::error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred, const vector_view& weight,
                                              int device, stream_handle stream);

std::optional<metrics::explained_sums> explained(const matrix_view& y_true,
                                                 const matrix_view& y_pred,
                                                 const vector_view& weight, int device,
                                                 stream_handle stream);

}  // namespace mlestar::cuda
