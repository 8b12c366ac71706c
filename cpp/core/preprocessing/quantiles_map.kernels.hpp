// A block of one column to the shares of its quantiles, and shares to normal values.
#pragma once

#include <cstdint>

namespace mlestar::preprocessing {

struct quantile_knots {
    const double* knots;  // padded as search_eight takes them
    const double* shares;
    const double* slopes;  // from each knot to the next
    const double* lowest;  // the share of the first knot that is equal to each
    std::int64_t count;
    std::int64_t half;
};

struct quantiles_map_kernels {
    // True where there is infinity.
    bool (*shares_of)(const double* x, std::int64_t count, const quantile_knots& column,
                      double* result);
    // Shares of values next to the ends are the ends: x - 1e-7 and x + 1e-7 in double or in float.
    void (*cut_ends)(const double* x, std::int64_t count, double low, double high, bool single,
                     double* shares);
    void (*equal_ends)(const double* x, std::int64_t count, double low, double high,
                       double* shares);
    // Quantiles of the normal distribution (Moshier, Cephes: ndtri), cut to [low, high].
    void (*normal_of)(double* shares, std::int64_t count, double low, double high, bool single);
    bool (*holds_infinity)(const double* x, std::int64_t count);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
#include "support/math.hpp"
#include "support/search.hpp"

namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

bool holds_infinity(const double* x, std::int64_t count) {
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < count; ++i)
        found |= ((__builtin_bit_cast(std::uint64_t, x[i]) << 1 >> 1) ^ 0x7FF0000000000000) - 1;
    return found >> 63 != 0;
}

// As numpy.interp has them, to the bit.
inline double share_of(double x, std::int64_t above, const quantile_knots& column) {
    if (above == 0) return x == x ? column.shares[0] : x;
    const std::int64_t j = above - 1;
    const double knot = column.knots[j], share = column.shares[j];
    if (x == knot) return 0.5 * (share + column.lowest[j]);
    if (above == column.count) return share;
    const double up = column.slopes[j] * (x - knot) + share;
    const double down = column.slopes[j] * (column.knots[above] - x) + -column.shares[above];
    return 0.5 * (up - down);
}

bool shares_of(const double* x, std::int64_t count, const quantile_knots& column, double* result) {
    std::int64_t above[search_lanes];
    double last[search_lanes];
    for (std::int64_t i = 0; i < count; i += search_lanes) {
        const std::int64_t some = count - i < search_lanes ? count - i : search_lanes;
        const double* values = x + i;
        if (some < search_lanes) {
            for (int l = 0; l < search_lanes; ++l) last[l] = values[l < some ? l : 0];
            values = last;
        }
        search_eight(values, column.knots, column.half, above);
        for (std::int64_t l = 0; l < some; ++l)
            result[i + l] = share_of(values[l], above[l], column);
    }
    return holds_infinity(x, count);
}

void cut_ends(const double* x, std::int64_t count, double low, double high, bool single,
              double* shares) {
    if (single) {
        for (std::int64_t i = 0; i < count; ++i) {
            const float value = static_cast<float>(x[i]);
            double share = static_cast<double>(value + 1e-7f) > high ? 1.0 : shares[i];
            share = static_cast<double>(value - 1e-7f) < low ? 0.0 : share;
            shares[i] = share;
        }
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        double share = x[i] + 1e-7 > high ? 1.0 : shares[i];
        share = x[i] - 1e-7 < low ? 0.0 : share;
        shares[i] = share;
    }
}

void equal_ends(const double* x, std::int64_t count, double low, double high, double* shares) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double share = x[i] == high ? 1.0 : shares[i];
        shares[i] = x[i] == low ? 0.0 : share;
    }
}

// Both halves of the approximation for every value, so that the loop vectorizes. Shares below 1e-9
// are cut anyway.
void normal_of(double* shares, std::int64_t count, double low, double high, bool single) {
    if (single)
        for (std::int64_t i = 0; i < count; ++i)
            shares[i] = static_cast<double>(static_cast<float>(shares[i]));
    for (std::int64_t i = 0; i < count; ++i) {
        const double given = shares[i];
        const bool upper = given > 0.8646647167633873;
        double y = upper ? 1.0 - given : given;
        y = y > 1e-9 ? y : 1e-9;
        const double c = y - 0.5;
        const double z = c * c;
        double p = -59.96335010141079;
        p = p * z + 98.00107541859997;
        p = p * z + -56.67628574690703;
        p = p * z + 13.931260938727968;
        p = p * z + -1.2391658386738125;
        double q = z + 1.9544885833814176;
        q = q * z + 4.676279128988815;
        q = q * z + 86.3602421390891;
        q = q * z + -225.46268785411937;
        q = q * z + 200.26021238006066;
        q = q * z + -82.03722561683334;
        q = q * z + 15.90562251262117;
        q = q * z + -1.1833162112133;
        const double central = (c + c * (z * p / q)) * 2.5066282746310007;
        const double root = __builtin_sqrt(-2.0 * math::log_normal(y));
        const double first = root - math::log_normal(root) / root;
        const double t = 1.0 / root;
        double a = 4.0554489230596245;
        a = a * t + 31.525109459989388;
        a = a * t + 57.16281922464213;
        a = a * t + 44.08050738932008;
        a = a * t + 14.684956192885803;
        a = a * t + 2.1866330685079025;
        a = a * t + -0.1402560791713545;
        a = a * t + -0.03504246268278482;
        a = a * t + -0.0008574567851546854;
        double b = t + 15.779988325646675;
        b = b * t + 45.39076351288792;
        b = b * t + 41.3172038254672;
        b = b * t + 15.04253856929075;
        b = b * t + 2.504649462083094;
        b = b * t + -0.14218292285478779;
        b = b * t + -0.03808064076915783;
        b = b * t + -0.0009332594808954574;
        const double tail = first - t * a / b;
        const double outer = upper ? tail : -tail;
        double value = y > 0.1353352832366127 ? central : outer;
        value = value < low ? low : value;
        value = value > high ? high : value;
        shares[i] = given == given ? value : given;
    }
}

}  // namespace

extern const quantiles_map_kernels quantiles_map_kernels_table;
const quantiles_map_kernels quantiles_map_kernels_table = {shares_of, cut_ends, equal_ends,
                                                           normal_of, holds_infinity};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
