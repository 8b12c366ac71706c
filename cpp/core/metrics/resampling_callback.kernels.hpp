// The rows of a resample, one after the other, as a function of arrays takes them.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

struct resampling_callback_kernels {
    // Writes the number of each row in [first, last) as often as its unit counts, and returns how
    // many that are; unit may be null: the row. `chosen` has room for three more.
    std::int64_t (*expand)(const std::uint8_t* counts, const std::int32_t* unit, std::int64_t first,
                           std::int64_t last, std::int32_t* chosen);
    void (*take)(const double* values, const std::int32_t* chosen, std::int64_t size,
                 double* taken);
    // heads[i] == 1: the values of row i trade places. unit may be null: the row.
    void (*trade)(const std::uint8_t* heads, const std::int32_t* unit, const double* first,
                  const double* second, std::int64_t rows, double* first_traded,
                  double* second_traded);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

// Three writes, whatever the count: one row in fifty counts more, and no branch tells the others
// apart.
inline std::int64_t write_row(std::int32_t* chosen, std::int64_t at, std::int32_t row, int count) {
    chosen[at] = row;
    chosen[at + 1] = row;
    chosen[at + 2] = row;
    for (int again = 3; again < count; ++again) chosen[at + again] = row;
    return at + count;
}

std::int64_t expand(const std::uint8_t* counts, const std::int32_t* unit, std::int64_t first,
                    std::int64_t last, std::int32_t* chosen) {
    std::int64_t at = 0;
    if (unit == nullptr) {
        for (std::int64_t i = first; i < last; ++i)
            at = write_row(chosen, at, static_cast<std::int32_t>(i), counts[i]);
        return at;
    }
    for (std::int64_t i = first; i < last; ++i)
        at = write_row(chosen, at, static_cast<std::int32_t>(i), counts[unit[i]]);
    return at;
}

void take(const double* values, const std::int32_t* chosen, std::int64_t size, double* taken) {
    for (std::int64_t i = 0; i < size; ++i) taken[i] = values[chosen[i]];
}

void trade(const std::uint8_t* heads, const std::int32_t* unit, const double* first,
           const double* second, std::int64_t rows, double* first_traded, double* second_traded) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const bool swapped = heads[unit == nullptr ? i : unit[i]] != 0;
        const double a = first[i];
        const double b = second[i];
        first_traded[i] = swapped ? b : a;
        second_traded[i] = swapped ? a : b;
    }
}

}  // namespace

extern const resampling_callback_kernels resampling_callback_kernels_table;
const resampling_callback_kernels resampling_callback_kernels_table = {expand, take, trade};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
