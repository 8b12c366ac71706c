#include "preprocessing/impute.hpp"

#include <algorithm>

#include "preprocessing/impute.kernels.hpp"
#include "preprocessing/scale_tiles.hpp"
#include "support/levels.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(impute_kernels)

bool fill_into(const matrix_view& x, const std::vector<double>& values, double missing,
               const result_view& result) {
    const result_tiles tiles(x, result);
    const bool of_nan = missing != missing;
    const auto fill = of_nan ? kernels().fill_nan_f64 : kernels().fill_number_f64;
    const auto fill_single = of_nan ? kernels().fill_nan_f32 : kernels().fill_number_f32;
    const auto spread = tiles.spread<double>(values);
    const auto spread_single = tiles.spread<float>(values);
    // As NumPy compares: the number rounded to the type of the data.
    const auto missing_single = static_cast<float>(missing);
    const auto write = [&](bool writes) {
        return tiles.all([&](const tile& part) {
            alignas(64) double buffer[tile_elements], made[tile_elements];
            const std::int64_t place = tiles.place_of(part), width = tiles.width_of(part);
            const float* const single = tiles.in_place_f32(part);
            bool wrong;
            if (result.type == dtype::f32) {
                alignas(64) float read[tile_elements];
                const float* from = single;
                if (from == nullptr) {
                    const double* loaded = tiles.load(part, buffer);
                    std::transform(loaded, loaded + part.count, read,
                                   [](double v) { return static_cast<float>(v); });
                    from = read;
                }
                wrong = fill_single(from, part.count, width, spread_single.data() + place,
                                    missing_single, reinterpret_cast<float*>(made));
            } else {
                wrong = fill(tiles.load(part, buffer), part.count, width, spread.data() + place,
                             missing, made);
            }
            if (wrong) return false;
            if (writes) tiles.store(part, made);
            return true;
        });
    };
    return (x.data != result.data || write(false)) && write(true);
}

}  // namespace mlestar::preprocessing
