#include "ensemble/greedy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ensemble/greedy.kernels.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"

namespace mlestar::ensemble {

MLESTAR_SELECT_KERNELS(greedy_kernels)

namespace {

constexpr std::int64_t rows_per_task = 4 * block_size;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::string named(std::int64_t model) { return "predictions[" + std::to_string(model) + "]"; }

// body(partial sums, first row, count) in blocks; the partial sums of all tasks added in order.
template <class Body>
std::vector<double> sum_rows(std::int64_t rows, std::size_t sums, Body body) {
    const std::int64_t tasks = (rows + rows_per_task - 1) / rows_per_task;
    std::vector<double> partial(at(tasks) * sums, 0.0);
    parallel_for(tasks, [&](std::int64_t task) {
        const std::int64_t last = std::min(rows, (task + 1) * rows_per_task);
        for (std::int64_t row = task * rows_per_task; row < last; row += block_size)
            body(partial.data() + at(task) * sums, row, std::min(block_size, last - row));
    });
    std::vector<double> total(sums, 0.0);
    for (std::size_t i = 0; i < partial.size(); ++i) total[i % sums] += partial[i];
    return total;
}

}  // namespace

greedy_selection::greedy_selection(greedy_metric metric, std::vector<matrix_view> predictions,
                                   const vector_view& y, const vector_view& weight,
                                   std::int64_t most_kept)
    : metric_(metric),
      predictions_(std::move(predictions)),
      models_(static_cast<std::int64_t>(predictions_.size())),
      rows_(y.size),
      one_column_(!predictions_.empty() && predictions_.front().columns == 1),
      kept_(metric == greedy_metric::log_loss &&
            rows_ <= most_kept / std::max<std::int64_t>(1, models_ * 8 * (one_column_ ? 1 : 2))),
      divided_(false),
      values_(kept_ ? at(models_ * rows_) : 0) {
    if (kept_ && !one_column_) row_sums_.emplace(at(models_ * rows_));
    if (models_ == 0)
        throw argument_error("predictions is empty, but must hold at least one model");
    if (rows_ == 0) throw argument_error("y is empty, but must hold at least one row");
    read_target(y);
    read_weight(weight);
    read_predictions();
    if (squares()) {
        build_gram();
        return;
    }
    mean_.assign(at(rows_), 0.0);
    if (divided_) mean_sum_.assign(at(rows_), 0.0);
    if (metric_ == greedy_metric::roc_auc)
        scorer_.emplace(std::vector<std::uint8_t>(label_.begin(), label_.end()));
}

bool greedy_selection::squares() const {
    return metric_ == greedy_metric::rmse || metric_ == greedy_metric::mse ||
           metric_ == greedy_metric::brier;
}

bool greedy_selection::probabilities() const {
    return metric_ == greedy_metric::log_loss || metric_ == greedy_metric::brier;
}

void greedy_selection::read_target(const vector_view& y) {
    if (squares() && !probabilities()) {
        target_.resize(at(rows_));
        for (std::int64_t row = 0; row < rows_; row += block_size) {
            double buffer[block_size];
            const std::int64_t count = std::min(block_size, rows_ - row);
            std::copy_n(load_f64(y, row, count, buffer), count, target_.data() + row);
        }
        return;
    }
    label_.resize(at(rows_));
    bool exact = true;
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        std::int64_t buffer[block_size];
        const std::int64_t count = std::min(block_size, rows_ - row);
        std::copy_n(load_i64(y, row, count, buffer, exact), count, label_.data() + row);
    }
    const auto [low, high] = std::minmax_element(label_.begin(), label_.end());
    const std::int64_t columns = one_column_ ? 2 : std::numeric_limits<std::int64_t>::max();
    if (!exact || *low < 0 || *high >= columns)
        throw argument_error(
            "y holds values that are not class numbers 0, 1, ... as its metric needs");
    if (!probabilities() && *low == *high)
        throw argument_error(std::string("y holds one class only, but ") +
                             (metric_ == greedy_metric::roc_auc ? "ROC AUC" : "average precision") +
                             " needs both 0 and 1");
    if (metric_ == greedy_metric::brier && one_column_)
        target_.assign(label_.begin(), label_.end());
}

void greedy_selection::read_weight(const vector_view& weight) {
    total_weight_ = static_cast<double>(rows_);
    if (!weight) return;
    if (weight.size != rows_)
        throw argument_error("sample_weight has " + std::to_string(weight.size) +
                             " values, but y has " + std::to_string(rows_));
    weight_.resize(at(rows_));
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        double buffer[block_size];
        const std::int64_t count = std::min(block_size, rows_ - row);
        std::copy_n(load_f64(weight, row, count, buffer), count, weight_.data() + row);
    }
    total_weight_ = 0.0;
    for (double w : weight_) {
        if (!(w >= 0.0) || std::isinf(w))
            throw argument_error("sample_weight holds a value that is negative or not finite");
        total_weight_ += w;
    }
    if (total_weight_ == 0.0) throw argument_error("sample_weight is all zero");
}

// All of them once: what is not usable is named, and log loss keeps what it will need.
void greedy_selection::read_predictions() {
    const std::int64_t columns = predictions_.front().columns;
    if (!one_column_ && !probabilities())
        throw argument_error(named(0) + " has " + std::to_string(columns) +
                             " columns, but this metric takes one");
    for (std::int64_t j = 0; j < models_; ++j) {
        const matrix_view& one = predictions_[at(j)];
        if (one.rows != rows_ || one.columns != columns)
            throw argument_error(named(j) + " has shape (" + std::to_string(one.rows) + ", " +
                                 std::to_string(one.columns) + "), but must have (" +
                                 std::to_string(rows_) + ", " + std::to_string(columns) + ")");
    }
    if (probabilities() && !one_column_) {
        const auto highest = *std::max_element(label_.begin(), label_.end());
        if (highest >= columns)
            throw argument_error("y holds class " + std::to_string(highest) +
                                 ", but the predictions have " + std::to_string(columns) +
                                 " columns");
    }
    std::vector<char> wrong(at(models_), 0), divided(at(models_), 0);
    parallel_for(models_, [&](std::int64_t j) {
        double values[block_size], sums[block_size];
        for (std::int64_t row = 0; row < rows_; row += block_size) {
            const std::int64_t count = std::min(block_size, rows_ - row);
            const std::int64_t place = j * rows_ + row;
            double* const kept = kept_ ? values_.data() + place : values;
            double* const kept_sums = kept_ && !one_column_ ? row_sums_->data() + place : sums;
            if (!read_block(j, row, count, kept, kept_sums)) wrong[at(j)] = 1;
            if (metric_ != greedy_metric::log_loss || one_column_) continue;
            for (std::int64_t i = 0; i < count; ++i)
                if (!(std::abs(kept_sums[i] - 1.0) < 1e-12)) divided[at(j)] = 1;
        }
    });
    const auto first = std::find(wrong.begin(), wrong.end(), 1);
    if (first != wrong.end())
        throw argument_error(named(first - wrong.begin()) +
                             (probabilities() ? " holds values that are not probabilities"
                                              : " holds values that are not finite"));
    divided_ = std::find(divided.begin(), divided.end(), 1) != divided.end();
    if (!divided_) row_sums_.reset();
}

// A block as the metric needs it; false when a value is not usable.
bool greedy_selection::read_block(std::int64_t j, std::int64_t row, std::int64_t count,
                                  double* values, double* sums) const {
    if (metric_ == greedy_metric::log_loss) return read_true_class(j, row, count, values, sums);
    bool usable = true;
    if (squares()) {
        for (std::int64_t k = 0; k < predictions_[at(j)].columns; ++k)
            usable &= read_residuals(j, k, row, count, values);
        return usable;
    }
    const double* p = load_f64(predictions_[at(j)].column(0), row, count, values);
    for (std::int64_t i = 0; i < count; ++i) usable &= std::isfinite(p[i]);
    return usable;
}

// The true class's probability and, of several columns, the sum of each row.
bool greedy_selection::read_true_class(std::int64_t j, std::int64_t row, std::int64_t count,
                                       double* values, double* sums) const {
    const matrix_view& prediction = predictions_[at(j)];
    const std::int64_t* label = label_.data() + row;
    bool usable = true;
    if (one_column_) {
        double buffer[block_size];
        const double* p = load_f64(prediction.column(0), row, count, buffer);
        for (std::int64_t i = 0; i < count; ++i) {
            usable &= p[i] >= 0.0 && p[i] <= 1.0;
            values[i] = label[i] == 1 ? p[i] : 1.0 - p[i];
        }
        return usable;
    }
    const std::int64_t columns = prediction.columns;
    static thread_local std::vector<double> buffer;
    buffer.resize(at(block_size * columns));
    const double* p = load_rows_f64(prediction, row, count, buffer.data());
    for (std::int64_t i = 0; i < count; ++i, p += columns) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) {
            usable &= p[k] >= 0.0 && p[k] <= 1.0;
            sum += p[k];
        }
        usable &= sum > 0.0;
        values[i] = p[label[i]];
        sums[i] = sum;
    }
    return usable;
}

// The residuals of column k.
bool greedy_selection::read_residuals(std::int64_t j, std::int64_t k, std::int64_t row,
                                      std::int64_t count, double* values) const {
    double buffer[block_size];
    const double* p = load_f64(predictions_[at(j)].column(k), row, count, buffer);
    bool usable = true;
    for (std::int64_t i = 0; i < count; ++i) {
        if (metric_ == greedy_metric::brier) usable &= p[i] >= 0.0 && p[i] <= 1.0;
        const double truth = one_column_ ? target_[at(row + i)] : label_[at(row + i)] == k;
        values[i] = p[i] - truth;
        usable &= std::isfinite(values[i]);
    }
    return usable;
}

auto greedy_selection::block_of(std::int64_t j, std::int64_t row, std::int64_t count,
                                double* values, double* sums) const -> block {
    const std::int64_t place = j * rows_ + row;
    if (kept_) return {values_.data() + place, divided_ ? row_sums_->data() + place : nullptr};
    if (metric_ != greedy_metric::log_loss)
        return {load_f64(predictions_[at(j)].column(0), row, count, values), nullptr};
    read_true_class(j, row, count, values, sums);
    return {values, divided_ ? sums : nullptr};
}

// With residuals r_j = p_j - y, the squared error of a mean of members is a quadratic form in the
// Gram matrix of the residuals (of every class, where there are several): a candidate costs two
// additions, whatever the number of rows.
void greedy_selection::build_gram() {
    const auto pairs = at(models_ * (models_ + 1) / 2);
    const std::int64_t columns = predictions_.front().columns;
    const auto sums =
        sum_rows(rows_, pairs, [&](double* partial, std::int64_t row, std::int64_t count) {
            const double* w = weight_.empty() ? nullptr : weight_.data() + row;
            static thread_local std::vector<double> residuals;
            residuals.resize(at(models_ * block_size));
            const auto of = [&](std::int64_t j) { return residuals.data() + j * block_size; };
            for (std::int64_t k = 0; k < columns; ++k) {
                for (std::int64_t j = 0; j < models_; ++j) read_residuals(j, k, row, count, of(j));
                double* sum = partial;
                for (std::int64_t i = 0; i < models_; ++i)
                    for (std::int64_t j = 0; j <= i; ++j)
                        *sum++ += kernels().dot(of(i), of(j), w, count);
            }
        });
    gram_.resize(at(models_ * models_));
    gram_sum_.assign(at(models_), 0.0);
    std::size_t next = 0;
    for (std::int64_t i = 0; i < models_; ++i)
        for (std::int64_t j = 0; j <= i; ++j)
            gram_[at(i * models_ + j)] = gram_[at(j * models_ + i)] = sums[next++] / total_weight_;
}

std::int64_t greedy_selection::work() const { return squares() ? models_ : models_ * rows_; }

std::vector<double> greedy_selection::candidate_errors() const {
    switch (metric_) {
        case greedy_metric::roc_auc:
        case greedy_metric::average_precision: return ranking_errors();
        case greedy_metric::log_loss: return log_losses();
        default: return squared_errors();
    }
}

std::vector<double> greedy_selection::log_losses() const {
    const double share = 1.0 / static_cast<double>(members_ + 1);
    const double kept = static_cast<double>(members_) / static_cast<double>(members_ + 1);
    // AutoGluon's clipping: 1e-15 for one column, scikit-learn's machine epsilon for several.
    const double low = one_column_ ? 1e-15 : std::numeric_limits<double>::epsilon();
    const bool general = !weight_.empty() || divided_;
    auto errors =
        sum_rows(rows_, at(models_), [&](double* partial, std::int64_t row, std::int64_t count) {
            double values[block_size], sums[block_size];
            for (std::int64_t j = 0; j < models_; ++j) {
                const block part = block_of(j, row, count, values, sums);
                if (!general) {
                    partial[j] += kernels().log_sum(mean_.data() + row, part.values, kept, share,
                                                    low, 1.0 - low, count);
                    continue;
                }
                partial[j] += kernels().log_sum_general(
                    mean_.data() + row, part.values, divided_ ? mean_sum_.data() + row : nullptr,
                    part.sums, weight_.empty() ? nullptr : weight_.data() + row, kept, share, low,
                    1.0 - low, count);
            }
        });
    for (double& error : errors) error = -error / total_weight_;
    return errors;
}

std::vector<double> greedy_selection::squared_errors() const {
    const double size = static_cast<double>(members_ + 1);
    std::vector<double> errors(at(models_));
    for (std::int64_t j = 0; j < models_; ++j) {
        const double square = gram_square_ + 2.0 * gram_sum_[at(j)] + gram_[at(j * models_ + j)];
        errors[at(j)] = metric_ == greedy_metric::rmse ? std::sqrt(std::max(0.0, square)) / size
                                                       : std::max(0.0, square) / (size * size);
    }
    return errors;
}

std::vector<double> greedy_selection::ranking_errors() const {
    const double share = 1.0 / static_cast<double>(members_ + 1);
    const double kept = static_cast<double>(members_) / static_cast<double>(members_ + 1);
    std::vector<double> errors(at(models_));
    parallel_for(models_, [&](std::int64_t j) {
        static thread_local std::vector<double> blended;
        static thread_local std::vector<std::uint64_t> scratch;
        blended.resize(at(rows_));
        double buffer[block_size];
        for (std::int64_t row = 0; row < rows_; row += block_size) {
            const std::int64_t count = std::min(block_size, rows_ - row);
            kernels().blend(mean_.data() + row, block_of(j, row, count, buffer, nullptr).values,
                            kept, share, count, blended.data() + row);
        }
        if (scorer_ && weight_.empty()) {
            errors[at(j)] = 1.0 - (*scorer_)(blended.data(), scratch);
            return;
        }
        const auto bytes = [](const auto& values) {
            return reinterpret_cast<const std::byte*>(values.data());
        };
        const vector_view y{bytes(label_), dtype::i64, rows_, 8};
        const vector_view score{bytes(blended), dtype::f64, rows_, 8};
        const vector_view weight =
            weight_.empty() ? vector_view{} : vector_view{bytes(weight_), dtype::f64, rows_, 8};
        const auto area = scorer_ ? metrics::roc_auc(y, score, weight)
                                  : metrics::average_precision(y, score, weight, 1);
        if (!area || std::isnan(*area))
            throw argument_error("sample_weight leaves one class of y without weight");
        errors[at(j)] = 1.0 - *area;
    });
    return errors;
}

void greedy_selection::add(std::int64_t chosen) {
    if (chosen < 0 || chosen >= models_)
        throw argument_error("model is " + std::to_string(chosen) + ", but must be between 0 and " +
                             std::to_string(models_ - 1));
    if (squares()) {
        gram_square_ += 2.0 * gram_sum_[at(chosen)] + gram_[at(chosen * models_ + chosen)];
        for (std::int64_t j = 0; j < models_; ++j)
            gram_sum_[at(j)] += gram_[at(chosen * models_ + j)];
        ++members_;
        return;
    }
    // In AutoGluon's order of operations, so that scores that tie there tie here.
    const double before = static_cast<double>(members_);
    const double after = static_cast<double>(members_ + 1);
    const double kept = before / after;
    double values[block_size], sums[block_size];
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        const std::int64_t count = std::min(block_size, rows_ - row);
        const block part = block_of(chosen, row, count, values, sums);
        for (std::int64_t i = 0; i < count; ++i)
            mean_[at(row + i)] = mean_[at(row + i)] * kept + part.values[i] / after;
        for (std::int64_t i = 0; divided_ && i < count; ++i)
            mean_sum_[at(row + i)] = mean_sum_[at(row + i)] * kept + part.sums[i] / after;
    }
    ++members_;
}

}  // namespace mlestar::ensemble
