// What kernels of label indicators ask first. Kernels only.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

// Whether all are 0 or 1.
static inline bool all_indicators(const double* value, std::int64_t count) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= (value[i] == 0.0) | (value[i] == 1.0) ? 0 : 1;
    return wrong == 0;
}

}  // namespace mlestar::metrics
