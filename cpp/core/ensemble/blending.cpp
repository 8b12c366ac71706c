#include "ensemble/blending.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "ensemble/blending.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::ensemble {

MLESTAR_SELECT_KERNELS(blending_kernels)

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::string shape(const matrix_view& view) {
    return "(" + std::to_string(view.rows) + ", " + std::to_string(view.columns) + ")";
}

}  // namespace

void weighted_sum(const std::vector<matrix_view>& predictions, const std::vector<double>& weights,
                  double* target) {
    if (predictions.empty())
        throw argument_error("predictions is empty, but must hold at least one model");
    if (weights.size() != predictions.size())
        throw argument_error("weights holds " + std::to_string(weights.size()) +
                             " values, but must hold one for each of " +
                             std::to_string(predictions.size()) + " models");
    const std::int64_t rows = predictions.front().rows, columns = predictions.front().columns;
    std::vector<const matrix_view*> used;
    std::vector<double> shares;
    for (std::size_t j = 0; j < predictions.size(); ++j) {
        const matrix_view& one = predictions[j];
        if (one.rows != rows || one.columns != columns)
            throw argument_error("predictions[" + std::to_string(j) + "] has shape " + shape(one) +
                                 ", but must have " + shape(predictions.front()));
        if (!std::isfinite(weights[j]))
            throw argument_error("weights holds NaN or infinity, but must be finite");
        if (weights[j] == 0.0) continue;
        used.push_back(&one);
        shares.push_back(weights[j]);
    }
    if (used.empty()) {
        std::fill_n(target, rows * columns, 0.0);
        return;
    }
    const auto models = static_cast<std::int64_t>(used.size());
    const std::int64_t of_block = std::max<std::int64_t>(1, block_size / columns);
    constexpr std::int64_t blocks_at_once = 16;
    const std::int64_t of_task = of_block * blocks_at_once;
    parallel_for((rows + of_task - 1) / of_task,
                 [&](std::int64_t task) {
                     const std::int64_t room = of_block * columns;
                     scratch_array<double> buffer(at(models * room));
                     std::vector<const double*> source(at(models));
                     const std::int64_t last = std::min(rows, (task + 1) * of_task);
                     for (std::int64_t row = task * of_task; row < last; row += of_block) {
                         const std::int64_t count = std::min(of_block, last - row);
                         for (std::int64_t j = 0; j < models; ++j)
                             source[at(j)] =
                                 load_rows_f64(*used[at(j)], row, count, buffer.data() + j * room);
                         kernels().combine(source.data(), shares.data(), models, count * columns,
                                           target + row * columns);
                     }
                 },
                 rows * columns * models < serial_below);
}

}  // namespace mlestar::ensemble
