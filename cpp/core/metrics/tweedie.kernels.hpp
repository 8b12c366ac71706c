// Powers of Tweedie's deviance, as the errors and their streaming form take them. Kernels only.
#pragma once

#include <cstdint>

#include "support/math.hpp"

namespace mlestar::metrics {

// x to a power. The exponents of the powers in use, 1.5 and 3, need no logarithm.
static inline void powers(const double* x, std::int64_t count, double exponent, double* result) {
    if (exponent == 0.5) {
        for (std::int64_t i = 0; i < count; ++i) result[i] = __builtin_sqrt(x[i]);
    } else if (exponent == -0.5) {
        for (std::int64_t i = 0; i < count; ++i) result[i] = 1.0 / __builtin_sqrt(x[i]);
    } else if (exponent == -1.0) {
        for (std::int64_t i = 0; i < count; ++i) result[i] = 1.0 / x[i];
    } else if (exponent == -2.0) {
        for (std::int64_t i = 0; i < count; ++i) result[i] = 1.0 / (x[i] * x[i]);
    } else {
        for (std::int64_t i = 0; i < count; ++i) result[i] = exponent * math::log(x[i]);
        for (std::int64_t i = 0; i < count; ++i) result[i] = math::exp(result[i]);
    }
}

// Tweedie's deviance, in loops that each vectorize: y to 2 - power and p to 1 - power (that of p to
// 2 - power is p times it). Only the first takes y's positive part.
static inline void powers_of_y(const double* y, std::int64_t count, double power, double* result) {
    powers(y, count, 2.0 - power, result);
    for (std::int64_t i = 0; i < count; ++i) result[i] = y[i] > 0.0 ? result[i] : 0.0;
}

static inline double deviance(double y, double of_y, double p, double of_p, double power) {
    return 2.0 * (of_y / ((1.0 - power) * (2.0 - power)) - y * of_p / (1.0 - power) +
                  p * of_p / (2.0 - power));
}

}  // namespace mlestar::metrics
