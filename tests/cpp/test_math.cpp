// Our elementary functions against libm's at long double.
#include "support/math.hpp"

#include <limits>
#include <random>

#include "check.hpp"

namespace {

// Distance in units of the last place of the expected value.
double ulps(double value, long double expected) {
    const auto rounded = static_cast<double>(expected);
    if (value == rounded) return 0.0;
    const double unit = std::nextafter(std::fabs(rounded), INFINITY) - std::fabs(rounded);
    return static_cast<double>(std::fabs(static_cast<long double>(value) - expected)) / unit;
}

void logarithm() {
    std::mt19937_64 generator(1);
    std::uniform_real_distribution<double> exponent(-700.0, 700.0), near(0.5, 2.0);
    double worst = 0.0;
    for (int i = 0; i < 300000; ++i) {
        const double x = i % 2 ? std::exp(exponent(generator)) : near(generator);
        worst =
            std::fmax(worst, ulps(mlestar::math::log(x), std::log(static_cast<long double>(x))));
    }
    CHECK(worst < 1.0);
    CHECK(mlestar::math::log(1.0) == 0.0);
    CHECK(mlestar::math::log(0.0) == -INFINITY);
    CHECK(mlestar::math::log(-0.0) == -INFINITY);
    CHECK(mlestar::math::log(INFINITY) == INFINITY);
    CHECK(std::isnan(mlestar::math::log(-1.0)));
    CHECK(std::isnan(mlestar::math::log(NAN)));
    const double smallest = std::numeric_limits<double>::denorm_min();
    CHECK(ulps(mlestar::math::log(smallest), std::log(static_cast<long double>(smallest))) < 1.0);
}

void exponential() {
    std::mt19937_64 generator(2);
    std::uniform_real_distribution<double> wide(-708.0, 709.7), near(-1.0, 1.0);
    double worst = 0.0;
    for (int i = 0; i < 300000; ++i) {
        const double x = i % 2 ? wide(generator) : near(generator);
        worst =
            std::fmax(worst, ulps(mlestar::math::exp(x), std::exp(static_cast<long double>(x))));
    }
    CHECK(worst <= 1.0);
    CHECK(mlestar::math::exp(0.0) == 1.0);
    CHECK(mlestar::math::exp(-INFINITY) == 0.0);
    CHECK(mlestar::math::exp(-800.0) == 0.0);
    CHECK(mlestar::math::exp(INFINITY) == INFINITY);
    CHECK(mlestar::math::exp(710.0) == INFINITY);
    CHECK(std::isnan(mlestar::math::exp(NAN)));
    CHECK(std::fabs(mlestar::math::exp(-740.0) - std::exp(-740.0)) <= 1e-323);
}

void error_function() {
    double worst_small = 0.0, worst = 0.0;
    for (int i = -80000; i <= 80000; ++i) {
        const double x = i * 1e-4;
        const long double expected = std::erf(static_cast<long double>(x));
        if (std::fabs(x) < 1.0)
            worst_small = std::fmax(worst_small, ulps(mlestar::math::erf(x), expected));
        worst = std::fmax(worst, static_cast<double>(std::fabs(mlestar::math::erf(x) - expected)));
    }
    CHECK(worst_small < 3.0);
    CHECK(worst < 4e-16);
    CHECK(mlestar::math::erf(30.0) == 1.0);
    CHECK(mlestar::math::erf(-30.0) == -1.0);
    CHECK(mlestar::math::erf(0.0) == 0.0);
    CHECK(std::isnan(mlestar::math::erf(NAN)));
}

}  // namespace

int main() {
    logarithm();
    exponential();
    error_function();
    return check::finish("math");
}
