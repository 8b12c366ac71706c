// Elementary functions for kernels: + - * / and integer operations only, no libm, no branch, no
// FMA, so that every level and every compiler gives the same bits and the loops around them
// vectorize.
//
// The coefficients are Chebyshev fits made with mpmath at 60 digits; the fit's error is given
// beside each. Everything is `static`: an inline function with linkage could be merged across
// levels by the linker.
#pragma once

#include <cstdint>

namespace mlestar::math {

static inline std::uint64_t bits_of(double x) { return __builtin_bit_cast(std::uint64_t, x); }
static inline double double_of(std::uint64_t bits) { return __builtin_bit_cast(double, bits); }

inline constexpr double ln2_high = 0.6931467056274414;  // 21 bits: k * ln2_high is exact
inline constexpr double ln2_low = 4.7493250390316726e-07;

// Natural logarithm of a positive, finite, normal x; error below 1 ulp. log(x) = k log 2 + log(m)
// with m in [sqrt(1/2), sqrt(2)), and log(m) = 2 atanh(s), s = (m - 1) / (m + 1).
static inline double log_normal(double x) {
    constexpr std::uint64_t one = 0x3FF0000000000000;
    constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCD;
    const std::uint64_t biased = (bits_of(x) + (one - root_half)) >> 52;
    const double m = double_of(bits_of(x) - (biased << 52) + one);
    // An integer below 2^52 becomes a double by sitting in the mantissa of 2^52: no conversion
    // instruction.
    const double k = double_of(biased | 0x4330000000000000) - (4503599627370496.0 + 1023.0);
    const double f = m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w = z * z;
    const double even = 0.3999999999989889 + w * (0.22222211089379496 + w * 0.15331611722055008);
    const double odd = 0.666666666666667 + w * (0.28571428626253836 +
                                                w * (0.1818289243253687 + w * 0.14617807153417325));
    const double r = z * odd + w * even;  // fit error 3.2e-16 before the factor z * s
    const double half_square = 0.5 * f * f;
    return k * ln2_high - ((half_square - (s * (half_square + r) + k * ln2_low)) - f);
}

// Natural logarithm of any x: subnormals, 0 (-inf), infinity and negatives (NaN) included.
static inline double log(double x) {
    constexpr double inf = __builtin_inf();
    const bool subnormal = x < 2.2250738585072014e-308;
    const double scaled = subnormal ? x * 18014398509481984.0 : x;  // 2^54
    double result = log_normal(scaled) - (subnormal ? 54.0 * ln2_high : 0.0);
    result -= subnormal ? 54.0 * ln2_low : 0.0;
    result = x == inf ? inf : result;
    result = x == 0.0 ? -inf : result;
    return x >= 0.0 ? result : __builtin_nan("");
}

// log(1 + x) for x > -1, to about 1 ulp (the rounding of 1 + x is put back: Kahan's correction).
static inline double log1p(double x) {
    const double u = 1.0 + x;
    const double result = log(u) + (x - (u - 1.0)) / u;
    return u == 1.0 || u == __builtin_inf() ? (u == 1.0 ? x : u) : result;
}

// log(1 + a) - log(1 + b) by one logarithm, that of (1 + a) / (1 + b): for a and b between -1 and
// 1e290, so that this is a normal number; to about 2 ulp. Near 1 the quotient is taken as 1 + d,
// and what that rounds away is put back as in log1p.
static inline double log1p_difference(double a, double b) {
    const double below = 1.0 + b;
    const double d = (a - b) / below;
    const bool near = d > -0.5 && d < 0.5;
    const double u = near ? 1.0 + d : (1.0 + a) / below;
    const double lost = near ? d - (u - 1.0) : 0.0;
    return log_normal(u) + lost;
}

// e to the power x, any x; error of at most 1 ulp where the result is normal.
static inline double exp(double x) {
    constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
    const double low = x < -746.0 ? -746.0 : x;
    const double y = low > 710.0 ? 710.0 : low;
    const double shifted = y * 1.4426950408889634 + shift;
    const double k = shifted - shift;
    const double high = y - k * ln2_high;  // exact
    const double r = high - k * ln2_low;
    const double lost = (high - r) - k * ln2_low;  // what the rounding of r took
    double p = 2.0914686968086876e-09;             // fit error 1.4e-18
    p = 2.5105217004720745e-08 + r * p;
    p = 2.75572736431103e-07 + r * p;
    p = 2.7557255400206422e-06 + r * p;
    p = 2.4801587325547743e-05 + r * p;
    p = 0.00019841269874820627 + r * p;
    p = 0.0013888888888883748 + r * p;
    p = 0.008333333333326136 + r * p;
    p = 0.04166666666666667 + r * p;
    p = 0.1666666666666667 + r * p;
    p = 0.5 + r * p;
    const double e = 1.0 + (r + (r * r * p + lost));
    // 2^k in two factors, so that neither overflows: k lies in [-1077, 1025].
    const std::uint64_t n = bits_of(shifted) - bits_of(shift) + 2400;
    const std::uint64_t half = n >> 1;
    const double first = double_of((half - 1200 + 1023) << 52);
    const double second = double_of((n - half - 1200 + 1023) << 52);
    const double result = e * first * second;
    return x == x ? result : x;
}

// The error function; absolute error below 4e-16 and, for |x| < 1, relative error below 3 ulp.
static inline double erf(double x) {
    const double a = x < 0.0 ? -x : x;
    const double z = a < 1.0 ? a * a : 1.0;
    double small = -4.230945824295338e-12;  // erf(x) / x in z = x^2, fit error 2.2e-21
    small = 8.709045129053106e-11 + z * small;
    small = -1.216456005728345e-09 + z * small;
    small = 1.4792401209404813e-08 + z * small;
    small = -1.6364642158167616e-07 + z * small;
    small = 1.6462045441468418e-06 + z * small;
    small = -1.4925647567519332e-05 + z * small;
    small = 0.00012055332902888736 + z * small;
    small = -0.000854832702193483 + z * small;
    small = 0.0052239776254232985 + z * small;
    small = -0.02686617064512984 + z * small;
    small = 0.1128379167095512 + z * small;
    small = -0.37612638903183754 + z * small;
    small = 1.1283791670955126 + z * small;
    const double b = a < 1.0 ? 1.0 : (a < 6.0 ? a : 6.0);
    const double t = 2.0 / (2.0 + b);
    const double u = (t - 0.4583333333333333) * 4.8;
    double large = 3.856922660244085e-13;  // log(erfc(x) / t) + x^2, fit error 3.3e-18
    large = 6.8713164030296784e-12 + u * large;
    large = -2.6581488877884306e-11 + u * large;
    large = -1.0252273086998347e-10 + u * large;
    large = 7.306410702720627e-10 + u * large;
    large = 5.088258252135452e-10 + u * large;
    large = -1.460916829514613e-08 + u * large;
    large = 1.4524899380622514e-08 + u * large;
    large = 2.564387714632306e-07 + u * large;
    large = -6.019926591015618e-07 + u * large;
    large = -4.5271525518308936e-06 + u * large;
    large = 1.6041266414869052e-05 + u * large;
    large = 9.560006382428187e-05 + u * large;
    large = -0.0004014712041727664 + u * large;
    large = -0.0031116996674261433 + u * large;
    large = 0.01017469538025659 + u * large;
    large = 0.27658358936131217 + u * large;
    large = -0.7274922853522042 + u * large;
    const double tail = 1.0 - t * exp(large - b * b);
    const double magnitude = a < 1.0 ? a * small : tail;
    const double result = x < 0.0 ? -magnitude : magnitude;
    return x == x ? result : x;
}

}  // namespace mlestar::math
