// Greedy ensemble selection by a metric that is a function of arrays: nothing is known of it that
// could be kept up to date, so every candidate's mean is made and measured anew.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/resampling_callback.hpp"

namespace mlestar::ensemble {

class callback_selection {
public:
    // `predictions`: the rows of each model, one model behind the other; weight may be null. The
    // values are copied. `sign` makes an error (lower is better) of the metric: 1 or -1.
    callback_selection(metrics::metric_callback metric, double sign, const double* predictions,
                       std::int64_t models, const double* y, const double* weight,
                       std::int64_t rows);

    std::int64_t models() const { return models_; }
    std::int64_t rows() const { return rows_; }

    // The mean of the members and model `model`: `rows` values.
    void mean_with(std::int64_t model, double* mean) const;

    struct errors {
        std::vector<double> values;  // of the ensemble with one more member, for each model
        std::int64_t failed = -1;    // the first model on whose mean the metric failed
    };
    errors candidate_errors() const;

    // Throws argument_error for a model that there is not.
    void add(std::int64_t model);

private:
    void check_model(std::int64_t model) const;

    metrics::metric_callback metric_;
    double sign_;
    std::int64_t models_;
    std::int64_t rows_;
    std::int64_t members_ = 0;
    std::vector<double> predictions_;
    std::vector<double> target_;
    std::vector<double> weight_;
    std::vector<double> sum_;  // of the members
};

}  // namespace mlestar::ensemble
