#include "ensemble/greedy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

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

greedy_selection::greedy_selection(greedy_metric metric,
                                   const std::vector<matrix_view>& predictions,
                                   const vector_view& y, const vector_view& weight)
    : metric_(metric),
      models_(static_cast<std::int64_t>(predictions.size())),
      rows_(y.size),
      one_column_(!predictions.empty() && predictions.front().columns == 1),
      values_(predictions.size() * at(y.size) *
              (metric == greedy_metric::brier && !predictions.empty()
                   ? at(predictions.front().columns)
                   : 1)),
      mean_(at(y.size), 0.0) {
    if (models_ == 0)
        throw argument_error("predictions is empty, but must hold at least one model");
    if (rows_ == 0) throw argument_error("y is empty, but must hold at least one row");
    read_target(y);
    read_weight(weight);
    read_predictions(predictions);
    if (squares()) build_gram();
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
    if (metric_ == greedy_metric::brier) target_.assign(label_.begin(), label_.end());
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

void greedy_selection::read_predictions(const std::vector<matrix_view>& predictions) {
    const std::int64_t columns = predictions.front().columns;
    if (!one_column_ && !probabilities())
        throw argument_error(named(0) + " has " + std::to_string(columns) +
                             " columns, but this metric takes one");
    const bool divide = metric_ == greedy_metric::log_loss && !one_column_;
    std::vector<double> sums(divide ? at(models_ * rows_) : 0);
    for (std::int64_t j = 0; j < models_; ++j) {
        const matrix_view& one = predictions[at(j)];
        if (one.rows != rows_ || one.columns != columns)
            throw argument_error(named(j) + " has shape (" + std::to_string(one.rows) + ", " +
                                 std::to_string(one.columns) + "), but must have (" +
                                 std::to_string(rows_) + ", " + std::to_string(columns) + ")");
        const bool usable =
            columns == 1 ? read_column(one.column(0), values_.data() + j * rows_)
            : metric_ == greedy_metric::brier
                ? read_classes(one, values_.data() + j * rows_ * columns)
                : read_rows(one, values_.data() + j * rows_, sums.data() + j * rows_);
        if (!usable)
            throw argument_error(named(j) + (probabilities()
                                                 ? " holds values that are not probabilities"
                                                 : " holds values that are not finite"));
    }
    if (metric_ == greedy_metric::brier && columns > 1) {
        // From here on a row is one class of a row: its weight is the row's.
        const std::size_t one = weight_.size();
        for (std::int64_t k = 1; k < columns; ++k)
            for (std::size_t i = 0; i < one; ++i) weight_.push_back(weight_[i]);
        rows_ *= columns;
        return;
    }
    const auto is_one = [](double sum) { return std::abs(sum - 1.0) < 1e-12; };
    if (!std::all_of(sums.begin(), sums.end(), is_one)) {
        row_sums_ = std::move(sums);
        mean_sum_.assign(at(rows_), 0.0);
    }
}

// False when a value is not usable.
bool greedy_selection::read_column(const vector_view& prediction, double* values) const {
    bool usable = true;
    double buffer[block_size];
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        const std::int64_t count = std::min(block_size, rows_ - row);
        const double* p = load_f64(prediction, row, count, buffer);
        for (std::int64_t i = 0; i < count; ++i) {
            double value = p[i];
            if (metric_ == greedy_metric::brier) usable &= value >= 0.0 && value <= 1.0;
            if (squares()) {
                value -= target_[at(row + i)];
            } else if (metric_ == greedy_metric::log_loss) {
                usable &= value >= 0.0 && value <= 1.0;
                value = label_[at(row + i)] == 1 ? value : 1.0 - value;
            }
            usable &= std::isfinite(value);
            values[row + i] = value;
        }
    }
    return usable;
}

// The residuals of each class, one class behind the other.
bool greedy_selection::read_classes(const matrix_view& prediction, double* values) const {
    bool usable = true;
    double buffer[block_size];
    for (std::int64_t k = 0; k < prediction.columns; ++k) {
        for (std::int64_t row = 0; row < rows_; row += block_size) {
            const std::int64_t count = std::min(block_size, rows_ - row);
            const double* p = load_f64(prediction.column(k), row, count, buffer);
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t label = label_[at(row + i)];
                if (label >= prediction.columns)
                    throw argument_error("y holds class " + std::to_string(label) +
                                         ", but the predictions have " +
                                         std::to_string(prediction.columns) + " columns");
                usable &= p[i] >= 0.0 && p[i] <= 1.0;
                *values++ = p[i] - (label == k ? 1.0 : 0.0);
            }
        }
    }
    return usable;
}

// The true class's probability and the sum of each row.
bool greedy_selection::read_rows(const matrix_view& prediction, double* values,
                                 double* sums) const {
    bool usable = true;
    const std::int64_t columns = prediction.columns;
    std::vector<double> buffer(at(block_size * columns));
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        const std::int64_t count = std::min(block_size, rows_ - row);
        const double* p = load_rows_f64(prediction, row, count, buffer.data());
        for (std::int64_t i = 0; i < count; ++i, p += columns) {
            const std::int64_t label = label_[at(row + i)];
            if (label >= columns)
                throw argument_error("y holds class " + std::to_string(label) +
                                     ", but the predictions have " + std::to_string(columns) +
                                     " columns");
            double sum = 0.0;
            for (std::int64_t k = 0; k < columns; ++k) {
                usable &= p[k] >= 0.0 && p[k] <= 1.0;
                sum += p[k];
            }
            usable &= sum > 0.0;
            values[row + i] = p[label];
            sums[row + i] = sum;
        }
    }
    return usable;
}

// With residuals r_j = p_j - y, the squared error of a mean of members is a quadratic form in the
// Gram matrix of the residuals: a candidate costs two additions, whatever the number of rows.
void greedy_selection::build_gram() {
    const auto pairs = at(models_ * (models_ + 1) / 2);
    const auto sums =
        sum_rows(rows_, pairs, [&](double* partial, std::int64_t row, std::int64_t count) {
            const double* w = weight_.empty() ? nullptr : weight_.data() + row;
            for (std::int64_t i = 0; i < models_; ++i)
                for (std::int64_t j = 0; j <= i; ++j)
                    *partial++ += kernels().dot(model(i) + row, model(j) + row, w, count);
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
    const bool general = !weight_.empty() || !row_sums_.empty();
    auto errors =
        sum_rows(rows_, at(models_), [&](double* partial, std::int64_t row, std::int64_t count) {
            for (std::int64_t j = 0; j < models_; ++j) {
                if (!general) {
                    partial[j] += kernels().log_sum(mean_.data() + row, model(j) + row, kept, share,
                                                    low, 1.0 - low, count);
                    continue;
                }
                const bool divided = !row_sums_.empty();
                partial[j] += kernels().log_sum_general(
                    mean_.data() + row, model(j) + row, divided ? mean_sum_.data() + row : nullptr,
                    divided ? row_sums_.data() + j * rows_ + row : nullptr,
                    weight_.empty() ? nullptr : weight_.data() + row, kept, share, low, 1.0 - low,
                    count);
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
        kernels().blend(mean_.data(), model(j), kept, share, rows_, blended.data());
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
    const auto update = [&](std::vector<double>& mean, const double* value) {
        const double kept = before / after;
        for (std::int64_t row = 0; row < rows_; ++row)
            mean[at(row)] = mean[at(row)] * kept + value[row] / after;
    };
    update(mean_, model(chosen));
    if (!row_sums_.empty()) update(mean_sum_, row_sums_.data() + chosen * rows_);
    ++members_;
}

}  // namespace mlestar::ensemble
