// Curves, columns, clusterings, retrieval, indicators and quantiles from C++, under the sanitizers.
#include <algorithm>
#include <random>
#include <vector>

#include "check.hpp"
#include "metrics/clustering.hpp"
#include "metrics/curves.hpp"
#include "metrics/curves.kernels.hpp"
#include "metrics/multilabel.hpp"
#include "metrics/ranking_columns.hpp"
#include "metrics/regression.hpp"
#include "metrics/regression_quantile.hpp"
#include "metrics/retrieval.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::metrics;

template <class T>
vector_view view(const std::vector<T>& values, dtype type) {
    return {reinterpret_cast<const std::byte*>(values.data()), type,
            static_cast<std::int64_t>(values.size()), sizeof(T)};
}

matrix_view table(const std::vector<double>& values, std::int64_t columns) {
    return {reinterpret_cast<const std::byte*>(values.data()),
            dtype::f64,
            static_cast<std::int64_t>(values.size()) / columns,
            columns,
            columns * 8,
            8};
}

bool near(double a, double b) { return std::fabs(a - b) <= 1e-12 * std::fmax(1.0, std::fabs(b)); }

struct sample {
    std::vector<std::int64_t> y, code;
    std::vector<double> score, weight, columns, truth;

    explicit sample(std::size_t n) : y(n), code(n), score(n), weight(n) {
        std::mt19937_64 generator(n);
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = i < 2 ? static_cast<std::int64_t>(i) : unit(generator) < 0.4;
            code[i] = i < 3 ? static_cast<std::int64_t>(i)
                            : static_cast<std::int64_t>(unit(generator) * 3);
            score[i] = std::round(unit(generator) * 300) / 300 - 0.3;
            weight[i] = unit(generator) + 0.01;
            for (int k = 0; k < 3; ++k) {
                columns.push_back(unit(generator));
                truth.push_back(unit(generator) < 0.5 ? 1.0 : 0.0);
            }
        }
    }
};

// Points by comparing every score with every threshold.
void curves() {
    for (const std::size_t n : {2u, 40u, 5000u, 130'000u}) {
        const sample s(n);
        const auto y = view(s.y, dtype::i64), x = view(s.score, dtype::f64);
        for (const bool weighted : {false, true}) {
            const auto w = weighted ? view(s.weight, dtype::f64) : vector_view{};
            const auto counts = count_at_thresholds(y, x, w, std::nullopt, keep_rule::all);
            const auto size = static_cast<std::size_t>(counts->size());
            std::vector<double> misses(size), hits(size), at(size);
            counts->write(misses.data(), hits.data(), at.data(), 0, 1, 1.0, 1.0,
                          curve_kind::counts);
            CHECK(std::is_sorted(at.rbegin(), at.rend()));
            for (std::size_t k = 0; k < size; k += 1 + size / 7) {
                double expected_hits = 0.0, expected_misses = 0.0;
                for (std::size_t i = 0; i < n; ++i)
                    if (s.score[i] >= at[k])
                        (s.y[i] ? expected_hits : expected_misses) += weighted ? s.weight[i] : 1.0;
                CHECK(near(hits[k], expected_hits) && near(misses[k], expected_misses));
            }
            const auto bends = count_at_thresholds(y, x, w, std::nullopt, keep_rule::bends);
            CHECK(bends->size() <= counts->size());
            const auto area = trapezoid_area(view(misses, dtype::f64), view(hits, dtype::f64));
            CHECK(area.has_value());
        }
    }
    CHECK(count_at_thresholds({}, {}, {}, std::nullopt, keep_rule::all) == nullptr);
}

void columns() {
    const sample s(4000);
    const auto codes = view(s.code, dtype::i64);
    const auto score = table(s.columns, 3);
    const auto pairs = pair_scores(codes, score);
    for (std::int64_t a = 0; a < 3; ++a) {
        for (std::int64_t b = 0; b < 3; ++b) {
            double ordered = 0.0, all = 0.0;
            for (std::size_t i = 0; i < 4000 && a != b; ++i) {
                for (std::size_t j = 0; j < 4000 && s.code[i] == a; ++j) {
                    if (s.code[j] != b) continue;
                    const auto at = static_cast<std::size_t>(a);
                    const double one = s.columns[3 * i + at], other = s.columns[3 * j + at];
                    ordered += one > other ? 1.0 : (one == other ? 0.5 : 0.0);
                    all += 1.0;
                }
            }
            const double area = (*pairs)[static_cast<std::size_t>(3 * a + b)];
            CHECK(a == b ? std::isnan(area) : near(area, ordered / all));
        }
    }
    const auto rest = class_scores(ranking_metric::roc_auc, codes, score, {});
    CHECK(rest && rest->size() == 3);
    CHECK(
        label_scores(ranking_metric::average_precision, table(s.truth, 3), score, {}).has_value());
    CHECK(sample_scores(ranking_metric::roc_auc, table(s.truth, 3), score)->size() == 4000);
    CHECK(!rows_sum_to_one(score));
}

void clusterings() {
    const sample s(3000);
    const auto t = view(s.code, dtype::i64);
    const auto same = contingency_table(t, t);
    CHECK(same->counts.size() == 3 && near(mutual_information(*same), entropy(same->row_sums)));
    std::vector<std::int64_t> many(3000);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = static_cast<std::int64_t>(i) * 1'000'000'007;
    const auto apart = contingency_table(t, view(many, dtype::i64));
    CHECK(apart->counts.size() == 3000 && apart->column_sums.size() == 3000);
    CHECK(near(expected_mutual_information(same->row_sums, {3000}, 3000), 0.0));
    std::vector<std::int32_t> codes(s.code.begin(), s.code.end());
    const auto points = table(s.columns, 3);
    const auto values = silhouettes(distance_metric::euclidean, points, codes, 3);
    CHECK(values && std::all_of(values->begin(), values->end(),
                                [](double v) { return v >= -1.0 && v <= 1.0; }));
    CHECK(silhouettes(distance_metric::manhattan, points, codes, 3).has_value());
    CHECK(spread_of(points, codes, 3)->centres.size() == 9);
    CHECK(!silhouettes(distance_metric::euclidean, points, codes, 1));
}

void rows() {
    const sample s(5000);
    const auto truth = table(s.truth, 3), score = table(s.columns, 3);
    const auto w = view(s.weight, dtype::f64);
    CHECK(mean_over_rows(retrieval_metric::coverage, truth, score, w).has_value());
    CHECK(mean_over_rows(retrieval_metric::average_precision, truth, score, {}).has_value());
    const auto loss = mean_over_rows(retrieval_metric::ranking_loss, truth, score, w);
    CHECK(loss && *loss > 0.3 && *loss < 0.7);
    const std::vector<double> discount{1.0, 0.6, 0.5};
    const auto d = view(discount, dtype::f64);
    CHECK(near(*discounted_gain(score, score, w, d, false, true), 1.0));
    CHECK(near(*top_k_accuracy(view(s.code, dtype::i64), score, w, 3, true), 1.0));
    const auto counts = count_by_label(truth, truth, w);
    CHECK(counts && counts->hit == counts->truth && near(counts->exact, counts->weight));
    CHECK(count_by_sample(truth, truth)->hit == count_by_sample(truth, truth)->predicted);
    CHECK(!count_by_label(score, truth, w));
}

void quantiles() {
    for (const std::size_t n : {1u, 2u, 4000u, 150'001u}) {
        const sample s(std::max<std::size_t>(n, 3));
        auto sorted = s.score;
        std::sort(sorted.begin(), sorted.end());
        const auto x = view(s.score, dtype::f64);
        const std::size_t half = (sorted.size() - 1) / 2;
        const double middle = (sorted[half] + sorted[sorted.size() / 2]) / 2;
        CHECK(near(*quantile(x, {}, {}, 0.5), middle));
        CHECK(near(*quantile(x, {}, {}, 0.0), sorted.front()));
        CHECK(near(*quantile(x, {}, {}, 1.0), sorted.back()));
        const std::vector<std::int64_t> ones(sorted.size(), 1);
        CHECK(near(*quantile(x, {}, view(ones, dtype::i64), 0.5), middle));
    }
}

}  // namespace

int main() {
    curves();
    columns();
    clusterings();
    rows();
    quantiles();
    return check::finish("scores");
}
