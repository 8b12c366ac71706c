// Counting loops over pairs of labels.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar::metrics {

struct classification_kernels {
    std::int64_t (*equal)(const std::int64_t* a, const std::int64_t* b, std::int64_t count);
    double (*equal_weight)(const std::int64_t* a, const std::int64_t* b, const double* weight,
                           std::int64_t count, double* total);
    // Adds the block's pairs to `tables` interleaved tables of width * width counts.
    void (*pairs)(const std::int64_t* truth, const std::int64_t* predicted, std::int64_t count,
                  std::int64_t minimum, std::int64_t width, int tables, std::uint32_t* cells);
    void (*pairs_weight)(const std::int64_t* truth, const std::int64_t* predicted,
                         const double* weight, std::int64_t count, std::int64_t minimum,
                         std::int64_t width, double* cells, std::uint8_t* seen);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

std::int64_t equal(const std::int64_t* a, const std::int64_t* b, std::int64_t count) {
    std::int64_t same = 0;
    for (std::int64_t i = 0; i < count; ++i) same += a[i] == b[i] ? 1 : 0;
    return same;
}

double equal_weight(const std::int64_t* a, const std::int64_t* b, const double* weight,
                    std::int64_t count, double* total) {
    constexpr std::int64_t longest = 1024;  // a block
    double counted[longest];
    for (std::int64_t i = 0; i < count; ++i) counted[i] = a[i] == b[i] ? weight[i] : 0.0;
    *total += lane_sum(count, [=](std::int64_t i) { return weight[i]; });
    return lane_sum(count, [&](std::int64_t i) { return counted[i]; });
}

// Several tables, so that two equal pairs in a row do not wait for each other's store.
void pairs(const std::int64_t* truth, const std::int64_t* predicted, std::int64_t count,
           std::int64_t minimum, std::int64_t width, int tables, std::uint32_t* cells) {
    const auto cell = [=](std::int64_t at) {
        return (truth[at] - minimum) * width + (predicted[at] - minimum);
    };
    std::int64_t i = 0;
    if (tables == 4) {
        const std::int64_t area = width * width;
        for (; i + 4 <= count; i += 4) {
            ++cells[cell(i)];
            ++cells[area + cell(i + 1)];
            ++cells[2 * area + cell(i + 2)];
            ++cells[3 * area + cell(i + 3)];
        }
    }
    for (; i < count; ++i) ++cells[cell(i)];
}

void pairs_weight(const std::int64_t* truth, const std::int64_t* predicted, const double* weight,
                  std::int64_t count, std::int64_t minimum, std::int64_t width, double* cells,
                  std::uint8_t* seen) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = (truth[i] - minimum) * width + predicted[i] - minimum;
        cells[at] += weight[i];
        seen[at] = 1;
    }
}

}  // namespace

extern const classification_kernels classification_kernels_table;
const classification_kernels classification_kernels_table = {equal, equal_weight, pairs,
                                                             pairs_weight};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
