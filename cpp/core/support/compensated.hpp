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
static inline compensated operator+(compensated a, double b) {
    const compensated sum = exact_add(a.high, b);
    return exact_add(sum.high, a.low + sum.low);
}

static inline compensated operator*(compensated a, compensated b) {
    const compensated product = exact_multiply(a.high, b.high);
    return exact_add(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static inline compensated operator/(compensated a, compensated b) {
    const double first = a.high / b.high;
    const compensated rest = a - b * compensated{first, 0.0};
    return exact_add(first, rest.value() / b.high);
}

// Four doubles that add and multiply together: the vectorizer gives up on TwoSum over lanes (seen
// with GCC 12), and a vector type is split where the level's registers are narrower. Passed by
// reference only, or the calling convention would depend on the level.
typedef double double4 __attribute__((vector_size(32)));

// sum + rest is a + b exactly, lane by lane.
static inline void add_lanes(const double4& a, const double4& b, double4& sum, double4& rest) {
    sum = a + b;
    const double4 part = sum - a;
    rest = (a - (sum - part)) + (b - part);
}

// product + rest is a * b exactly, lane by lane.
static inline void multiply_lanes(const double4& a, const double4& b, double4& product,
                                  double4& rest) {
    constexpr double splitter = 134217729.0;
    const double4 ca = splitter * a;
    const double4 cb = splitter * b;
    const double4 a_high = ca - (ca - a);
    const double4 b_high = cb - (cb - b);
    const double4 a_low = a - a_high;
    const double4 b_low = b - b_high;
    product = a * b;
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

// square + rest is a * a exactly, lane by lane.
static inline void square_lanes(const double4& a, double4& square, double4& rest) {
    constexpr double splitter = 134217729.0;
    const double4 ca = splitter * a;
    const double4 high = ca - (ca - a);
    const double4 low = a - high;
    square = a * a;
    rest = ((high * high - square) + 2.0 * (high * low)) + low * low;
}

static inline void load_lanes(const double* from, double4& lanes) {
    __builtin_memcpy(&lanes, from, sizeof lanes);
}

// Eight sums side by side, one tree at the end, as in lanes.hpp.
struct compensated_lanes {
    double4 high[2] = {};
    double4 low[2] = {};

    // `extra` is what the terms have beyond their first double.
    void add(int half, const double4& term, const double4& extra) {
        double4 sum, rest;
        add_lanes(high[half], term, sum, rest);
        high[half] = sum;
        low[half] += rest + extra;
    }
    compensated total() const {
        compensated sum[lane_count];
        for (int l = 0; l < lane_count; ++l)
            sum[l] = exact_add(high[l / 4][l % 4], low[l / 4][l % 4]);
        for (int half = lane_count / 2; half > 0; half /= 2)
            for (int l = 0; l < half; ++l) sum[l] = sum[l] + sum[l + half];
        return sum[0];
    }
};

}  // namespace mlestar
