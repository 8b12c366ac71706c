// The loss of each row, and sums of such losses that lose no digits.
#pragma once

#include <cstdint>

#include "metrics/tweedie.kernels.hpp"
#include "support/compensated.hpp"

namespace mlestar::metrics {

// What one block of at most 1 024 rows is asked for. All of them read doubles in L1.
struct streaming_kernels {
    // Losses of regression, in the order of `row_loss`.
    using loss = void (*)(const double* y, const double* p, double parameter, std::int64_t count,
                          double* out);
    loss losses[10];
    // Losses of probabilities, `code` being the true class.
    void (*binary_log)(const std::int32_t* code, const double* p, double eps, std::int64_t count,
                       double* out);
    void (*binary_brier)(const std::int32_t* code, const double* p, std::int64_t count,
                         double* out);
    void (*log)(const std::int32_t* code, const double* rows, std::int64_t columns, double eps,
                std::int64_t count, double* out);
    void (*brier)(const std::int32_t* code, const double* rows, std::int64_t columns,
                  std::int64_t count, double* out);
    // Of decision values: max(0, 1 - margin).
    void (*binary_hinge)(const std::int32_t* code, const double* decision, std::int64_t count,
                         double* out);
    void (*hinge)(const std::int32_t* code, const double* rows, std::int64_t columns,
                  std::int64_t count, double* out);

    // out[i] = a[i] * b[i]
    void (*multiply)(const double* a, const double* b, std::int64_t count, double* out);
    // Adds the terms to `sum`.
    void (*add)(const double* term, std::int64_t count, compensated* sum);
    // Adds w (x - origin) and w (x - origin)^2, w being 1 where `weight` is null.
    void (*moments)(const double* x, const double* weight, double origin, std::int64_t count,
                    compensated* first, compensated* second);
    bool (*finite)(const double* x, std::int64_t count);
    double (*smallest)(const double* x, std::int64_t count);
    double (*largest)(const double* x, std::int64_t count);
    // Whether all lie in [0, 1]; NaN does not.
    bool (*probabilities)(const double* p, std::int64_t count);
    bool (*normalized)(const double* rows, std::int64_t columns, double tolerance,
                       std::int64_t count);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
#include "support/math.hpp"

namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

double magnitude(double x) { return __builtin_fabs(x); }

double smallest(const double* x, std::int64_t count) {
    double found = x[0];
    for (std::int64_t i = 0; i < count; ++i) found = x[i] < found ? x[i] : found;
    return found;
}

double largest(const double* x, std::int64_t count) {
    double found = x[0];
    for (std::int64_t i = 0; i < count; ++i) found = x[i] > found ? x[i] : found;
    return found;
}

void squared(const double* y, const double* p, double, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double d = y[i] - p[i];
        out[i] = d * d;
    }
}

void absolute(const double* y, const double* p, double, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = magnitude(y[i] - p[i]);
}

void difference(const double* y, const double* p, double, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = y[i] - p[i];
}

// Over the magnitude of y, or over `least` where that is larger.
void percentage(const double* y, const double* p, double least, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double size = magnitude(y[i]);
        out[i] = magnitude(y[i] - p[i]) / (size > least ? size : least);
    }
}

void pinball(const double* y, const double* p, double alpha, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double d = y[i] - p[i];
        const double above = alpha * d;
        const double below = (alpha - 1.0) * d;
        out[i] = d >= 0.0 ? above : below;
    }
}

void squared_log(const double* y, const double* p, double, std::int64_t count, double* out) {
    const bool moderate = largest(y, count) < 1e290 && largest(p, count) < 1e290;
    for (std::int64_t i = 0; moderate && i < count; ++i) {
        const double d = math::log1p_difference(y[i], p[i]);
        out[i] = d * d;
    }
    for (std::int64_t i = 0; !moderate && i < count; ++i) {
        const double d = math::log1p(y[i]) - math::log1p(p[i]);
        out[i] = d * d;
    }
}

void poisson(const double* y, const double* p, double, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double positive = y[i] > 0.0 ? y[i] : 1.0;
        const double entropy = y[i] > 0.0 ? y[i] * math::log(positive / p[i]) : 0.0;
        out[i] = 2.0 * (entropy - y[i] + p[i]);
    }
}

void gamma(const double* y, const double* p, double, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i)
        out[i] = 2.0 * (math::log(p[i] / y[i]) + y[i] / p[i] - 1.0);
}

void tweedie(const double* y, const double* p, double power, std::int64_t count, double* out) {
    double of_y[1024], of_p[1024];  // a block's rows
    powers_of_y(y, count, power, of_y);
    powers(p, count, 1.0 - power, of_p);
    for (std::int64_t i = 0; i < count; ++i) out[i] = deviance(y[i], of_y[i], p[i], of_p[i], power);
}

double clip(double p, double eps) {
    const double low = p < eps ? eps : p;
    return low > 1.0 - eps ? 1.0 - eps : low;
}

void binary_log(const std::int32_t* code, const double* p, double eps, std::int64_t count,
                double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double q = code[i] == 1 ? p[i] : 1.0 - p[i];
        out[i] = -math::log_normal(clip(q, eps));
    }
}

void binary_brier(const std::int32_t* code, const double* p, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double d = p[i] - (code[i] == 1 ? 1.0 : 0.0);
        out[i] = d * d;
    }
}

void log(const std::int32_t* code, const double* rows, std::int64_t columns, double eps,
         std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = clip(rows[i * columns + code[i]], eps);
    for (std::int64_t i = 0; i < count; ++i) out[i] = -math::log_normal(out[i]);
}

void brier(const std::int32_t* code, const double* rows, std::int64_t columns, std::int64_t count,
           double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double* row = rows + i * columns;
        double sum = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) {
            const double d = row[k] - (k == code[i] ? 1.0 : 0.0);
            sum += d * d;
        }
        out[i] = sum;
    }
}

double hinge_of(double margin) {
    const double loss = 1.0 - margin;
    return loss > 0.0 ? loss : 0.0;
}

void binary_hinge(const std::int32_t* code, const double* decision, std::int64_t count,
                  double* out) {
    for (std::int64_t i = 0; i < count; ++i)
        out[i] = hinge_of(code[i] == 1 ? decision[i] : -decision[i]);
}

// The margin: the true class's value over the greatest of the others.
void hinge(const std::int32_t* code, const double* rows, std::int64_t columns, std::int64_t count,
           double* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double* row = rows + i * columns;
        double greatest = -__builtin_inf();
        for (std::int64_t k = 0; k < columns; ++k) {
            const double value = k == code[i] ? -__builtin_inf() : row[k];
            greatest = value > greatest ? value : greatest;
        }
        out[i] = hinge_of(row[code[i]] - greatest);
    }
}

void multiply(const double* a, const double* b, std::int64_t count, double* out) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
}

// Calls body(half, row) for every four rows, the halves of eight in turn; returns how many rows
// that were.
template <class Body>
inline std::int64_t over_fours(std::int64_t count, Body body) {
    std::int64_t i = 0;
    for (; i + lane_count <= count; i += lane_count) {
        body(0, i);
        body(1, i + 4);
    }
    return i;
}

// The last rows, filled up to eight.
struct padded {
    double values[lane_count];
    padded(const double* x, std::int64_t count, double filler) {
        for (int l = 0; l < lane_count; ++l) values[l] = l < count ? x[l] : filler;
    }
};

void add(const double* term, std::int64_t count, compensated* sum) {
    compensated_lanes lanes;
    const double4 nothing = {};
    const auto take = [&](const double* from) {
        return [&lanes, &nothing, from](int half, std::int64_t i) {
            double4 t;
            load_lanes(from + i, t);
            lanes.add(half, t, nothing);
        };
    };
    const std::int64_t done = over_fours(count, take(term));
    if (done < count) {
        const padded last(term + done, count - done, 0.0);
        over_fours(lane_count, take(last.values));
    }
    *sum = *sum + lanes.total();
}

template <bool Weighted>
void moments_of(const double* x, const double* weight, double origin, std::int64_t count,
                compensated* first, compensated* second) {
    compensated_lanes one;
    compensated_lanes two;
    const double4 nothing = {};
    const double4 minus = nothing - origin;
    const auto take = [&](const double* values, const double* weights) {
        return [&, values, weights](int half, std::int64_t i) {
            double4 v, d, d_rest, square, square_rest;
            load_lanes(values + i, v);
            add_lanes(v, minus, d, d_rest);
            square_lanes(d, square, square_rest);
            square_rest += 2.0 * (d * d_rest);
            if constexpr (!Weighted) {
                one.add(half, d, d_rest);
                two.add(half, square, square_rest);
            } else {
                double4 w, term, term_rest, weighted, weighted_rest;
                load_lanes(weights + i, w);
                multiply_lanes(w, d, term, term_rest);
                multiply_lanes(w, square, weighted, weighted_rest);
                one.add(half, term, term_rest + w * d_rest);
                two.add(half, weighted, weighted_rest + w * square_rest);
            }
        };
    };
    const std::int64_t done = over_fours(count, take(x, weight));
    if (done < count) {
        const padded last(x + done, count - done, origin);  // which adds nothing
        const padded weights(Weighted ? weight + done : x + done, count - done, 0.0);
        over_fours(lane_count, take(last.values, weights.values));
    }
    *first = *first + one.total();
    *second = *second + two.total();
}

void moments(const double* x, const double* weight, double origin, std::int64_t count,
             compensated* first, compensated* second) {
    const auto function = weight == nullptr ? moments_of<false> : moments_of<true>;
    function(x, weight, origin, count, first, second);
}

bool finite(const double* x, std::int64_t count) {
    // x - x is 0, or NaN for infinity and NaN.
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= x[i] - x[i] == 0.0 ? 0 : 1;
    return wrong == 0;
}

bool probabilities(const double* p, std::int64_t count) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= (p[i] >= 0.0) & (p[i] <= 1.0) ? 0 : 1;
    return wrong == 0;
}

bool normalized(const double* rows, std::int64_t columns, double tolerance, std::int64_t count) {
    bool wrong = false;
    for (std::int64_t i = 0; i < count; ++i) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) sum += rows[i * columns + k];
        const double gap = sum - 1.0;
        wrong |= (gap > tolerance) | (gap < -tolerance);
    }
    return !wrong;
}

}  // namespace

extern const streaming_kernels streaming_kernels_table;
const streaming_kernels streaming_kernels_table = {
    {squared, absolute, difference, percentage, pinball, squared_log, poisson, gamma, absolute,
     tweedie},
    binary_log,
    binary_brier,
    log,
    brier,
    binary_hinge,
    hinge,
    multiply,
    add,
    moments,
    finite,
    smallest,
    largest,
    probabilities,
    normalized,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
