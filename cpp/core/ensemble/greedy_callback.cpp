#include "ensemble/greedy_callback.hpp"

#include <algorithm>
#include <string>

#include "support/error.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::ensemble {

callback_selection::callback_selection(metrics::metric_callback metric, double sign,
                                       const double* predictions, std::int64_t models,
                                       const double* y, const double* weight, std::int64_t rows)
    : metric_(metric),
      sign_(sign),
      models_(models),
      rows_(rows),
      predictions_(predictions, predictions + models * rows),
      target_(y, y + rows),
      sum_(static_cast<std::size_t>(rows), 0.0) {
    if (models < 1 || rows < 1)
        throw argument_error("predictions are " + std::to_string(models) + " models of " +
                             std::to_string(rows) + " rows, but must be one of one at least");
    if (weight != nullptr) weight_.assign(weight, weight + rows);
}

void callback_selection::check_model(std::int64_t model) const {
    if (model < 0 || model >= models_)
        throw argument_error("model is " + std::to_string(model) + ", but must lie in [0, " +
                             std::to_string(models_) + ")");
}

void callback_selection::mean_with(std::int64_t model, double* mean) const {
    check_model(model);
    const double* const added = predictions_.data() + model * rows_;
    const auto count = static_cast<double>(members_ + 1);
    for (std::int64_t i = 0; i < rows_; ++i)
        mean[i] = (sum_[static_cast<std::size_t>(i)] + added[i]) / count;
}

callback_selection::errors callback_selection::candidate_errors() const {
    errors result;
    const auto count = static_cast<std::size_t>(models_);
    result.values.resize(count);
    std::vector<std::int32_t> status(count, 0);
    parallel_for(
        models_,
        [&](std::int64_t model) {
            scratch_array<double> mean(static_cast<std::size_t>(rows_));
            mean_with(model, mean.data());
            const auto j = static_cast<std::size_t>(model);
            result.values[j] =
                sign_ * metric_(target_.data(), mean.data(),
                                weight_.empty() ? nullptr : weight_.data(), rows_, &status[j]);
        },
        models_ * rows_ < 20'000);
    const auto failed = std::find_if(status.begin(), status.end(), [](int s) { return s != 0; });
    if (failed != status.end()) result.failed = failed - status.begin();
    return result;
}

void callback_selection::add(std::int64_t model) {
    check_model(model);
    const double* const added = predictions_.data() + model * rows_;
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += added[i];
    ++members_;
}

}  // namespace mlestar::ensemble
