// Convex weights from C++: the optimum of a quadratic program is its closed form, that of the log
// loss is certified, and bad models are named.
#include "ensemble/convex.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
#include "ensemble/convex_quadratic.hpp"
#include "support/error.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::ensemble;

constexpr std::int64_t n = 9000;

matrix_view column(const std::vector<double>& values) {
    return {reinterpret_cast<const std::byte*>(values.data()),
            dtype::f64,
            static_cast<std::int64_t>(values.size()),
            1,
            8,
            8};
}

}  // namespace

int main() {
    // (1/2) d'Hd + g'd over d >= (-1, -1), d1 + d2 = 0: d = (t, -t), t = (g2 - g1) / 4 here.
    const std::vector<double> move = minimize_quadratic({2, 0, 0, 2}, {1, 2}, {-1, -1}, {1, 1});
    CHECK(std::abs(move[0] - 0.25) < 1e-9 && std::abs(move[1] + 0.25) < 1e-9);
    const std::vector<double> bound = minimize_quadratic({2, 0, 0, 2}, {-9, 9}, {-1, -1}, {1, 1});
    CHECK(bound[0] == 1.0 && bound[1] == -1.0);

    std::mt19937_64 engine(5);
    std::uniform_real_distribution<double> unit(0.01, 0.99);
    std::vector<double> y(n), p(n), q(n);
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = unit(engine) < 0.5 ? 0.0 : 1.0;
        p[i] = 0.5 * (unit(engine) + y[i]);
        q[i] = 0.5 * (unit(engine) + y[i]);
    }
    convex_data data;
    data.predictions = {column(p), column(q)};
    data.y = {reinterpret_cast<const std::byte*>(y.data()), dtype::f64, n, 8};
    data.probabilities = true;
    const convex_result found = minimize_convex(data, {});
    CHECK(found.converged && found.gap <= 1e-9);
    for (const double share : {0.0, 0.3, 0.5, 0.9, 1.0}) {
        double loss = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            const double blend = share * p[i] + (1.0 - share) * q[i];
            loss -= std::log(y[i] == 1.0 ? blend : 1.0 - blend);
        }
        CHECK(found.objective <= loss / n + 1e-9);
    }

    q[77] = 2.0;
    CHECK(check::throws<argument_error>([&] { minimize_convex(data, {}); }, "predictions[1]"));
    data.predictions.clear();
    CHECK(
        check::throws<argument_error>([&] { minimize_convex(data, {}); }, "predictions is empty"));
    return check::finish("convex");
}
