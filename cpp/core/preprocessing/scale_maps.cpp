#include <algorithm>
#include <limits>

#include "preprocessing/scale.hpp"
#include "preprocessing/scale.kernels.hpp"
#include "preprocessing/scale_tiles.hpp"
#include "support/levels.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(scale_kernels)

namespace {

bool all_single(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double v) {
        return v != v || static_cast<double>(static_cast<float>(v)) == v;
    });
}

// Whether a result that lies where x does may be written: what x holds is looked at before.
template <class Wrong>
bool may_write(const matrix_view& x, const result_view& result, const result_tiles& tiles,
               Wrong wrong) {
    if (x.data != result.data) return true;
    return tiles.all([&](const tile& part) {
        double buffer[tile_elements];
        return !wrong(tiles.load(part, buffer), part.count);
    });
}

bool scale_f64(const result_tiles& tiles, const scale_plan& plan) {
    const auto map = kernels().map_f64[static_cast<int>(plan.map)];
    const auto first = tiles.spread<double>(plan.first);
    const auto second = tiles.spread<double>(plan.second);
    return tiles.all([&](const tile& part) {
        alignas(64) double buffer[tile_elements], made[tile_elements];
        const std::int64_t place = tiles.place_of(part);
        if (map(tiles.load(part, buffer), part.count, tiles.width_of(part), first.data() + place,
                second.data() + place, made))
            return false;
        if (plan.clips) kernels().clip_f64(made, part.count, plan.low, plan.high);
        tiles.store(part, made);
        return true;
    });
}

// Both kinds of kernel give the same bits where parameters are numbers of float32.
bool scale_f32(const result_tiles& tiles, const scale_plan& plan) {
    const auto map = static_cast<int>(plan.map);
    const auto first = tiles.spread<double>(plan.first);
    const auto second = tiles.spread<double>(plan.second);
    const auto first_single = tiles.spread<float>(plan.first);
    const auto second_single = tiles.spread<float>(plan.second);
    const bool single = all_single(plan.first) && all_single(plan.second);
    return tiles.all([&](const tile& part) {
        alignas(64) float made[tile_elements];
        const std::int64_t place = tiles.place_of(part), width = tiles.width_of(part);
        const float* const x = single ? tiles.in_place_f32(part) : nullptr;
        bool infinite;
        if (x != nullptr) {
            infinite = kernels().map_f32[map](x, part.count, width, first_single.data() + place,
                                              second_single.data() + place, made);
        } else {
            alignas(64) double buffer[tile_elements];
            infinite = kernels().map_read[map](tiles.load(part, buffer), part.count, width,
                                               first.data() + place, second.data() + place, made);
        }
        if (infinite) return false;
        if (plan.clips)
            kernels().clip_f32(made, part.count, static_cast<float>(plan.low),
                               static_cast<float>(plan.high));
        tiles.store(part, made);
        return true;
    });
}

// As scikit-learn: what is next to zero does not divide.
void mend_norms(double* norms, std::int64_t rows, dtype type) {
    const double epsilon = type == dtype::f64
                               ? std::numeric_limits<double>::epsilon()
                               : static_cast<double>(std::numeric_limits<float>::epsilon());
    for (std::int64_t i = 0; i < rows; ++i) {
        if (type == dtype::f32) norms[i] = static_cast<double>(static_cast<float>(norms[i]));
        if (norms[i] < 10.0 * epsilon) norms[i] = 1.0;
    }
}

}  // namespace

bool scale_into(const matrix_view& x, const scale_plan& plan, const result_view& result) {
    const result_tiles tiles(x, result);
    if (!may_write(x, result, tiles, kernels().holds_infinity)) return false;
    return result.type == dtype::f64 ? scale_f64(tiles, plan) : scale_f32(tiles, plan);
}

// The norms of all rows first, which also tells whether there is anything that is not finite.
bool normalize_into(const matrix_view& x, row_norm norm, const result_view& result) {
    const auto norms_of = kernels().norms[static_cast<int>(norm)];
    scratch_array<double> norms(static_cast<std::size_t>(x.rows));
    const long_rows rows = long_rows_of(x.columns);
    const std::int64_t tasks = (x.rows + rows.task - 1) / rows.task;
    std::vector<std::uint8_t> wrong(static_cast<std::size_t>(tasks));
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t first = task * rows.task;
            const std::int64_t last = std::min(x.rows, first + rows.task);
            const std::int64_t most = std::min(rows.block, last - first);
            scratch_array<double> buffer(static_cast<std::size_t>(most * x.columns));
            for (std::int64_t at = first; at < last; at += rows.block) {
                const std::int64_t count = std::min(rows.block, last - at);
                const double* loaded = load_rows_f64(x, at, count, buffer.data());
                if (norms_of(loaded, count, x.columns, &norms[static_cast<std::size_t>(at)]))
                    wrong[static_cast<std::size_t>(task)] = 1;
            }
            mend_norms(&norms[static_cast<std::size_t>(first)], last - first, result.type);
        },
        tasks == 1);
    if (std::find(wrong.begin(), wrong.end(), 1) != wrong.end()) return false;
    const result_tiles tiles(x, result);
    return tiles.all([&](const tile& part) {
        alignas(64) double buffer[tile_elements], made[tile_elements];
        const double* loaded = tiles.load(part, buffer);
        // A part of a column has as many norms as elements; rows, and parts of one, have their own.
        const std::int64_t row = result.by_columns ? part.place : part.line;
        const std::int64_t columns = result.by_columns ? 1 : std::min(x.columns, part.count);
        const double* of_rows = &norms[static_cast<std::size_t>(row)];
        if (result.type == dtype::f64)
            kernels().divide_rows_f64(loaded, part.count / columns, columns, of_rows, made);
        else
            kernels().divide_rows_f32(loaded, part.count / columns, columns, of_rows,
                                      reinterpret_cast<float*>(made));
        tiles.store(part, made);
        return true;
    });
}

bool binarize_into(const matrix_view& x, double threshold, const result_view& result) {
    const result_tiles tiles(x, result);
    if (!may_write(x, result, tiles, kernels().not_finite)) return false;
    return tiles.all([&](const tile& part) {
        if (result.type == dtype::f64) {
            alignas(64) double buffer[tile_elements], made[tile_elements];
            if (kernels().binarize_f64(tiles.load(part, buffer), part.count, threshold, made))
                return false;
            tiles.store(part, made);
            return true;
        }
        alignas(64) float made[tile_elements];
        alignas(64) float read[tile_elements];
        const float* x_single = tiles.in_place_f32(part);
        if (x_single == nullptr) {
            alignas(64) double buffer[tile_elements];
            const double* loaded = tiles.load(part, buffer);
            std::transform(loaded, loaded + part.count, read,
                           [](double v) { return static_cast<float>(v); });
            x_single = read;
        }
        if (kernels().binarize_f32(x_single, part.count, static_cast<float>(threshold), made))
            return false;
        tiles.store(part, made);
        return true;
    });
}

}  // namespace mlestar::preprocessing
