#include "ensemble/convex_rows.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "ensemble/convex.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::ensemble {

MLESTAR_SELECT_KERNELS(convex_kernels)

namespace {

// Probabilities are kept this far from 0 and 1: a certain model that errs costs log(1e15), not
// everything.
constexpr double edge = 1e-15;
// Rows of probabilities may be this far from a sum of 1: single precision is well within it.
constexpr double sum_tolerance = 1e-3;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::string named(std::int64_t model) { return "predictions[" + std::to_string(model) + "]"; }

// function(row's values, its number in the tile) for each row of a tile.
template <class Tile, class Function>
void over_rows(const matrix_view& view, const Tile& tile, Function function) {
    const std::int64_t at_once = std::max<std::int64_t>(1, 4096 / view.columns);
    scratch_array<double> buffer(at(std::min(at_once, tile.count) * view.columns));
    for (std::int64_t done = 0; done < tile.count; done += at_once) {
        const std::int64_t some = std::min(at_once, tile.count - done);
        const double* p = load_rows_f64(view, tile.first + done, some, buffer.data());
        for (std::int64_t i = 0; i < some; ++i) function(p + i * view.columns, done + i);
    }
}

// Buffers of one thread for one tile.
struct tile_buffers {
    explicit tile_buffers(std::int64_t columns)
        : values(at(columns * convex_tile)), pointers(at(columns)), shares(at(columns)) {}
    double* of(std::int64_t j) { return values.data() + j * convex_tile; }

    scratch_array<double> values;
    std::vector<const double*> pointers;
    std::vector<double> shares;
    alignas(64) double blend[convex_tile];
    alignas(64) double first[convex_tile];
    alignas(64) double target[convex_tile];
    alignas(64) double scaled[convex_tile];
};

}  // namespace

convex_rows::convex_rows(const convex_data& data)
    : data_(data), models_(static_cast<std::int64_t>(data.predictions.size())), rows_(data.y.size) {
    if (models_ == 0)
        throw argument_error("predictions is empty, but must hold at least one model");
    if (rows_ == 0) throw argument_error("y is empty, but must hold at least one row");
    const std::int64_t columns = data_.predictions.front().columns;
    if (data_.layout == convex_layout::column && columns != 1)
        throw argument_error(named(0) + " has " + std::to_string(columns) +
                             " columns, but this loss takes one");
    if (data_.layout == convex_layout::every_class) parts_ = columns;
    tiles_of_part_ = (rows_ + convex_tile - 1) / convex_tile;
    tiles_ = parts_ * tiles_of_part_;
    for (std::int64_t j = 0; j < models_; ++j) {
        const matrix_view& one = data_.predictions[at(j)];
        if (one.rows != rows_ || one.columns != columns)
            throw argument_error(named(j) + " has shape (" + std::to_string(one.rows) + ", " +
                                 std::to_string(one.columns) + "), but must have (" +
                                 std::to_string(rows_) + ", " + std::to_string(columns) + ")");
    }
    read_target();
    read_weight();
    prepare();
}

convex_rows::tile convex_rows::tile_at(std::int64_t number) const {
    const std::int64_t part = number / tiles_of_part_;
    const std::int64_t first = number % tiles_of_part_ * convex_tile;
    return {part, first, std::min(convex_tile, rows_ - first), part * rows_ + first};
}

void convex_rows::read_target() {
    const bool classes = data_.layout != convex_layout::column || data_.loss == convex_loss::log;
    target_.resize(classes && data_.layout != convex_layout::column ? 0 : at(rows_));
    label_.resize(classes ? at(rows_) : 0);
    bool exact = true;
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        const std::int64_t count = std::min(block_size, rows_ - row);
        if (classes) {
            std::int64_t buffer[block_size];
            std::copy_n(load_i64(data_.y, row, count, buffer, exact), count, label_.data() + row);
            continue;
        }
        double buffer[block_size];
        std::copy_n(load_f64(data_.y, row, count, buffer), count, target_.data() + row);
    }
    if (!classes) {
        if (!std::all_of(target_.begin(), target_.end(), [](double v) { return std::isfinite(v); }))
            throw argument_error("y holds NaN or infinity, but must be finite");
        return;
    }
    const std::int64_t columns = std::max<std::int64_t>(2, data_.predictions.front().columns);
    const auto [low, high] = std::minmax_element(label_.begin(), label_.end());
    if (!exact || *low < 0 || *high >= columns)
        throw argument_error(
            "y holds values that are not class numbers, but must be integers in [0, " +
            std::to_string(columns) + ") as its loss needs");
    for (std::size_t i = 0; i < target_.size(); ++i) target_[i] = static_cast<double>(label_[i]);
}

void convex_rows::read_weight() {
    if (!data_.weight) return;
    if (data_.weight.size != rows_)
        throw argument_error("sample_weight has " + std::to_string(data_.weight.size) +
                             " values, but y has " + std::to_string(rows_));
    weight_.resize(at(rows_));
    double sum = 0.0;
    for (std::int64_t row = 0; row < rows_; row += block_size) {
        double buffer[block_size];
        const std::int64_t count = std::min(block_size, rows_ - row);
        std::copy_n(load_f64(data_.weight, row, count, buffer), count, weight_.data() + row);
    }
    for (const double w : weight_) {
        if (!(w >= 0.0) || std::isinf(w))
            throw argument_error("sample_weight holds a value that is negative or not finite");
        sum += w;
    }
    if (!(sum > 0.0) || std::isinf(sum))
        throw argument_error("sample_weight sums to " + std::to_string(sum) +
                             ", but must be positive and finite");
}

// Whether the rows of a tile are distributions over the classes.
bool convex_rows::sum_to_one(std::int64_t model, const tile& at_) const {
    const matrix_view& view = data_.predictions[at(model)];
    bool usable = true;
    over_rows(view, at_, [&](const double* p, std::int64_t) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < view.columns; ++k) sum += p[k];
        usable &= std::abs(sum - 1.0) <= sum_tolerance;
        for (std::int64_t k = 0; k < view.columns; ++k) usable &= p[k] >= 0.0;
    });
    return usable;
}

// The values of a tile as they are: in place, or in the buffer.
const double* convex_rows::read_tile(std::int64_t model, const tile& at_, double* buffer) const {
    const matrix_view& view = data_.predictions[at(model)];
    if (data_.layout != convex_layout::true_class)
        return load_f64(view.column(at_.part), at_.first, at_.count, buffer);
    over_rows(view, at_,
              [&](const double* p, std::int64_t i) { buffer[i] = p[label_[at(at_.first + i)]]; });
    return buffer;
}

// Whether the values can be used; `near` is set where one needs the clip.
bool convex_rows::usable(std::int64_t model, const tile& at_, const double* values,
                         bool& near) const {
    const convex_range range = kernels().range(values, at_.count);
    near = data_.loss == convex_loss::log && (range.low < edge || range.high > 1.0 - edge);
    if (!range.finite) return false;
    if (!data_.probabilities) return true;
    if (!(range.low >= 0.0 && range.high <= 1.0)) return false;
    return data_.layout == convex_layout::column || at_.part != 0 || sum_to_one(model, at_);
}

void convex_rows::clip(const double* values, std::int64_t count, double* clipped) const {
    if (data_.loss != convex_loss::log) {
        std::copy_n(values, count, clipped);
        return;
    }
    for (std::int64_t i = 0; i < count; ++i)
        clipped[i] = std::min(1.0 - edge, std::max(edge, values[i]));
}

// Checks all values, and keeps copies of those columns that cannot be read in place.
void convex_rows::prepare() {
    direct_.assign(at(models_), nullptr);
    cached_.resize(at(models_));
    std::vector<char> in_place(at(models_));
    for (std::int64_t j = 0; j < models_; ++j) {
        const matrix_view& view = data_.predictions[at(j)];
        in_place[at(j)] = data_.layout == convex_layout::column && view.type == dtype::f64 &&
                          view.column(0).contiguous() &&
                          reinterpret_cast<std::uintptr_t>(view.data) % alignof(double) == 0;
        if (in_place[at(j)] == 0) keep_copy(j);
    }
    const std::int64_t of_task = std::max<std::int64_t>(8, tiles_ / 64);
    const std::int64_t of_model = (tiles_ + of_task - 1) / of_task;
    std::vector<char> bad(at(models_ * of_model)), near(at(models_ * of_model));
    parallel_for(models_ * of_model, [&](std::int64_t task) {
        const std::int64_t model = task / of_model;
        const std::int64_t first = task % of_model * of_task;
        double buffer[convex_tile];
        double* const copy = cached_[at(model)] ? cached_[at(model)]->data() : nullptr;
        for (std::int64_t k = first; k < std::min(tiles_, first + of_task); ++k) {
            const tile one = tile_at(k);
            bool close = false;
            const double* const values = read_tile(model, one, buffer);
            if (!usable(model, one, values, close)) bad[at(task)] = 1;
            if (close) near[at(task)] = 1;
            if (copy != nullptr) clip(values, one.count, copy + one.place);
        }
    });
    for (std::int64_t task = 0; task < models_ * of_model; ++task)
        if (bad[at(task)] != 0) refuse(task / of_model);
    for (std::int64_t j = 0; j < models_; ++j) {
        const auto from = near.begin() + j * of_model;
        const bool clipped = std::any_of(from, from + of_model, [](char c) { return c != 0; });
        if (in_place[at(j)] != 0 && clipped && keep_copy(j))
            parallel_for(tiles_, [&](std::int64_t k) {
                double buffer[convex_tile];
                const tile one = tile_at(k);
                clip(read_tile(j, one, buffer), one.count, cached_[at(j)]->data() + one.place);
            });
        if (cached_[at(j)])
            direct_[at(j)] = cached_[at(j)]->data();
        else if (in_place[at(j)] != 0 && !clipped)
            direct_[at(j)] = reinterpret_cast<const double*>(data_.predictions[at(j)].data);
    }
}

bool convex_rows::keep_copy(std::int64_t model) {
    const std::int64_t bytes = rows_ * parts_ * 8;
    if (cached_bytes_ > data_.cache - bytes) return false;
    cached_[at(model)] = std::make_unique<scratch_array<double>>(at(rows_ * parts_));
    cached_bytes_ += bytes;
    return true;
}

void convex_rows::refuse(std::int64_t model) const {
    const char* const words =
        !data_.probabilities ? " holds NaN or infinity, but must be finite"
        : data_.layout == convex_layout::column
            ? " holds values that are not probabilities, but must lie in [0, 1]"
            : " holds rows that are not probabilities, but must lie in [0, 1] and sum to 1";
    throw argument_error(named(model) + words);
}

const double* convex_rows::column(std::int64_t model, const tile& at_, double* buffer) const {
    if (direct_[at(model)] != nullptr) return direct_[at(model)] + at_.place;
    const double* const values = read_tile(model, at_, buffer);
    if (data_.loss != convex_loss::log) return values;
    clip(values, at_.count, buffer);
    return buffer;
}

const double* convex_rows::target_of(const tile& at_, double* buffer) const {
    if (data_.layout == convex_layout::column) return target_.data() + at_.first;
    if (data_.layout == convex_layout::true_class) return nullptr;
    for (std::int64_t i = 0; i < at_.count; ++i)
        buffer[i] = label_[at(at_.first + i)] == at_.part ? 1.0 : 0.0;
    return buffer;
}

// The weight of the rows of every stride-th tile. A row's classes count once together.
double convex_rows::total(std::int64_t stride) const {
    double sum = 0.0;
    for (std::int64_t number = 0; number < tiles_; number += stride) {
        const tile one = tile_at(number);
        if (weight_.empty())
            sum += static_cast<double>(one.count);
        else
            for (std::int64_t i = 0; i < one.count; ++i) sum += weight_[at(one.first + i)];
    }
    return sum / static_cast<double>(parts_);
}

// body(partial sums, tile, buffers) over every stride-th tile; the partial sums of all tasks added
// in order.
template <class Body>
std::vector<double> convex_rows::sum_tiles(std::int64_t stride, std::size_t sums, Body body) const {
    const std::int64_t chosen = (tiles_ + stride - 1) / stride;
    const std::int64_t of_task = std::max<std::int64_t>(2, (chosen + 63) / 64);
    const std::int64_t tasks = (chosen + of_task - 1) / of_task;
    std::vector<double> partial(at(tasks) * sums, 0.0);
    parallel_for(tasks, [&](std::int64_t task) {
        tile_buffers buffers(models_);
        const std::int64_t last = std::min(chosen, (task + 1) * of_task);
        for (std::int64_t k = task * of_task; k < last; ++k)
            body(partial.data() + at(task) * sums, tile_at(k * stride), buffers);
    });
    std::vector<double> result(sums, 0.0);
    for (std::int64_t task = 0; task < tasks; ++task)
        for (std::size_t i = 0; i < sums; ++i) result[i] += partial[at(task) * sums + i];
    return result;
}

convex_rows::evaluation convex_rows::evaluate(const std::vector<double>& weights,
                                              std::int64_t stride, double smoothing,
                                              const std::vector<double>& move) {
    if (!second_) second_ = std::make_unique<scratch_array<double>>(at(rows_ * parts_));
    const auto blend = [&](const std::vector<double>& of, const tile& one, tile_buffers& buffers,
                           double* target) {
        std::int64_t used = 0;
        double* const shares = buffers.shares.data();
        for (std::int64_t j = 0; j < models_; ++j) {
            if (of[at(j)] == 0.0) continue;
            buffers.pointers[at(used)] = column(j, one, buffers.of(j));
            shares[used++] = of[at(j)];
        }
        kernels().blend(buffers.pointers.data(), shares, used, one.count, target);
    };
    const auto lower = [&](const tile& one, tile_buffers& buffers, const double* first,
                           double* sums) {
        for (std::int64_t j = 0; j < models_; ++j)
            buffers.pointers[at(j)] = column(j, one, buffers.of(j));
        kernels().dots(first, buffers.pointers.data(), models_, one.count, sums);
    };
    evaluation found;
    std::vector<double> sums;
    if (data_.loss == convex_loss::custom) {
        scratch_array<double> whole(at(rows_)), first(at(rows_));
        sum_tiles(1, 1, [&](double*, const tile& one, tile_buffers& buffers) {
            blend(weights, one, buffers, whole.data() + one.place);
        });
        const double loss = data_.custom(whole.data(), first.data(), second_->data());
        sums = sum_tiles(1, 3 + at(models_),
                         [&](double* partial, const tile& one, tile_buffers& buffers) {
                             lower(one, buffers, first.data() + one.place, partial + 3);
                         });
        sums[0] = sums[1] = loss;
    } else {
        const auto rows_loss = [&](const tile& one, tile_buffers& b) {
            const double* target = target_of(one, b.target);
            const double* weight = weight_.empty() ? nullptr : weight_.data() + one.first;
            double* second = second_->data() + one.place;
            switch (data_.loss) {
                case convex_loss::squared:
                    return kernels().squared(b.blend, target, weight, one.count, b.first, second);
                case convex_loss::huber:
                    return kernels().huber(b.blend, target, weight, smoothing, one.count, b.first,
                                           second);
                case convex_loss::pinball:
                    return kernels().pinball(b.blend, target, weight, data_.parameter, smoothing,
                                             move.empty() ? nullptr : b.scaled, one.count, b.first,
                                             second);
                default:
                    return kernels().log_loss(b.blend, target, weight, one.count, b.first, second);
            }
        };
        sums = sum_tiles(stride, 3 + at(models_),
                         [&](double* partial, const tile& one, tile_buffers& buffers) {
                             blend(weights, one, buffers, buffers.blend);
                             if (!move.empty()) blend(move, one, buffers, buffers.scaled);
                             const convex_sums of_tile = rows_loss(one, buffers);
                             partial[0] += of_tile.smooth;
                             partial[1] += of_tile.loss;
                             partial[2] += of_tile.slack;
                             lower(one, buffers, buffers.first, partial + 3);
                         });
    }
    const double whole = total(stride);
    for (double& sum : sums) sum /= whole;
    found.smooth = sums[0];
    found.loss = sums[1];
    found.slack = sums[2];
    found.gradient.assign(sums.begin() + 3, sums.end());
    return found;
}

std::vector<double> convex_rows::hessian(const std::vector<std::int64_t>& models,
                                         std::int64_t stride) const {
    const auto count = static_cast<std::int64_t>(models.size());
    const auto sums = sum_tiles(
        stride, at(count * (count + 1) / 2),
        [&](double* partial, const tile& one, tile_buffers& buffers) {
            for (std::int64_t k = 0; k < count; ++k)
                buffers.pointers[at(k)] = column(models[at(k)], one, buffers.of(k));
            for (std::int64_t k = 0; k < count; ++k) {
                kernels().multiply(second_->data() + one.place, buffers.pointers[at(k)], one.count,
                                   buffers.scaled);
                kernels().dots(buffers.scaled, buffers.pointers.data(), k + 1, one.count, partial);
                partial += k + 1;
            }
        });
    const double whole = total(stride);
    std::vector<double> matrix(at(count * count));
    std::size_t next = 0;
    for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t j = 0; j <= i; ++j)
            matrix[at(i * count + j)] = matrix[at(j * count + i)] = sums[next++] / whole;
    return matrix;
}

}  // namespace mlestar::ensemble
