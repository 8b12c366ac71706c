// Loops over rows that lie one after the other. Several rows are taken together as one long row of
// `width` elements, so that the compiler's vectors are filled whatever the number of columns: what
// the loops keep is one number for each place in the long row, which the caller folds into columns.
#pragma once

#include <cstdint>

namespace mlestar::preprocessing {

struct scale_kernels {
    // high + low += x, or x times weight, place by place. With `counts`, NaN is left out and the
    // weights (or ones) of the others are summed.
    void (*sum)(const double* x, std::int64_t size, std::int64_t width, double* high, double* low);
    void (*sum_present)(const double* x, const double* weight, std::int64_t size,
                        std::int64_t width, double* high, double* low, double* counts,
                        double* counts_low);
    // high + low += (x - mean)^2, or that times weight.
    void (*square)(const double* x, const double* mean, std::int64_t size, std::int64_t width,
                   double* high, double* low, double* part);
    void (*square_present)(const double* x, const double* weight, const double* mean,
                           std::int64_t size, std::int64_t width, double* high, double* low,
                           double* part);
    void (*extremes)(const double* x, std::int64_t size, std::int64_t width, double* low,
                     double* high);

    // By scale_map: `result` is apart from x; true where x holds infinity.
    bool (*map_f64[5])(const double* x, std::int64_t size, std::int64_t width, const double* a,
                       const double* b, double* result);
    bool (*map_f32[5])(const float* x, std::int64_t size, std::int64_t width, const float* a,
                       const float* b, float* result);
    // From float32 read as float64, with parameters of float64.
    bool (*map_read[5])(const double* x, std::int64_t size, std::int64_t width, const double* a,
                        const double* b, float* result);
    void (*clip_f64)(double* x, std::int64_t size, double low, double high);
    void (*clip_f32)(float* x, std::int64_t size, float low, float high);

    // By row_norm; true where x holds NaN or infinity.
    bool (*norms[3])(const double* x, std::int64_t rows, std::int64_t columns, double* norms);
    void (*divide_rows_f64)(const double* x, std::int64_t rows, std::int64_t columns,
                            const double* norms, double* result);
    void (*divide_rows_f32)(const double* x, std::int64_t rows, std::int64_t columns,
                            const double* norms, float* result);
    bool (*binarize_f64)(const double* x, std::int64_t size, double threshold, double* result);
    bool (*binarize_f32)(const float* x, std::int64_t size, float threshold, float* result);
    bool (*holds_infinity)(const double* x, std::int64_t size);
    bool (*not_finite)(const double* x, std::int64_t size);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
#include "support/lanes.hpp"

namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

// body(first element of a long row, places) for each.
template <class Body>
inline void over_long_rows(std::int64_t size, std::int64_t width, Body body) {
    for (std::int64_t at = 0; at < size; at += width)
        body(at, width < size - at ? width : size - at);
}

// sum + rest is a + b exactly (Knuth).
inline double exact_sum_of(double a, double b, double& rest) {
    const double sum = a + b;
    const double part = sum - a;
    rest = (a - (sum - part)) + (b - part);
    return sum;
}

// Four long rows at a time, so that what is kept is fetched and put back once for all four.
void sum(const double* x, std::int64_t size, std::int64_t width, double* __restrict high,
         double* __restrict low) {
    std::int64_t at = 0;
    for (; at + 4 * width <= size; at += 4 * width) {
        const double* __restrict row = x + at;
        for (std::int64_t c = 0; c < width; ++c) {
            double r0, r1, r2, r3;
            const double s0 = exact_sum_of(high[c], row[c], r0);
            const double s1 = exact_sum_of(s0, row[c + width], r1);
            const double s2 = exact_sum_of(s1, row[c + 2 * width], r2);
            high[c] = exact_sum_of(s2, row[c + 3 * width], r3);
            low[c] += (r0 + r1) + (r2 + r3);
        }
    }
    over_long_rows(size - at, width, [&](std::int64_t from, std::int64_t places) {
        const double* __restrict row = x + at + from;
        for (std::int64_t c = 0; c < places; ++c) {
            double rest;
            high[c] = exact_sum_of(high[c], row[c], rest);
            low[c] += rest;
        }
    });
}

// The product's error, for factors below 2^995 (Dekker).
inline double product_rest(double a, double b, double product) {
    constexpr double splitter = 134217729.0;  // 2^27 + 1
    const double ca = splitter * a, cb = splitter * b;
    const double a_high = ca - (ca - a), b_high = cb - (cb - b);
    const double a_low = a - a_high, b_low = b - b_high;
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

void sum_present(const double* x, const double* weight, std::int64_t size, std::int64_t width,
                 double* __restrict high, double* __restrict low, double* __restrict counts,
                 double* __restrict counts_low) {
    over_long_rows(size, width, [&](std::int64_t at, std::int64_t places) {
        const double* __restrict row = x + at;
        if (weight == nullptr) {
            for (std::int64_t c = 0; c < places; ++c) {
                const bool present = row[c] == row[c];
                double rest;
                high[c] = exact_sum_of(high[c], present ? row[c] : 0.0, rest);
                low[c] += rest;
                counts[c] += present ? 1.0 : 0.0;
            }
            return;
        }
        const double* __restrict w = weight + at;
        for (std::int64_t c = 0; c < places; ++c) {
            const bool present = row[c] == row[c];
            const double value = present ? row[c] : 0.0;
            const double product = value * w[c];
            double rest;
            high[c] = exact_sum_of(high[c], product, rest);
            low[c] += rest + product_rest(value, w[c], product);
            counts[c] = exact_sum_of(counts[c], present ? w[c] : 0.0, rest);
            counts_low[c] += rest;
        }
    });
}

// Squares are summed plainly over a few long rows, and those sums exactly.
constexpr std::int64_t rows_at_once = 32;

template <class Term>
inline void sum_squares(std::int64_t size, std::int64_t width, double* __restrict high,
                        double* __restrict low, double* __restrict part, Term term) {
    for (std::int64_t from = 0; from < size; from += rows_at_once * width) {
        const std::int64_t rest_of = size - from;
        const std::int64_t some = rows_at_once * width < rest_of ? rows_at_once * width : rest_of;
        for (std::int64_t c = 0; c < width; ++c) part[c] = 0.0;
        std::int64_t done = 0;
        for (; done + 4 * width <= some; done += 4 * width) {
            const std::int64_t i = from + done;
            for (std::int64_t c = 0; c < width; ++c)
                part[c] += (term(i + c, c) + term(i + c + width, c)) +
                           (term(i + c + 2 * width, c) + term(i + c + 3 * width, c));
        }
        over_long_rows(some - done, width, [&](std::int64_t at, std::int64_t places) {
            for (std::int64_t c = 0; c < places; ++c) part[c] += term(from + done + at + c, c);
        });
        for (std::int64_t c = 0; c < width; ++c) {
            double rest;
            high[c] = exact_sum_of(high[c], part[c], rest);
            low[c] += rest;
        }
    }
}

void square(const double* __restrict x, const double* __restrict mean, std::int64_t size,
            std::int64_t width, double* __restrict high, double* __restrict low,
            double* __restrict part) {
    sum_squares(size, width, high, low, part, [=](std::int64_t i, std::int64_t c) {
        const double d = x[i] - mean[c];
        return d * d;
    });
}

void square_present(const double* __restrict x, const double* __restrict weight,
                    const double* __restrict mean, std::int64_t size, std::int64_t width,
                    double* __restrict high, double* __restrict low, double* __restrict part) {
    const auto deviation = [=](std::int64_t i, std::int64_t c) {
        return x[i] == x[i] ? x[i] - mean[c] : 0.0;
    };
    if (weight == nullptr) {
        sum_squares(size, width, high, low, part, [=](std::int64_t i, std::int64_t c) {
            const double d = deviation(i, c);
            return d * d;
        });
        return;
    }
    sum_squares(size, width, high, low, part, [=](std::int64_t i, std::int64_t c) {
        const double d = deviation(i, c);
        return d * d * weight[i];
    });
}

void extremes(const double* x, std::int64_t size, std::int64_t width, double* __restrict low,
              double* __restrict high) {
    over_long_rows(size, width, [&](std::int64_t at, std::int64_t places) {
        const double* __restrict row = x + at;
        for (std::int64_t c = 0; c < places; ++c) {
            low[c] = row[c] < low[c] ? row[c] : low[c];
            high[c] = row[c] > high[c] ? row[c] : high[c];
        }
    });
}

// The sign bit of what these give tells of infinity, or of anything that is not finite: integer
// operations that every level has, and that are summed by "or" in any order.
inline std::uint64_t infinite(double x) {
    return ((__builtin_bit_cast(std::uint64_t, x) << 1 >> 1) ^ 0x7FF0000000000000) - 1;
}
inline std::uint32_t infinite(float x) {
    return ((__builtin_bit_cast(std::uint32_t, x) << 1 >> 1) ^ 0x7F800000u) - 1;
}
inline std::uint64_t nonfinite(double x) {
    return 0x7FEFFFFFFFFFFFFF - (__builtin_bit_cast(std::uint64_t, x) << 1 >> 1);
}
inline std::uint32_t nonfinite(float x) {
    return 0x7F7FFFFFu - (__builtin_bit_cast(std::uint32_t, x) << 1 >> 1);
}
template <class Bits>
inline bool signs(Bits bits) {
    return bits >> (8 * sizeof bits - 1) != 0;
}

// Ordered as scale_map.
template <int Map, class In, class Out>
inline Out mapped(In x, In a, In b) {
    if (Map == 0) return static_cast<Out>(x - a);
    if (Map == 1) return static_cast<Out>(x / a);
    if (Map == 2) return static_cast<Out>(static_cast<In>(static_cast<Out>(x - a)) / b);
    if (Map == 3) return static_cast<Out>(x * a);
    return static_cast<Out>(static_cast<In>(static_cast<Out>(x * a)) + b);
}

template <int Map, class In, class Out>
bool map_elements(const In* __restrict x, std::int64_t size, std::int64_t width,
                  const In* __restrict a, const In* __restrict b, Out* __restrict result) {
    decltype(infinite(In{})) found = 0;
    over_long_rows(size, width, [&](std::int64_t at, std::int64_t places) {
        decltype(infinite(In{})) here = 0;
        for (std::int64_t c = 0; c < places; ++c) {
            here |= infinite(x[at + c]);
            result[at + c] = mapped<Map, In, Out>(x[at + c], a[c], b[c]);
        }
        found |= here;
    });
    return signs(found);
}

// As numpy.clip: NaN stays, and a zero becomes the bound that equals it.
template <class T>
void clip(T* x, std::int64_t size, T low, T high) {
    for (std::int64_t i = 0; i < size; ++i) {
        const T least = x[i] > low || x[i] != x[i] ? x[i] : low;
        x[i] = least < high || least != least ? least : high;
    }
}

template <int Norm>
bool norms_of(const double* x, std::int64_t rows, std::int64_t columns, double* norms) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const double* row = x + i * columns;
        if (Norm == 0) {
            norms[i] = lane_sum(columns, [=](std::int64_t j) { return __builtin_fabs(row[j]); });
        } else if (Norm == 1) {
            norms[i] =
                __builtin_sqrt(lane_sum(columns, [=](std::int64_t j) { return row[j] * row[j]; }));
        } else {
            double most = 0.0;
            for (std::int64_t j = 0; j < columns; ++j) {
                const double size = __builtin_fabs(row[j]);
                most = size > most ? size : most;
            }
            norms[i] = most;
        }
    }
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < rows * columns; ++i) found |= nonfinite(x[i]);
    return signs(found);
}

template <class Out>
void divide_rows(const double* __restrict x, std::int64_t rows, std::int64_t columns,
                 const double* __restrict norms, Out* __restrict result) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const double norm = norms[i];
        for (std::int64_t j = 0; j < columns; ++j)
            result[i * columns + j] = static_cast<Out>(x[i * columns + j] / norm);
    }
}

template <class T>
bool binarize(const T* __restrict x, std::int64_t size, T threshold, T* __restrict result) {
    decltype(nonfinite(T{})) found = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        found |= nonfinite(x[i]);
        result[i] = x[i] > threshold ? T{1} : T{0};
    }
    return signs(found);
}

bool holds_infinity(const double* x, std::int64_t size) {
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < size; ++i) found |= infinite(x[i]);
    return signs(found);
}

bool not_finite(const double* x, std::int64_t size) {
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < size; ++i) found |= nonfinite(x[i]);
    return signs(found);
}

}  // namespace

extern const scale_kernels scale_kernels_table;
const scale_kernels scale_kernels_table = {
    sum,
    sum_present,
    square,
    square_present,
    extremes,
    {map_elements<0, double, double>, map_elements<1, double, double>,
     map_elements<2, double, double>, map_elements<3, double, double>,
     map_elements<4, double, double>},
    {map_elements<0, float, float>, map_elements<1, float, float>, map_elements<2, float, float>,
     map_elements<3, float, float>, map_elements<4, float, float>},
    {map_elements<0, double, float>, map_elements<1, double, float>, map_elements<2, double, float>,
     map_elements<3, double, float>, map_elements<4, double, float>},
    clip<double>,
    clip<float>,
    {norms_of<0>, norms_of<1>, norms_of<2>},
    divide_rows<double>,
    divide_rows<float>,
    binarize<double>,
    binarize<float>,
    holds_infinity,
    not_finite,
};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
