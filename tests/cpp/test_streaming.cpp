// Streaming metrics from C++, as an embedding program calls them; runs under the sanitizers.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "metrics/ranking.hpp"
#include "metrics/streaming.hpp"
#include "metrics/streaming_bins.hpp"
#include "metrics/streaming_probability.hpp"
#include "metrics/streaming_scores.hpp"
#include "metrics/streaming_table.hpp"
#include "support/error.hpp"
#include "support/exact_sum.hpp"
#include "support/half.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::metrics;

template <class T>
vector_view view(const std::vector<T>& values, dtype type, std::size_t first = 0,
                 std::size_t last = SIZE_MAX) {
    return {reinterpret_cast<const std::byte*>(values.data() + first), type,
            static_cast<std::int64_t>(std::min(last, values.size()) - first), sizeof(T)};
}

void exact_sums_round_once() {
    const auto sum_of = [](const std::vector<double>& terms) {
        exact_sum sum;
        for (const double term : terms) sum.add(term);
        return sum.value();
    };
    CHECK(sum_of({}) == 0.0);
    CHECK(sum_of({1e100, 1.0, -1e100}) == 1.0);
    CHECK(sum_of({5e-324, 5e-324}) == 1e-323);
    CHECK(sum_of({-5e-324, 5e-324}) == 0.0);
    // Half an ulp goes to even, a little more goes up.
    CHECK(sum_of({1.0, 0x1p-53}) == 1.0);
    CHECK(sum_of({1.0, 0x1p-53, 5e-324}) == 1.0 + 0x1p-52);
    CHECK(sum_of({1.0 + 0x1p-52, 0x1p-53}) == 1.0 + 0x1p-51);
    CHECK(sum_of({-1.0, -0x1p-53, -5e-324}) == -1.0 - 0x1p-52);
    const double largest = 0x1.fffffffffffffp1023;
    CHECK(sum_of({largest, largest, -largest}) == largest);
    CHECK(sum_of({largest, largest}) == HUGE_VAL);
    CHECK(sum_of({-largest, 0x1p1022, largest}) == 0x1p1022);
}

void exact_sums_do_not_depend_on_the_order() {
    std::mt19937_64 generator(1);
    std::vector<double> terms(5000);
    for (double& term : terms) {
        const auto exponent = static_cast<int>(generator() % 1200) - 600;
        term = std::ldexp(static_cast<double>(static_cast<std::int64_t>(generator())), exponent);
    }
    exact_sum whole;
    for (const double term : terms) whole.add(term);
    for (int round = 0; round < 5; ++round) {
        std::shuffle(terms.begin(), terms.end(), generator);
        std::vector<exact_sum> parts(7);
        for (const double term : terms) parts[generator() % 7].add(term);
        exact_sum joined;
        for (const exact_sum& part : parts) joined.add(part);
        CHECK(joined.digits() == whole.digits());
        CHECK(joined.value() == whole.value());
    }
    CHECK(exact_sum::from_digits(whole.digits()).value() == whole.value());
}

void halves() {
    CHECK(float_of_half(0x3C00) == 1.0f);
    CHECK(float_of_half(0xC000) == -2.0f);
    CHECK(float_of_half(0x0001) == 0x1p-24f);
    CHECK(float_of_half(0x7BFF) == 65504.0f);
    CHECK(std::isinf(float_of_half(0x7C00)));
    CHECK(std::isnan(float_of_half(0x7C01)));
    CHECK(std::signbit(float_of_half(0x8000)));
    CHECK(float_of_brain(0x3F80) == 1.0f);
}

struct sample {
    std::vector<std::int64_t> y, z;
    std::vector<double> score, weight;

    explicit sample(std::size_t n) : y(n), z(n), score(n), weight(n) {
        std::mt19937_64 generator(n);
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = unit(generator) < 0.4;
            z[i] = static_cast<std::int64_t>(unit(generator) * 900) - 450;
            score[i] = std::round(unit(generator) * 500) / 500 - 0.3;
            weight[i] = unit(generator);
        }
        y[0] = 0;
        y[1] = 1;
    }
};

// accumulator.add or batch of every part of the rows.
template <class Add>
void in_parts(std::size_t n, std::size_t step, Add add) {
    for (std::size_t at = 0; at < n; at += step) add(at, std::min(n, at + step));
}

void rankings() {
    const sample s(40000);
    const auto whole = *roc_auc(view(s.y, dtype::i64), view(s.score, dtype::f64), vector_view{});
    score_rows rows(std::nullopt, 1 << 18, "/tmp");
    score_rows in_memory(std::nullopt, 0, "/tmp");
    score_bins bins(100, std::nullopt);
    in_parts(40000, 777, [&](std::size_t a, std::size_t b) {
        const auto y = view(s.y, dtype::i64, a, b);
        const auto x = view(s.score, dtype::f64, a, b);
        rows.add(y, x, vector_view{});
        in_memory.add(y, x, vector_view{});
        bins.add(y, x, a > 5000 ? view(s.weight, dtype::f64, a, b) : vector_view{});
    });
    CHECK(rows.runs() > 0);
    CHECK(rows.rows() == 40000);
    CHECK(rows.roc_auc() == whole);
    CHECK(in_memory.roc_auc() == whole);
    score_rows twice = rows;
    twice.merge(in_memory);
    twice.merge(rows);
    CHECK(twice.rows() == 120000);
    CHECK(twice.roc_auc() == whole);
    score_rows copy(std::nullopt, 0, "/tmp");
    copy.load(twice.state(), twice.all_rows());
    CHECK(copy.roc_auc() == whole);
    const bounded area = bins.roc_auc();
    CHECK(area.low <= area.value && area.value <= area.high);
    CHECK(bins.bins() <= 100);
    score_bins loaded(100, std::nullopt);
    loaded.load(bins.state());
    loaded.merge(loaded);
    CHECK(loaded.rows() == 80000);
    CHECK(std::fabs(loaded.roc_auc().value - area.value) < 1e-12);
    CHECK(bins.average_precision().low <= bins.average_precision().high);
}

void tables() {
    const sample s(30000);
    label_table whole(true), joined(true);
    whole.add(view(s.y, dtype::i64), view(s.z, dtype::i64), view(s.weight, dtype::f64));
    whole.add(view(s.y, dtype::i64), view(s.z, dtype::i64), vector_view{});
    in_parts(30000, 1001, [&](std::size_t a, std::size_t b) {
        label_table part(true);
        part.add(view(s.y, dtype::i64, a, b), view(s.z, dtype::i64, a, b), vector_view{});
        part.add(view(s.y, dtype::i64, a, b), view(s.z, dtype::i64, a, b),
                 view(s.weight, dtype::f64, a, b));
        part.merge(joined);
        joined = part;
    });
    const auto a = whole.state(), b = joined.state();
    CHECK(a.integers == b.integers);
    label_table loaded(true);
    loaded.load(a);
    CHECK(loaded.state().integers == a.integers);
    const table_cells cells = loaded.cells();
    CHECK(std::accumulate(cells.count.begin(), cells.count.end(), std::int64_t{0}) == 30000);
    auto broken = a;
    for (std::size_t i = 0; i < std::min<std::size_t>(40, broken.integers.size()); ++i) {
        auto damaged = a;
        damaged.integers[i] = -1 - damaged.integers[i];
        try {
            loaded.load(damaged);
        } catch (const argument_error&) {
        }
        damaged.integers.resize(i);
        CHECK(check::throws<argument_error>([&] { loaded.load(damaged); }));
    }
}

void sums() {
    const sample s(30000);
    for (const bool exact : {false, true}) {
        regression_plan plan;
        plan.terms = {{row_loss::squared, 0.0}, {row_loss::largest, 0.0}, {row_loss::pinball, 0.3}};
        plan.target_moments = plan.error_moments = true;
        plan.exact = exact;
        regression_sums whole(plan), parts(plan);
        const auto y = as_column(view(s.score, dtype::f64));
        const auto p = as_column(view(s.weight, dtype::f64));
        whole.merge(whole.batch(y, p, view(s.weight, dtype::f64)));
        in_parts(30000, 999, [&](std::size_t a, std::size_t b) {
            parts.merge(parts.batch(as_column(view(s.score, dtype::f64, a, b)),
                                    as_column(view(s.weight, dtype::f64, a, b)),
                                    view(s.weight, dtype::f64, a, b)));
        });
        const double x = whole.terms(0)[0].value(), z = parts.terms(0)[0].value();
        CHECK(exact ? x == z : std::fabs(x - z) <= 1e-15 * x);
        CHECK(whole.largest(0) == parts.largest(0));
        regression_sums loaded(plan);
        loaded.load(parts.state());
        CHECK(loaded.terms(0)[2].value() == parts.terms(0)[2].value());
        loaded.merge(loaded);
        CHECK(loaded.rows() == 60000);

        std::vector<double> chance(s.weight);
        probability_sums loss(probability_loss::log, {}, exact, true);
        in_parts(30000, 1025, [&](std::size_t a, std::size_t b) {
            loss.merge(loss.batch(view(s.y, dtype::i64, a, b),
                                  as_column(view(chance, dtype::f64, a, b)), vector_view{}));
        });
        CHECK(loss.sum().value() > 0.0);
        CHECK(check::throws<argument_error>(
            [&] {
                loss.batch(view(s.z, dtype::i64), as_column(view(chance, dtype::f64)),
                           vector_view{});
            },
            "y_true holds"));
    }
}

void errors() {
    const std::vector<double> good{1.0, 2.0}, bad{1.0, NAN};
    regression_sums sums({{{row_loss::squared, 0.0}}, true, false, false});
    CHECK(check::throws<argument_error>(
        [&] {
            sums.batch(as_column(view(good, dtype::f64)), as_column(view(bad, dtype::f64)), {});
        },
        "y_pred holds nan in row 1"));
    score_rows rows(std::nullopt, 1 << 18, "/no/such/folder");
    const std::vector<std::int64_t> y(20000, 1);
    const std::vector<double> x(20000, 0.5);
    CHECK(check::throws<io_error>(
        [&] { rows.add(view(y, dtype::i64), view(x, dtype::f64), vector_view{}); },
        "/no/such/folder"));
    CHECK(rows.rows() == 0);
}

}  // namespace

int main() {
    exact_sums_round_once();
    exact_sums_do_not_depend_on_the_order();
    halves();
    rankings();
    tables();
    sums();
    errors();
    return check::finish("streaming");
}
