// Resamples of a metric that is a function of arrays, in native code: a user's own, compiled.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/resampling_draws.hpp"

namespace mlestar::metrics {

// A metric of `rows` rows; weight may be null: all one. Called by many threads at once, on arrays
// that it must not write to. Where it fails it sets *status, which is 0 before, to something else,
// and what it returns is not looked at.
using metric_callback = double (*)(const double* y_true, const double* y_pred, const double* weight,
                                   std::int64_t rows, std::int32_t* status);

// Every pointer is to `rows` elements; rows below 2^31.
struct callback_rows {
    std::int64_t rows;
    const double* y_true;
    std::vector<const double*> answers;  // of each model
    const double* weight;                // null: all one
    const std::int32_t* unit;            // the plan's entry of each row; null: the row
};

// Values of each answer, a row a resample. Where the metric failed, the first resample it failed on
// and the answer, which are the same for any number of threads; values of the resamples before are
// all there, and of those behind some may be missing.
struct callback_values {
    std::vector<double> values;
    std::int64_t failed_resample = -1;  // none
    std::int64_t failed_answer = -1;
};

// On bootstrap resamples: each row as often as its unit was drawn, in the order of the rows. The
// functions throw argument_error for a plan of the other kind, for a unit that the plan does not
// have, and where rows and units are not as many though there is no `unit`.
callback_values resample_callback(metric_callback metric, const callback_rows& data,
                                  const resample_plan& plan, std::int64_t resamples);

// On all rows but those of unit 0, 1, ... `units` - 1: a row a unit. NaN where no row is left.
callback_values leave_out_callback(metric_callback metric, const callback_rows& data,
                                   std::int64_t units);

// On all rows, the two answers of a unit trading places where the coin of the plan says so.
callback_values swap_callback(metric_callback metric, const callback_rows& data,
                              const resample_plan& plan, std::int64_t resamples);

}  // namespace mlestar::metrics
