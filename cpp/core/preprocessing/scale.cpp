#include "preprocessing/scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "preprocessing/scale.kernels.hpp"
#include "preprocessing/scale_tiles.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(scale_kernels)

namespace {

using moments_list = std::vector<column_moments>;

bool fits(const matrix_view& x, const vector_view& weight) {
    return x.rows > 0 && x.columns > 0 && (!weight || weight.size == x.rows);
}

// Whether columns lie one after the other: each is then read as a table of one.
bool by_columns(const matrix_view& x) {
    return x.columns > 1 && x.row_stride == static_cast<std::int64_t>(size_of(x.type)) &&
           x.rows > 1;
}

matrix_view column_of(const matrix_view& x, std::int64_t j) {
    return {x.data + j * x.column_stride, x.type, x.rows, 1, x.row_stride, x.row_stride};
}

compensated reciprocal_of_weight(const column_moments& moments) {
    return compensated{1.0, 0.0} / moments.weight;
}

// Sums of the places of a long row, folded into columns.
class place_sums {
public:
    explicit place_sums(std::int64_t width)
        : high_(static_cast<std::size_t>(width)), low_(static_cast<std::size_t>(width)) {}

    void clear() {
        std::fill(high_.begin(), high_.end(), 0.0);
        std::fill(low_.begin(), low_.end(), 0.0);
    }
    double* high() { return high_.data(); }
    double* low() { return low_.data(); }
    compensated column(std::size_t j, std::size_t columns) const {
        compensated sum = exact_add(high_[j], low_[j]);
        for (std::size_t place = j + columns; place < high_.size(); place += columns)
            sum = sum + exact_add(high_[place], low_[place]);
        return sum;
    }

private:
    std::vector<double> high_, low_;
};

// The moments of one task's rows, a block at a time: its means first, from memory, then the squares
// about them, from the caches.
class block_moments {
public:
    block_moments(const matrix_view& x, const vector_view& weight)
        : x_(x),
          weight_(weight),
          rows_(long_rows_of(x.columns)),
          columns_(static_cast<std::size_t>(x.columns)),
          sums_(rows_.width),
          counts_(rows_.width),
          mean_(static_cast<std::size_t>(rows_.width)),
          part_(static_cast<std::size_t>(rows_.width)),
          block_(columns_),
          buffer_(static_cast<std::size_t>(std::min(rows_.block, x.rows) * x.columns)),
          weights_(weight ? buffer_.size() : 0) {}

    // False where a value is infinite or a sum overflows.
    bool add(std::int64_t first, std::int64_t count, moments_list& whole) {
        const double* x = load_rows_f64(x_, first, count, buffer_.data());
        const double* w = weight_ ? spread_weights(first, count) : nullptr;
        const std::int64_t size = count * x_.columns;
        if (!sum(x, w, size, count)) return false;
        sums_.clear();
        if (masked_)
            kernels().square_present(x, w, mean_.data(), size, rows_.width, sums_.high(),
                                     sums_.low(), part_.data());
        else
            kernels().square(x, mean_.data(), size, rows_.width, sums_.high(), sums_.low(),
                             part_.data());
        for (std::size_t j = 0; j < columns_; ++j) {
            column_moments& block = block_[j];
            if (block.weight.high == 0.0) continue;
            // The mean was rounded: what that adds to the squares is taken off again.
            const compensated lost = block.sum - block.weight * compensated{mean_[j], 0.0};
            block.square = sums_.column(j, columns_) - lost * lost * reciprocal_of_weight(block);
            if (!(block.square.high >= 0.0) && !weight_) block.square = {};
            if (!std::isfinite(block.square.high)) return false;
            whole[j].merge(block);
        }
        return true;
    }

private:
    bool sum(const double* x, const double* w, std::int64_t size, std::int64_t count) {
        masked_ = w != nullptr;
        if (!masked_) {
            sums_.clear();
            kernels().sum(x, size, rows_.width, sums_.high(), sums_.low());
            for (std::size_t j = 0; j < columns_; ++j) {
                block_[j] = {{static_cast<double>(count), 0.0}, sums_.column(j, columns_), {}};
                masked_ |= !std::isfinite(block_[j].sum.high);
            }
        }
        if (masked_) {
            sums_.clear();
            counts_.clear();
            kernels().sum_present(x, w, size, rows_.width, sums_.high(), sums_.low(),
                                  counts_.high(), counts_.low());
            for (std::size_t j = 0; j < columns_; ++j)
                block_[j] = {counts_.column(j, columns_), sums_.column(j, columns_), {}};
        }
        for (std::size_t place = 0; place < mean_.size(); ++place) {
            const column_moments& block = block_[place % columns_];
            if (!std::isfinite(block.sum.high) || !std::isfinite(block.weight.high)) return false;
            mean_[place] =
                block.weight.high == 0.0 ? 0.0 : block.sum.value() / block.weight.value();
        }
        return true;
    }

    const double* spread_weights(std::int64_t first, std::int64_t count) {
        double* target = weights_.data();
        double loaded[block_size];
        for (std::int64_t done = 0; done < count; done += block_size) {
            const std::int64_t some = std::min(block_size, count - done);
            const double* w = load_f64(weight_, first + done, some, loaded);
            for (std::int64_t i = 0; i < some; ++i, target += x_.columns)
                std::fill_n(target, x_.columns, w[i]);
        }
        return weights_.data();
    }

    const matrix_view& x_;
    const vector_view& weight_;
    long_rows rows_;
    std::size_t columns_;
    place_sums sums_, counts_;
    std::vector<double> mean_, part_;
    moments_list block_;
    scratch_array<double> buffer_, weights_;
    bool masked_ = false;
};

}  // namespace

void column_moments::merge(const column_moments& other) {
    if (other.weight.high == 0.0) return;
    if (weight.high == 0.0) {
        *this = other;
        return;
    }
    const compensated total = weight + other.weight;
    const compensated delta = other.sum / other.weight - sum / weight;
    square = square + other.square + delta * delta * (weight * other.weight / total);
    sum = sum + other.sum;
    weight = total;
}

std::optional<std::vector<column_moments>> moments_of(const matrix_view& x,
                                                      const vector_view& weight) {
    if (!fits(x, weight)) return std::nullopt;
    if (by_columns(x)) {
        moments_list all;
        for (std::int64_t j = 0; j < x.columns; ++j) {
            const auto one = moments_of(column_of(x, j), weight);
            if (!one) return std::nullopt;
            all.push_back(one->front());
        }
        return all;
    }
    const long_rows rows = long_rows_of(x.columns);
    const std::int64_t tasks = (x.rows + rows.task - 1) / rows.task;
    const auto columns = static_cast<std::size_t>(x.columns);
    std::vector<moments_list> partials(static_cast<std::size_t>(tasks));
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            moments_list whole(columns);
            block_moments block(x, weight);
            const std::int64_t last = std::min(x.rows, (task + 1) * rows.task);
            for (std::int64_t at = task * rows.task; at < last; at += rows.block)
                if (!block.add(at, std::min(rows.block, last - at), whole)) return;
            partials[static_cast<std::size_t>(task)] = std::move(whole);
        },
        tasks == 1);
    moments_list result(columns);
    for (const moments_list& part : partials) {
        if (part.empty()) return std::nullopt;
        for (std::size_t j = 0; j < columns; ++j) result[j].merge(part[j]);
    }
    return result;
}

std::optional<column_extremes> extremes_of(const matrix_view& x) {
    if (!fits(x, {})) return std::nullopt;
    if (by_columns(x)) {
        column_extremes all;
        for (std::int64_t j = 0; j < x.columns; ++j) {
            const auto one = extremes_of(column_of(x, j));
            if (!one) return std::nullopt;
            all.low.push_back(one->low.front());
            all.high.push_back(one->high.front());
        }
        return all;
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const long_rows rows = long_rows_of(x.columns);
    const std::int64_t tasks = (x.rows + rows.task - 1) / rows.task;
    const auto width = static_cast<std::size_t>(rows.width);
    std::vector<std::vector<double>> low(static_cast<std::size_t>(tasks)), high(low);
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            std::vector<double> least(width, infinity), most(width, -infinity);
            const std::int64_t most_rows = std::min(rows.block, x.rows);
            scratch_array<double> buffer(static_cast<std::size_t>(most_rows * x.columns));
            const std::int64_t last = std::min(x.rows, (task + 1) * rows.task);
            for (std::int64_t at = task * rows.task; at < last; at += rows.block) {
                const std::int64_t count = std::min(rows.block, last - at);
                kernels().extremes(load_rows_f64(x, at, count, buffer.data()), count * x.columns,
                                   rows.width, least.data(), most.data());
            }
            low[static_cast<std::size_t>(task)] = std::move(least);
            high[static_cast<std::size_t>(task)] = std::move(most);
        },
        tasks == 1);
    const auto columns = static_cast<std::size_t>(x.columns);
    column_extremes result{std::vector<double>(columns, infinity),
                           std::vector<double>(columns, -infinity)};
    for (std::size_t task = 0; task < low.size(); ++task) {
        for (std::size_t place = 0; place < width; ++place) {
            const std::size_t j = place % columns;
            result.low[j] = std::min(result.low[j], low[task][place]);
            result.high[j] = std::max(result.high[j], high[task][place]);
        }
    }
    for (std::size_t j = 0; j < columns; ++j)
        if (result.low[j] == -infinity || result.high[j] == infinity) return std::nullopt;
    return result;
}

}  // namespace mlestar::preprocessing
