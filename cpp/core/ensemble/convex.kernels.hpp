// Loops over one tile of rows: the blend of the models, the loss of its rows, and the sums that
// the solver needs of them.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"
#include "support/math.hpp"

namespace mlestar::ensemble {

// Rows of a tile. A tile of one model is 4 KiB, so that of twenty fits a second-level cache many
// times and the blended ones a first-level.
inline constexpr std::int64_t convex_tile = 512;

struct convex_sums {
    double smooth = 0.0;  // what is minimized: the loss itself, but for one that has kinks
    double loss = 0.0;
    double slack = 0.0;  // by how much the loss is above its tangent: the smoothing's share of the
                         // duality gap
};

struct convex_range {
    double low, high;
    bool finite;  // where not, low and high mean nothing
};

struct convex_kernels {
    // blend = sum of weight[j] * column[j], in the order of j.
    void (*blend)(const double* const* column, const double* weight, std::int64_t columns,
                  std::int64_t count, double* blend);
    // total[j] += sum of a * column[j].
    void (*dots)(const double* a, const double* const* column, std::int64_t columns,
                 std::int64_t count, double* total);
    void (*multiply)(const double* a, const double* b, std::int64_t count, double* product);
    convex_range (*range)(const double* value, std::int64_t count);

    // The sums of a loss over rows, with its first and second derivatives by the blend, each times
    // the row's weight. `target` and `weight` may be null: 1 and 1.
    convex_sums (*log_loss)(const double* blend, const double* target, const double* weight,
                            std::int64_t count, double* first, double* second);
    convex_sums (*squared)(const double* blend, const double* target, const double* weight,
                           std::int64_t count, double* first, double* second);
    convex_sums (*huber)(const double* blend, const double* target, const double* weight,
                         double delta, std::int64_t count, double* first, double* second);
    convex_sums (*pinball)(const double* blend, const double* target, const double* weight,
                           double quantile, double smoothing, const double* move,
                           std::int64_t count, double* first, double* second);
};

}  // namespace mlestar::ensemble

#ifdef MLESTAR_LEVEL
namespace mlestar::ensemble::MLESTAR_LEVEL {
namespace {

void blend(const double* const* column, const double* weight, std::int64_t columns,
           std::int64_t count, double* target) {
    for (std::int64_t i = 0; i < count; ++i) target[i] = 0.0;
    std::int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        const double *a = column[j], *b = column[j + 1], *c = column[j + 2], *d = column[j + 3];
        const double wa = weight[j], wb = weight[j + 1], wc = weight[j + 2], wd = weight[j + 3];
        for (std::int64_t i = 0; i < count; ++i)
            target[i] = (((target[i] + wa * a[i]) + wb * b[i]) + wc * c[i]) + wd * d[i];
    }
    for (; j < columns; ++j) {
        const double* a = column[j];
        const double wa = weight[j];
        for (std::int64_t i = 0; i < count; ++i) target[i] += wa * a[i];
    }
}

typedef double half __attribute__((vector_size(32)));
typedef double unaligned_half __attribute__((vector_size(32), aligned(8), may_alias));

#define half_at(pointer) (*reinterpret_cast<const unaligned_half*>(pointer))

// The lanes' sum with the last, fewer than eight, products.
double finish(const half& low, const half& high, const double* a, const double* b,
              std::int64_t count) {
    double lane[lane_count];
    for (int l = 0; l < 4; ++l) lane[l] = low[l];
    for (int l = 0; l < 4; ++l) lane[l + 4] = high[l];
    for (std::int64_t i = 0; i < count; ++i) lane[i] += a[i] * b[i];
    return combine_lanes(lane);
}

void dots(const double* a, const double* const* column, std::int64_t columns, std::int64_t count,
          double* total) {
    std::int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        const double *p = column[j], *q = column[j + 1], *r = column[j + 2], *s = column[j + 3];
        // The eight lanes in two halves: left to itself, GCC 12 adds element by element here.
        half p_low = {}, p_high = {}, q_low = {}, q_high = {};
        half r_low = {}, r_high = {}, s_low = {}, s_high = {};
        std::int64_t i = 0;
        for (; i + lane_count <= count; i += lane_count) {
            const half low = half_at(a + i), high = half_at(a + i + 4);
            p_low += low * half_at(p + i);
            p_high += high * half_at(p + i + 4);
            q_low += low * half_at(q + i);
            q_high += high * half_at(q + i + 4);
            r_low += low * half_at(r + i);
            r_high += high * half_at(r + i + 4);
            s_low += low * half_at(s + i);
            s_high += high * half_at(s + i + 4);
        }
        total[j] += finish(p_low, p_high, a + i, p + i, count - i);
        total[j + 1] += finish(q_low, q_high, a + i, q + i, count - i);
        total[j + 2] += finish(r_low, r_high, a + i, r + i, count - i);
        total[j + 3] += finish(s_low, s_high, a + i, s + i, count - i);
    }
    for (; j < columns; ++j) {
        const double* p = column[j];
        total[j] += lane_sum(count, [=](std::int64_t i) { return a[i] * p[i]; });
    }
}

void multiply(const double* a, const double* b, std::int64_t count, double* product) {
    for (std::int64_t i = 0; i < count; ++i) product[i] = a[i] * b[i];
}

convex_range range(const double* value, std::int64_t count) {
    half low = {}, high = {}, rest = {};
    low += value[0];
    high += value[0];
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const half v = half_at(value + i);
        low = v < low ? v : low;
        high = v > high ? v : high;
        rest += v - v;  // NaN unless finite
    }
    double least = value[0], most = value[0], finite = 0.0;
    for (; i < count; ++i) {
        least = value[i] < least ? value[i] : least;
        most = value[i] > most ? value[i] : most;
        finite += value[i] - value[i];
    }
    for (int l = 0; l < 4; ++l) {
        least = low[l] < least ? low[l] : least;
        most = high[l] > most ? high[l] : most;
        finite += rest[l];
    }
    return {least, most, finite == 0.0};
}

void weigh(const double* weight, std::int64_t count, double* first, double* second) {
    for (std::int64_t i = 0; i < count; ++i) {
        first[i] *= weight[i];
        second[i] *= weight[i];
    }
}

double sum_of(const double* value, const double* weight, std::int64_t count) {
    if (weight == nullptr) return lane_sum(count, [=](std::int64_t i) { return value[i]; });
    return lane_sum(count, [=](std::int64_t i) { return value[i] * weight[i]; });
}

convex_sums same(double loss) { return {loss, loss, 0.0}; }

// Sum of the logarithms, one for sixteen rows: a product of sixteen values of at least 1e-18 is
// above 1e-288.
double sum_of_logs(const double* value, std::int64_t count) {
    constexpr std::int64_t width = convex_tile / 16;
    double product[width];
    for (std::int64_t l = 0; l < width; ++l) product[l] = 1.0;
    std::int64_t i = 0;
    for (; i + width <= count; i += width)
        for (std::int64_t l = 0; l < width; ++l) product[l] *= value[i + l];
    for (std::int64_t l = 0; i < count; ++i, ++l) product[l] *= value[i];
    for (std::int64_t l = 0; l < width; ++l) product[l] = math::log(product[l]);
    return lane_sum(width, [&](std::int64_t l) { return product[l]; });
}

// -log of the blend where the target is 1, of one less the blend where it is 0. Infinite where that
// is not above zero.
convex_sums log_loss(const double* u, const double* target, const double* weight,
                     std::int64_t count, double* first, double* second) {
    double value[convex_tile];
    if (target == nullptr) {
        for (std::int64_t i = 0; i < count; ++i) value[i] = u[i];
        for (std::int64_t i = 0; i < count; ++i) {
            const double inverse = 1.0 / value[i];
            first[i] = -inverse;
            second[i] = inverse * inverse;
        }
    } else {
        for (std::int64_t i = 0; i < count; ++i) {
            const double sign = 2.0 * target[i] - 1.0;
            value[i] = (1.0 - target[i]) + sign * u[i];
            const double inverse = 1.0 / value[i];
            first[i] = -sign * inverse;
            second[i] = inverse * inverse;
        }
    }
    const convex_range all = range(value, count);
    if (!(all.low > 0.0)) return {__builtin_inf(), __builtin_inf(), 0.0};
    if (weight == nullptr && all.low >= 1e-18 && all.high <= 1e18)
        return same(-sum_of_logs(value, count));
    for (std::int64_t i = 0; i < count; ++i) value[i] = math::log(value[i]);
    if (weight != nullptr) weigh(weight, count, first, second);
    return same(-sum_of(value, weight, count));
}

convex_sums squared(const double* u, const double* target, const double* weight, std::int64_t count,
                    double* first, double* second) {
    double value[convex_tile];
    for (std::int64_t i = 0; i < count; ++i) {
        const double r = u[i] - target[i];
        value[i] = r * r;
        first[i] = 2.0 * r;
        second[i] = 2.0;
    }
    if (weight != nullptr) weigh(weight, count, first, second);
    return same(sum_of(value, weight, count));
}

convex_sums huber(const double* u, const double* target, const double* weight, double delta,
                  std::int64_t count, double* first, double* second) {
    double value[convex_tile];
    for (std::int64_t i = 0; i < count; ++i) {
        const double r = u[i] - target[i];
        const double low = r < -delta ? -delta : r;
        const double clipped = low > delta ? delta : low;
        value[i] = clipped * (r - 0.5 * clipped);
        first[i] = clipped;
        second[i] = clipped == r ? 1.0 : 0.0;
    }
    if (weight != nullptr) weigh(weight, count, first, second);
    return same(sum_of(value, weight, count));
}

// The pinball loss is the maximum over a in [quantile - 1, quantile] of a * r, r = target - u;
// `smoothing` times the logarithmic barrier of that interval makes it smooth, with the maximum in
// closed form. `move`, where it is not null, is the blend's next step: the derivatives are then
// taken along it, as far as they are some of the loss. With b = a less the middle of the interval:
// r (1/4 - b^2) = 2 smoothing b.
convex_sums pinball(const double* u, const double* target, const double* weight, double quantile,
                    double smoothing, const double* move, std::int64_t count, double* first,
                    double* second) {
    double value[convex_tile] = {}, slack[convex_tile] = {}, room[convex_tile];
    const double middle = quantile - 0.5;
    for (std::int64_t i = 0; i < count; ++i) {
        const double r = target[i] - u[i];
        const double size = r < 0.0 ? -r : r;
        const double root = __builtin_sqrt(smoothing * smoothing + 0.25 * (r * r));
        const double b = 0.25 * r / (smoothing + root);
        const double part = b < 0.0 ? -b : b;
        room[i] = 0.5 * smoothing / (smoothing + root);  // 1/4 - b^2
        value[i] = (middle + b) * r;
        slack[i] = size * (room[i] / (0.5 + part));
        first[i] = -(middle + b);
        second[i] = room[i] * room[i] / (2.0 * smoothing * (0.25 + b * b));
    }
    if (move != nullptr) {
        for (std::int64_t i = 0; i < count; ++i) {
            const double r = target[i] - u[i];
            const double size = r < 0.0 ? -r : r;
            const double b = -(first[i] + second[i] * move[i]) - middle;
            const double low = b < -0.5 ? -0.5 : b;
            const double kept = low > 0.5 ? 0.5 : low;
            first[i] = -(middle + kept);
            value[i] = (middle + kept) * r;
            slack[i] = 0.5 * size - kept * r;
        }
    }
    if (weight != nullptr) weigh(weight, count, first, second);
    const double apart = sum_of(slack, weight, count);
    const double tangent = sum_of(value, weight, count);
    for (std::int64_t i = 0; i < count; ++i) value[i] += smoothing * math::log(4.0 * room[i]);
    return {sum_of(value, weight, count), tangent + apart, apart};
}

}  // namespace

extern const convex_kernels convex_kernels_table;
const convex_kernels convex_kernels_table = {blend,    dots,    multiply, range,
                                             log_loss, squared, huber,    pinball};

}  // namespace mlestar::ensemble::MLESTAR_LEVEL
#endif
