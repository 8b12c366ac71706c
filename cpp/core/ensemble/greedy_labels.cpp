#include "ensemble/greedy_labels.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ensemble/greedy.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/parallel.hpp"

namespace mlestar::ensemble {

MLESTAR_SELECT_KERNELS(greedy_kernels)

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::string named(std::int64_t model) { return "predictions[" + std::to_string(model) + "]"; }

}  // namespace

label_selection::label_selection(std::vector<matrix_view> predictions, const vector_view& y,
                                 const vector_view& weight)
    : predictions_(std::move(predictions)),
      models_(static_cast<std::int64_t>(predictions_.size())),
      rows_(y.size) {
    if (models_ == 0)
        throw argument_error("predictions is empty, but must hold at least one model");
    if (rows_ == 0) throw argument_error("y is empty, but must hold at least one row");
    columns_ = predictions_.front().columns;
    classes_ = std::max<std::int64_t>(2, columns_);
    for (std::int64_t j = 0; j < models_; ++j) {
        const matrix_view& one = predictions_[at(j)];
        if (one.rows != rows_ || one.columns != columns_)
            throw argument_error(named(j) + " has shape (" + std::to_string(one.rows) + ", " +
                                 std::to_string(one.columns) + "), but must have (" +
                                 std::to_string(rows_) + ", " + std::to_string(columns_) + ")");
    }
    read(y, weight);
}

void label_selection::read(const vector_view& y, const vector_view& weight) {
    label_.resize(at(rows_));
    bool exact = true;
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        std::int64_t buffer[block_size];
        const std::int64_t some = std::min(block_size, rows_ - row);
        std::copy_n(load_i64(y, row, some, buffer, exact), some, label_.data() + row);
    }
    const auto [low, high] = std::minmax_element(label_.begin(), label_.end());
    if (!exact || *low < 0 || *high >= classes_)
        throw argument_error(
            "y holds values that are not class numbers, but must be integers in [0, " +
            std::to_string(classes_) + ") as its metric needs");
    weight_.assign(at(rows_), 1.0);
    if (weight) {
        if (weight.size != rows_)
            throw argument_error("sample_weight has " + std::to_string(weight.size) +
                                 " values, but y has " + std::to_string(rows_));
        double total = 0.0;
        for (std::int64_t row = 0; row < rows_; row += block_size) {
            double buffer[block_size];
            const std::int64_t some = std::min(block_size, rows_ - row);
            std::copy_n(load_f64(weight, row, some, buffer), some, weight_.data() + row);
        }
        for (const double w : weight_) {
            if (!(w >= 0.0) || std::isinf(w))
                throw argument_error("sample_weight holds a value that is negative or not finite");
            total += w;
        }
        if (total == 0.0) throw argument_error("sample_weight is all zero");
    }
    mean_.assign(at(rows_ * columns_), 0.0);
    std::vector<char> bad(at(models_));
    parallel_for(models_, [&](std::int64_t j) {
        std::vector<double> buffer(at(rows_at_once() * columns_));
        for (std::int64_t row = 0; row < rows_; row += rows_at_once()) {
            const std::int64_t some = std::min(rows_at_once(), rows_ - row);
            const double* p = load_rows_f64(predictions_[at(j)], row, some, buffer.data());
            for (std::int64_t i = 0; i < some * columns_; ++i)
                if (!(p[i] >= 0.0 && p[i] <= 1.0)) bad[at(j)] = 1;
        }
    });
    const auto first = std::find(bad.begin(), bad.end(), 1);
    if (first != bad.end())
        throw argument_error(named(first - bad.begin()) +
                             " holds values that are not probabilities");
}

void label_selection::count(std::int64_t j, double* table) const {
    const double share = 1.0 / static_cast<double>(members_ + 1);
    const double kept = static_cast<double>(members_) / static_cast<double>(members_ + 1);
    std::vector<double> buffer(at(rows_at_once() * columns_)), blended(buffer.size());
    for (std::int64_t row = 0; row < rows_; row += rows_at_once()) {
        const std::int64_t some = std::min(rows_at_once(), rows_ - row);
        kernels().blend(mean_.data() + row * columns_,
                        load_rows_f64(predictions_[at(j)], row, some, buffer.data()), kept, share,
                        some * columns_, blended.data());
        const double* p = blended.data();
        for (std::int64_t i = 0; i < some; ++i, p += columns_) {
            std::int64_t predicted = 0;
            if (columns_ == 1)
                predicted = p[0] > 0.5 ? 1 : 0;
            else
                for (std::int64_t k = 1; k < columns_; ++k)
                    predicted = p[k] > p[predicted] ? k : predicted;
            table[label_[at(row + i)] * classes_ + predicted] += weight_[at(row + i)];
        }
    }
}

std::vector<double> label_selection::candidate_tables() const {
    const std::int64_t size = classes_ * classes_;
    std::vector<double> tables(at(models_ * size), 0.0);
    parallel_for(
        models_, [&](std::int64_t j) { count(j, tables.data() + j * size); },
        work() < 4 * block_size);
    return tables;
}

void label_selection::add(std::int64_t chosen) {
    if (chosen < 0 || chosen >= models_)
        throw argument_error("model is " + std::to_string(chosen) + ", but must be between 0 and " +
                             std::to_string(models_ - 1));
    // In AutoGluon's order of operations, so that means that tie there tie here.
    const double before = static_cast<double>(members_);
    const double after = static_cast<double>(members_ + 1);
    std::vector<double> buffer(at(rows_at_once() * columns_));
    for (std::int64_t row = 0; row < rows_; row += rows_at_once()) {
        const std::int64_t some = std::min(rows_at_once(), rows_ - row);
        const double* value = load_rows_f64(predictions_[at(chosen)], row, some, buffer.data());
        double* mean = mean_.data() + row * columns_;
        for (std::int64_t i = 0; i < some * columns_; ++i)
            mean[i] = mean[i] * (before / after) + value[i] / after;
    }
    ++members_;
}

}  // namespace mlestar::ensemble
