// The metrics from C++, as an embedding program calls them; runs under the sanitizers.
#include <random>
#include <vector>

#include "check.hpp"
#include "metrics/classification.hpp"
#include "metrics/labels.hpp"
#include "metrics/ranking.hpp"
#include "metrics/regression.hpp"
#include "metrics/scoring_rules.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::metrics;

template <class T>
vector_view view(const std::vector<T>& values, dtype type) {
    return {reinterpret_cast<const std::byte*>(values.data()), type,
            static_cast<std::int64_t>(values.size()), sizeof(T)};
}

bool near(double a, double b, double tolerance = 1e-12) {
    return std::fabs(a - b) <= tolerance * std::fmax(1.0, std::fabs(b));
}

struct sample {
    std::vector<std::int64_t> y, z;
    std::vector<double> score, weight;

    explicit sample(std::size_t n) : y(n), z(n), score(n), weight(n) {
        std::mt19937_64 generator(n);
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = unit(generator) < 0.4;
            z[i] = static_cast<std::int64_t>(unit(generator) * 5) - 2;
            score[i] = std::round(unit(generator) * 500) / 500 - 0.3;
            weight[i] = unit(generator);
        }
        y[0] = 0;
        y[1] = 1;
    }
};

void ranking() {
    for (const std::size_t n : {2u, 30u, 900u, 6000u}) {
        const sample s(n);
        double pairs = 0.0, in_order = 0.0, weighted_pairs = 0.0, weighted = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n && s.y[i]; ++j) {
                if (s.y[j]) continue;
                const double order =
                    s.score[i] > s.score[j] ? 1.0 : (s.score[i] == s.score[j] ? 0.5 : 0.0);
                pairs += 1.0;
                in_order += order;
                weighted_pairs += s.weight[i] * s.weight[j];
                weighted += order * s.weight[i] * s.weight[j];
            }
        }
        const auto y = view(s.y, dtype::i64);
        const auto score = view(s.score, dtype::f64);
        CHECK(roc_auc(y, score, {}) == in_order / pairs);
        CHECK(near(*roc_auc(y, score, view(s.weight, dtype::f64)), weighted / weighted_pairs));
        std::vector<std::uint8_t> positive(s.y.begin(), s.y.end());
        std::vector<std::uint64_t> scratch;
        CHECK(roc_auc_scorer(positive)(s.score.data(), scratch) == in_order / pairs);
    }
    const sample s(100);
    CHECK(!roc_auc(view(s.z, dtype::i64), view(s.score, dtype::f64), {}));
    CHECK(!roc_auc(view(s.y, dtype::i64), {}, {}));
    CHECK(!average_precision(view(s.y, dtype::i64), view(s.score, dtype::f64), {}, 7));
}

void classification() {
    const sample s(200000);
    const auto y = view(s.y, dtype::i64);
    const auto z = view(s.z, dtype::i64);
    double same = 0.0;
    for (std::size_t i = 0; i < s.y.size(); ++i) same += s.y[i] == s.z[i];
    CHECK(accuracy(y, z, {}, false) == same);
    const auto matrix = confusion_matrix(y, z, {});
    CHECK(matrix && matrix->labels == std::vector<std::int64_t>({-2, -1, 0, 1, 2}));
    double total = 0.0;
    for (double cell : matrix->cells) total += cell;
    CHECK(total == 200000.0);
    fscore_options options;
    options.mode = average::micro;
    CHECK(near(precision_recall_fscore(y, z, {}, options)->fscore[0], same / 200000.0));
    const std::vector<std::int64_t> far = {-(std::int64_t{1} << 62), std::int64_t{1} << 62, 0, 0};
    CHECK(label_set::of({view(far, dtype::i64)})->size() == 3);
    CHECK(!accuracy(y, view(far, dtype::i64), {}, true));
}

void scoring() {
    const std::vector<std::int64_t> y = {0, 1, 1, 0};
    const std::vector<double> p = {0.1, 0.8, 1.0, 0.0};
    const double expected = -(std::log(0.9) + std::log(0.8)) / 4.0;
    CHECK(near(log_loss(view(y, dtype::i64), view(p, dtype::f64), {}, {}, true)->value, expected,
               1e-14));
    CHECK(near(brier_score(view(y, dtype::i64), view(p, dtype::f64), {}, std::nullopt)->value,
               0.05 / 4));
    const std::vector<double> bad = {0.1, 1.2, 0.5, 0.5};
    CHECK(!log_loss(view(y, dtype::i64), view(bad, dtype::f64), {}, {}, true));
}

void regression() {
    const sample s(150001);
    const matrix_view a{
        reinterpret_cast<const std::byte*>(s.score.data()), dtype::f64, 150001, 1, 8, 8};
    const matrix_view b{
        reinterpret_cast<const std::byte*>(s.weight.data()), dtype::f64, 150001, 1, 8, 8};
    long double square = 0.0L;
    for (std::size_t i = 0; i < s.y.size(); ++i)
        square += (s.score[i] - s.weight[i]) * static_cast<long double>(s.score[i] - s.weight[i]);
    CHECK(near((*mean_error(error_kind::squared, a, b, {}))[0],
               static_cast<double>(square / 150001)));
    CHECK(near(explained(a, b, {})->residual[0], static_cast<double>(square)));

    double most = 0.0;
    for (std::size_t i = 0; i < s.y.size(); ++i)
        most = std::max(most, std::fabs(s.score[i] - s.weight[i]));
    CHECK(*max_error(a.column(0), b.column(0)) == most);
    auto broken = s.score;
    for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
        broken[70'000] = value;
        CHECK(!max_error(view(broken, dtype::f64), b.column(0)));
    }
}

void strings() {
    const char32_t text[] = U"b\0\0a\0\0ab\0b\0\0";
    const string_array array{reinterpret_cast<const std::byte*>(text), 4, 12, 3};
    const auto found = encode_strings({array});
    CHECK(found.values == std::vector<std::u32string>({U"a", U"ab", U"b"}));
    CHECK(found.codes[0] == std::vector<std::int64_t>({2, 0, 1, 2}));
}

}  // namespace

int main() {
    ranking();
    classification();
    scoring();
    regression();
    strings();
    return check::finish("metrics");
}
