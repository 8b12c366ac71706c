// Sums in two doubles: what the first cannot hold, the second keeps (Knuth's TwoSum, Dekker's
// product; Ogita, Rump and Oishi, "Accurate sum and dot product", 2005). No FMA, so the same bits
// on every machine.
//
// Everything is `static`: an inline function with linkage could be merged across levels by the
// linker.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar {

struct compensated {
    double high = 0.0;
    double low = 0.0;

    double value() const { return high + low; }
};

// high + low is a + b exactly.
static inline compensated exact_add(double a, double b) {
    const double sum = a + b;
    const double part = sum - a;
    return {sum, (a - (sum - part)) + (b - part)};
}

// high + low is a * b exactly, for factors below 2^995 whose product does not underflow.
static inline compensated exact_multiply(double a, double b) {
    constexpr double splitter = 134217729.0;  // 2^27 + 1
    const double ca = splitter * a;
    const double cb = splitter * b;
    const double a_high = ca - (ca - a);
    const double b_high = cb - (cb - b);
    const double a_low = a - a_high;
    const double b_low = b - b_high;
    const double product = a * b;
    return {product,
            ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

static inline compensated operator+(compensated a, compensated b) {
    const compensated high = exact_add(a.high, b.high);
    const compensated low = exact_add(a.low, b.low);
    const compensated sum = exact_add(high.high, high.low + low.high);
    return exact_add(sum.high, sum.low + low.low);
}

static inline compensated operator-(compensated a) { return {-a.high, -a.low}; }
static inline compensated operator-(compensated a, compensated b) { return a + -b; }
static inline compensated operator+(compensated a, double b) { return a + compensated{b, 0.0}; }

static inline compensated operator*(compensated a, compensated b) {
    const compensated product = exact_multiply(a.high, b.high);
    return exact_add(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static inline compensated operator/(compensated a, compensated b) {
    const double first = a.high / b.high;
    const compensated rest = a - b * compensated{first, 0.0};
    return exact_add(first, rest.value() / b.high);
}

// Eight sums side by side, one tree at the end, as in lanes.hpp.
struct compensated_lanes {
    double high[lane_count] = {};
    double low[lane_count] = {};

    // `extra` is what the term has beyond its first double.
    void add(int lane, double term, double extra) {
        const compensated sum = exact_add(high[lane], term);
        high[lane] = sum.high;
        low[lane] += sum.low + extra;
    }
    compensated total() const {
        compensated sum[lane_count];
        for (int l = 0; l < lane_count; ++l) sum[l] = exact_add(high[l], low[l]);
        for (int half = lane_count / 2; half > 0; half /= 2)
            for (int l = 0; l < half; ++l) sum[l] = sum[l] + sum[l + half];
        return sum[0];
    }
};

}  // namespace mlestar
