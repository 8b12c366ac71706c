#include "preprocessing/quantiles_map.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>

#include "preprocessing/quantiles_map.kernels.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"
#include "support/stream.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(quantiles_map_kernels)

namespace {

// Of every column, what the kernels look at.
struct column_knots {
    std::vector<double> knots, slopes, lowest;
};

std::vector<column_knots> knots_of(const quantile_plan& plan, std::int64_t columns) {
    const std::size_t count = plan.shares.size();
    const std::size_t room = std::bit_ceil(count + 1) - 1;
    std::vector<column_knots> result(static_cast<std::size_t>(columns));
    for (std::size_t j = 0; j < result.size(); ++j) {
        auto& [knots, slopes, lowest] = result[j];
        const double* given = &plan.knots[j * count];
        knots.assign(given, given + count);
        knots.resize(room, std::numeric_limits<double>::infinity());
        slopes.assign(count, 0.0);
        lowest.assign(plan.shares.begin(), plan.shares.end());
        for (std::size_t k = 1; k < count; ++k) {
            slopes[k - 1] = (plan.shares[k] - plan.shares[k - 1]) / (given[k] - given[k - 1]);
            if (given[k] == given[k - 1]) lowest[k] = lowest[k - 1];
        }
    }
    return result;
}

template <class T>
void put(const double* values, std::int64_t count, std::byte* target, std::int64_t step) {
    auto* const to = reinterpret_cast<T*>(target);
    for (std::int64_t i = 0; i < count; ++i) to[i * step] = static_cast<T>(values[i]);
}

// body(first row, rows, scratch bytes) for blocks of rows; false where it is for any.
template <class Body>
bool over_row_blocks(std::int64_t rows, std::int64_t columns, std::int64_t row_bytes, Body body) {
    const std::int64_t block = std::clamp<std::int64_t>(4 * block_size / columns, 16, block_size);
    const std::int64_t task = block * std::max<std::int64_t>(1, task_size / (block * columns + 1));
    std::atomic<bool> good{true};
    parallel_for(
        (rows + task - 1) / task,
        [&](std::int64_t number) {
            const std::int64_t last = std::min(rows, (number + 1) * task);
            const std::int64_t most = std::min(block, last - number * task);
            scratch_array<double> scratch(static_cast<std::size_t>((most * row_bytes + 7) / 8));
            for (std::int64_t at = number * task; at < last && good; at += block)
                if (!body(at, std::min(block, last - at),
                          reinterpret_cast<std::byte*>(scratch.data())))
                    good = false;
            streamed();
        },
        rows * columns < serial_below / 8);
    return good;
}

}  // namespace

bool quantile_map_into(const matrix_view& x, const quantile_plan& plan, const result_view& result) {
    const auto columns = knots_of(plan, x.columns);
    const auto count = static_cast<std::int64_t>(plan.shares.size());
    const auto half = static_cast<std::int64_t>(std::bit_ceil(plan.shares.size() + 1) / 2);
    const auto item = static_cast<std::int64_t>(size_of(result.type));
    const std::int64_t width = x.columns * item;
    const bool single = result.type == dtype::f32;
    const auto store = single ? put<float> : put<double>;
    if (x.data == result.data) {
        const bool finite = over_row_blocks(x.rows, x.columns, 0, [&](auto at, auto some, auto*) {
            double buffer[block_size];
            for (std::int64_t j = 0; j < x.columns; ++j)
                if (kernels().holds_infinity(load_f64(x.column(j), at, some, buffer), some))
                    return false;
            return true;
        });
        if (!finite) return false;
    }
    return over_row_blocks(x.rows, x.columns, width, [&](auto first, auto some, auto* scratch) {
        double buffer[block_size], made[block_size];
        for (std::int64_t j = 0; j < x.columns; ++j) {
            const auto& [knots, slopes, lowest] = columns[static_cast<std::size_t>(j)];
            const double* const loaded = load_f64(x.column(j), first, some, buffer);
            if (kernels().shares_of(
                    loaded, some,
                    {knots.data(), plan.shares.data(), slopes.data(), lowest.data(), count, half},
                    made))
                return false;
            const double low = knots[0], high = knots[static_cast<std::size_t>(count) - 1];
            if (plan.normal) {
                kernels().cut_ends(loaded, some, low, high, single, made);
                kernels().normal_of(made, some, plan.low, plan.high, single);
            } else {
                kernels().equal_ends(loaded, some, low, high, made);
            }
            if (result.by_columns)
                store(made, some, result.data + (j * x.rows + first) * item, 1);
            else
                store(made, some, scratch + j * item, x.columns);
        }
        if (result.by_columns) return true;
        std::byte* const target = result.data + first * width;
        if (x.rows * width >= stream_above)
            stream(target, scratch, some * width);
        else
            std::memcpy(target, scratch, static_cast<std::size_t>(some * width));
        return true;
    });
}

}  // namespace mlestar::preprocessing
