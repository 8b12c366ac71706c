// Loops over integer labels.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

struct label_kernels {
    void (*range)(const std::int64_t* labels, std::int64_t count, std::int64_t* minimum,
                  std::int64_t* maximum);
    void (*mark)(const std::int64_t* labels, std::int64_t count, std::int64_t minimum,
                 std::uint8_t* present);
    void (*encode)(const std::int64_t* labels, std::int64_t count, std::int64_t minimum,
                   const std::int32_t* table, std::int32_t* codes);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

// Widens [minimum, maximum] to hold the labels.
void range(const std::int64_t* labels, std::int64_t count, std::int64_t* minimum,
           std::int64_t* maximum) {
    std::int64_t low = *minimum;
    std::int64_t high = *maximum;
    for (std::int64_t i = 0; i < count; ++i) {
        low = labels[i] < low ? labels[i] : low;
        high = labels[i] > high ? labels[i] : high;
    }
    *minimum = low;
    *maximum = high;
}

void mark(const std::int64_t* labels, std::int64_t count, std::int64_t minimum,
          std::uint8_t* present) {
    for (std::int64_t i = 0; i < count; ++i) present[labels[i] - minimum] = 1;
}

void encode(const std::int64_t* labels, std::int64_t count, std::int64_t minimum,
            const std::int32_t* table, std::int32_t* codes) {
    for (std::int64_t i = 0; i < count; ++i) codes[i] = table[labels[i] - minimum];
}

}  // namespace

extern const label_kernels label_kernels_table;
const label_kernels label_kernels_table = {range, mark, encode};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
