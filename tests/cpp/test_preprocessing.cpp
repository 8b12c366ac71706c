// Preprocessing from C++: moments, extremes, order statistics, sketches and maps of tables in any
// layout, the same for any number of threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "preprocessing/impute.hpp"
#include "preprocessing/quantiles.hpp"
#include "preprocessing/scale.hpp"
#include "preprocessing/sketch.hpp"
#include "support/error.hpp"
#include "support/parallel.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::preprocessing;

constexpr std::int64_t rows = 50'000, columns = 5;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

matrix_view by_rows(const std::vector<double>& values) {
    return {reinterpret_cast<const std::byte*>(values.data()),
            dtype::f64,
            rows,
            columns,
            8 * columns,
            8};
}

matrix_view by_columns(const std::vector<double>& values) {
    return {
        reinterpret_cast<const std::byte*>(values.data()), dtype::f64, rows, columns, 8, 8 * rows};
}

result_view into(std::vector<double>& values, bool columns_first) {
    return {reinterpret_cast<std::byte*>(values.data()), dtype::f64, rows, columns, columns_first};
}

}  // namespace

int main() {
    std::mt19937_64 engine(5);
    std::normal_distribution<double> normal;
    std::vector<double> x(rows * columns), turned(rows * columns);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = i % 97 == 0 ? missing : normal(engine) + 1e6;
        turned[i % columns * rows + i / columns] = x[i];
    }

    long double sum = 0.0L, square = 0.0L, count = 0.0L;
    std::vector<double> first;
    for (std::size_t i = 0; i < x.size(); i += columns)
        if (x[i] == x[i]) first.push_back(x[i]);
    for (const double v : first) {
        sum += v;
        count += 1.0L;
    }
    for (const double v : first) square += (v - sum / count) * (v - sum / count);
    const auto moments = moments_of(by_rows(x), {});
    CHECK(moments.has_value());
    CHECK(moments->front().weight.value() == static_cast<double>(count));
    CHECK(std::fabs(moments->front().sum.value() - static_cast<double>(sum)) <= 1e-5);
    CHECK(std::fabs(moments->front().square.value() / static_cast<double>(square) - 1.0) < 1e-13);
    const auto other = moments_of(by_columns(turned), {});
    CHECK(other->front().sum.value() == moments->front().sum.value());
    set_thread_count(3);
    const auto again = moments_of(by_rows(x), {});
    for (std::size_t j = 0; j < columns; ++j) {
        CHECK((*again)[j].square.high == (*moments)[j].square.high);
        CHECK((*again)[j].square.low == (*moments)[j].square.low);
    }

    std::sort(first.begin(), first.end());
    const auto extremes = extremes_of(by_rows(x));
    CHECK(extremes->low.front() == first.front());
    CHECK(extremes->high.front() == first.back());
    const auto pairs = order_statistics(by_columns(turned), {0.0, 0.25, 0.5, 1.0}, missing);
    CHECK(pairs->counts.front() == static_cast<std::int64_t>(first.size()));
    for (std::size_t f = 0; f < 4; ++f) {
        const double fraction = std::vector<double>{0.0, 0.25, 0.5, 1.0}[f];
        const rank_pair ranks = ranks_of(fraction, static_cast<std::int64_t>(first.size()));
        CHECK(pairs->lower[f * columns] == first[static_cast<std::size_t>(ranks.lower)]);
        CHECK(pairs->upper[f * columns] == first[static_cast<std::size_t>(ranks.upper)]);
    }

    quantile_sketch sketch(1), part(2);
    CHECK(sketch.update(by_rows(x), missing));
    CHECK(part.update(by_columns(turned), missing));
    sketch.merge(part);
    sketch.merge(sketch);
    const auto found = quantile_sketch::load(sketch.save()).pairs({0.5});
    CHECK(found.counts.front() == static_cast<std::int64_t>(4 * first.size()));
    CHECK(std::fabs(found.lower.front() - first[first.size() / 2]) < 0.02);
    auto damaged = sketch.save();
    damaged.integers[2] += 1;
    CHECK(check::throws<argument_error>([&] { quantile_sketch::load(damaged); }, "state"));

    const std::vector<double> a(columns, 3.0), b(columns, 0.5);
    std::vector<double> made(x.size()), made_turned(x.size());
    CHECK(scale_into(by_rows(x), {scale_map::subtract_divide, a, b}, into(made, false)));
    CHECK(scale_into(by_rows(x), {scale_map::subtract_divide, a, b}, into(made_turned, true)));
    CHECK(fill_into(by_rows(made), a, missing, into(made, false)));
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double wanted = x[i] == x[i] ? (x[i] - 3.0) / 0.5 : 3.0;
        CHECK(made[i] == wanted);
        CHECK(x[i] != x[i] || made_turned[i % columns * rows + i / columns] == wanted);
    }
    CHECK(!binarize_into(by_rows(x), 0.0, into(made, false)));  // NaN
    CHECK(normalize_into(by_rows(made), row_norm::max, into(made, false)));
    const auto values = values_of(by_rows(x));
    CHECK(values->front().values == first);

    x[x.size() - 3] = -infinity;
    CHECK(!moments_of(by_rows(x), {}));
    CHECK(!extremes_of(by_rows(x)));
    CHECK(!order_statistics(by_rows(x), {0.5}, missing));
    CHECK(!quantile_sketch(0).update(by_rows(x), missing));
    CHECK(!values_of(by_rows(x)));
    const std::vector<double> kept = x;
    CHECK(!scale_into(by_rows(x), {scale_map::subtract_divide, a, b}, into(x, false)));
    CHECK(!fill_into(by_rows(x), a, missing, into(x, false)));
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == kept[i] || x[i] != x[i]);
    return check::finish("preprocessing");
}
