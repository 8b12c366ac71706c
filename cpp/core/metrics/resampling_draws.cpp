#include "metrics/resampling_draws.hpp"

#include <algorithm>
#include <cmath>

#include "metrics/resampling_draws.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(resampling_draws_kernels)

namespace {

// Below it single draws cost less.
constexpr std::int64_t smallest_poisson = 512;
// How far the mean of the Poisson sum lies below the size, in standard deviations: one sum in
// 30 000 is above the size and drawn again.
constexpr double margin = 4.0;

poisson_table table_of(std::int64_t size) {
    const double mean = 1.0 - margin / std::sqrt(static_cast<double>(size));
    poisson_table table;
    double left_out[most_outcomes];
    double probability = exp(-mean);
    double all_left_out = 0.0;
    double cells = 0.0;
    for (int k = 0; k < most_outcomes; ++k) {
        const double whole = k < whole_outcomes ? std::floor(probability * 65536.0) : 0.0;
        if (k < whole_outcomes) {
            cells += whole;
            table.last[k] = static_cast<std::int16_t>(cells - 1.0 - 32768.0);
        }
        left_out[k] = probability - whole / 65536.0;
        all_left_out += left_out[k];
        probability *= mean / (k + 1);
    }
    double below = 0.0;
    for (int k = 0; k < most_outcomes; ++k) {
        below += left_out[k];
        const double share = below / all_left_out;
        table.residual[k] =
            share < 1.0 ? static_cast<std::uint64_t>(share * 0x1p64) : ~std::uint64_t{0};
    }
    return table;
}

}  // namespace

resample_plan::resample_plan(draw_kind kind, std::vector<std::int64_t> sizes, std::uint64_t seed)
    : kind_(kind), sizes_(std::move(sizes)), seed_(seed) {
    constexpr std::int64_t most = (std::int64_t{1} << 31) - 1;
    for (const std::int64_t size : sizes_) {
        if (size < 1) throw argument_error("sizes holds a stratum without units");
        if (size > most - units_)
            throw argument_error(
                "sizes amount to 2^31 units or more; at most 2^31 - 1 can be drawn");
        units_ += size;
        if (kind_ == draw_kind::bootstrap && size >= smallest_poisson)
            tables_.push_back(table_of(size));
    }
    if (units_ == 0) throw argument_error("sizes is empty; at least one unit is needed");
}

resample_plan::~resample_plan() = default;

void resample_plan::draw(std::int64_t resample, std::uint8_t* counts) const {
    const auto& kernel = kernels();
    random_lanes lanes;
    kernel.seed(&lanes, seed_, static_cast<std::uint64_t>(resample));
    if (kind_ == draw_kind::swap) {
        kernel.coins(&lanes, counts, units_);
        return;
    }
    auto table = tables_.begin();
    for (const std::int64_t size : sizes_) {
        std::int64_t drawn = 0;
        if (size >= smallest_poisson) {
            do {
                drawn = kernel.poisson(&lanes, &*table, counts, size);
            } while (drawn > size);
            ++table;
        } else {
            std::fill(counts, counts + size, std::uint8_t{0});
        }
        kernel.add_uniform(&lanes, counts, size, size - drawn);
        counts += size;
    }
}

}  // namespace mlestar::metrics
