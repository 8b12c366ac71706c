// Loops over one column's values.
#pragma once

#include <cstdint>

namespace mlestar::preprocessing {

inline constexpr std::int64_t quantile_bins = 2048;

struct quantiles_kernels {
    // Copies what is not missing; returns how many. `wrong` is set where a value may not be there.
    std::int64_t (*present)(const double* x, std::int64_t count, double* target, bool* wrong);
    std::int64_t (*other_than)(const double* x, std::int64_t count, double missing, double* target,
                               bool* wrong);
    void (*range)(const double* x, std::int64_t count, double* low, double* high);
    // By bins of equal width from `low` on: `scale` bins to a unit.
    void (*count_bins)(const double* x, std::int64_t count, double low, double scale,
                       std::int64_t* counts);
    std::int64_t (*take_bins)(const double* x, std::int64_t count, double low, double scale,
                              const std::uint8_t* wanted, double* target);
    // Ascending; `scratch` and `keys` have room for as many.
    void (*sort)(double* x, std::int64_t count, std::uint64_t* keys, std::uint64_t* scratch);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
#include "support/sort.hpp"

namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

std::int64_t present(const double* x, std::int64_t count, double* target, bool* wrong) {
    std::int64_t kept = 0;
    std::uint64_t infinite = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        target[kept] = x[i];
        kept += x[i] == x[i] ? 1 : 0;
        infinite |= ((__builtin_bit_cast(std::uint64_t, x[i]) << 1 >> 1) ^ 0x7FF0000000000000) - 1;
    }
    *wrong |= infinite >> 63 != 0;
    return kept;
}

std::int64_t other_than(const double* x, std::int64_t count, double missing, double* target,
                        bool* wrong) {
    std::int64_t kept = 0;
    std::uint64_t nonfinite = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        target[kept] = x[i];
        kept += x[i] == missing ? 0 : 1;
        nonfinite |= 0x7FEFFFFFFFFFFFFF - (__builtin_bit_cast(std::uint64_t, x[i]) << 1 >> 1);
    }
    *wrong |= nonfinite >> 63 != 0;
    return kept;
}

void range(const double* x, std::int64_t count, double* low, double* high) {
    constexpr int lanes = 8;
    double least[lanes], most[lanes];
    for (int l = 0; l < lanes; ++l) least[l] = most[l] = x[0];
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int l = 0; l < lanes; ++l) {
            least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
            most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
        }
    }
    for (; i < count; ++i) {
        least[0] = x[i] < least[0] ? x[i] : least[0];
        most[0] = x[i] > most[0] ? x[i] : most[0];
    }
    for (int l = 1; l < lanes; ++l) {
        least[0] = least[l] < least[0] ? least[l] : least[0];
        most[0] = most[l] > most[0] ? most[l] : most[0];
    }
    *low = least[0];
    *high = most[0];
}

// Never descends where x ascends, so values of different bins are in the bins' order.
inline std::int32_t bin_of_value(double x, double low, double scale) {
    const double place = (x - low) * scale;
    constexpr double last = static_cast<double>(quantile_bins - 1);
    return static_cast<std::int32_t>(place < last ? place : last);
}

void count_bins(const double* x, std::int64_t count, double low, double scale,
                std::int64_t* counts) {
    // Four tables, so that neighbours of one bin do not wait for each other.
    static_assert(quantile_bins * 4 * sizeof(std::uint32_t) <= 32768);
    std::uint32_t table[4][quantile_bins];
    constexpr std::int64_t at_once = std::int64_t{1} << 31;
    for (std::int64_t from = 0; from < count; from += at_once) {
        const std::int64_t end = count - from < at_once ? count : from + at_once;
        for (auto& one : table)
            for (std::int64_t b = 0; b < quantile_bins; ++b) one[b] = 0;
        std::int64_t i = from;
        for (; i + 4 <= end; i += 4)
            for (int t = 0; t < 4; ++t) ++table[t][bin_of_value(x[i + t], low, scale)];
        for (; i < end; ++i) ++table[0][bin_of_value(x[i], low, scale)];
        for (std::int64_t b = 0; b < quantile_bins; ++b)
            for (auto& one : table) counts[b] += one[b];
    }
}

std::int64_t take_bins(const double* x, std::int64_t count, double low, double scale,
                       const std::uint8_t* wanted, double* target) {
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        target[kept] = x[i];
        kept += wanted[bin_of_value(x[i], low, scale)];
    }
    return kept;
}

void sort(double* x, std::int64_t count, std::uint64_t* keys, std::uint64_t* scratch) {
    for (std::int64_t i = 0; i < count; ++i) keys[i] = order_key(x[i]);
    sort_into(keys, count, scratch);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto ordered = static_cast<std::int64_t>(scratch[i] ^ sign64);
        const std::int64_t bits =
            ordered ^ static_cast<std::int64_t>(static_cast<std::uint64_t>(ordered >> 63) >> 1);
        x[i] = __builtin_bit_cast(double, bits);
    }
}

}  // namespace

extern const quantiles_kernels quantiles_kernels_table;
const quantiles_kernels quantiles_kernels_table = {present,    other_than, range,
                                                   count_bins, take_bins,  sort};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
