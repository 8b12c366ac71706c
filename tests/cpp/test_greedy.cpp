// Greedy selection from C++: the errors are those of the blended predictions, and bad models are
// named.
#include "ensemble/greedy.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
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
    std::mt19937_64 engine(5);
    std::uniform_real_distribution<double> unit(0.01, 0.99);
    std::vector<double> y(n), p(n), q(n);
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = unit(engine) < 0.5 ? 0.0 : 1.0;
        p[i] = unit(engine);
        q[i] = 0.5 * (unit(engine) + y[i]);
    }
    const vector_view target{reinterpret_cast<const std::byte*>(y.data()), dtype::f64, n, 8};
    long double square = 0.0L, loss = 0.0L;
    for (std::size_t i = 0; i < n; ++i) {
        const double mean = (p[i] + q[i]) / 2;
        square += static_cast<long double>(mean - y[i]) * (mean - y[i]);
        loss -= std::log(static_cast<long double>(y[i] == 1.0 ? mean : 1.0 - mean));
    }
    greedy_selection rmse(greedy_metric::rmse, {column(p), column(q)}, target, {});
    rmse.add(0);
    CHECK(std::fabs(rmse.candidate_errors()[1] - std::sqrt(static_cast<double>(square / n))) <
          1e-13);
    greedy_selection log_loss(greedy_metric::log_loss, {column(p), column(q)}, target, {});
    log_loss.add(0);
    CHECK(std::fabs(log_loss.candidate_errors()[1] - static_cast<double>(loss / n)) < 1e-12);
    greedy_selection auc(greedy_metric::roc_auc, {column(p), column(q)}, target, {});
    CHECK(auc.candidate_errors()[1] < auc.candidate_errors()[0]);
    CHECK(check::throws<argument_error>([&] { auc.add(2); }, "model is 2"));
    q[4] = NAN;
    CHECK(check::throws<argument_error>(
        [&] { greedy_selection(greedy_metric::rmse, {column(p), column(q)}, target, {}); },
        "predictions[1]"));
    return check::finish("greedy");
}
