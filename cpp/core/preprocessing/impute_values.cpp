#include <algorithm>

#include "preprocessing/impute.hpp"
#include "preprocessing/quantiles.kernels.hpp"
#include "preprocessing/quantiles_columns.hpp"
#include "support/levels.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(quantiles_kernels)

namespace {

value_counts runs_of(const std::vector<double>& sorted) {
    value_counts result;
    for (const double value : sorted) {
        if (result.values.empty() || result.values.back() != value) {
            result.values.push_back(value);
            result.counts.push_back(0);
        }
        ++result.counts.back();
    }
    return result;
}

}  // namespace

// Sorting makes one value of the zeros of either sign.
std::optional<std::vector<value_counts>> values_of(const matrix_view& x) {
    std::vector<value_counts> result(static_cast<std::size_t>(x.columns));
    if (!extremes_of(x)) return std::nullopt;
    over_column_groups(x, [&](std::int64_t first, std::int64_t count) {
        std::vector<std::vector<double>> values(static_cast<std::size_t>(count));
        double buffer[block_size], kept[block_size];
        for (std::int64_t at = 0; at < x.rows; at += block_size) {
            const std::int64_t some = std::min(block_size, x.rows - at);
            for (std::int64_t j = 0; j < count; ++j) {
                auto& column = values[static_cast<std::size_t>(j)];
                const double* loaded = load_f64(x.column(first + j), at, some, buffer);
                bool wrong = false;
                const std::int64_t present = kernels().present(loaded, some, kept, &wrong);
                column.insert(column.end(), kept, kept + present);
            }
        }
        std::vector<std::uint64_t> keys, scratch;
        for (std::int64_t j = 0; j < count; ++j) {
            auto& column = values[static_cast<std::size_t>(j)];
            keys.resize(column.size());
            scratch.resize(column.size());
            kernels().sort(column.data(), static_cast<std::int64_t>(column.size()), keys.data(),
                           scratch.data());
            result[static_cast<std::size_t>(first + j)] = runs_of(column);
            column = {};
        }
    });
    return result;
}

}  // namespace mlestar::preprocessing
