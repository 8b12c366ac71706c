// Bins by the definition of a quantile, and many labels dealt: shares kept, rows held out once.
#include "model_selection/stratification.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "support/error.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::model_selection;
using numbers = std::vector<std::int64_t>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

vector_view view_of(const std::vector<double>& values) {
    return {reinterpret_cast<const std::byte*>(values.data()), dtype::f64,
            static_cast<std::int64_t>(values.size()), 8};
}

bit_generator generator_over(std::mt19937_64& engine) {
    return {&engine,
            [](void* state) -> std::uint64_t { return (*static_cast<std::mt19937_64*>(state))(); },
            [](void* state) -> std::uint32_t {
                return static_cast<std::uint32_t>((*static_cast<std::mt19937_64*>(state))() >> 32);
            },
            nullptr, nullptr};
}

void bins_are_quantiles(std::vector<double> values, std::int64_t bins) {
    const auto found = quantile_bins(view_of(values), bins);
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const auto rows = static_cast<std::int64_t>(values.size());
    for (std::size_t row = 0; row < values.size(); ++row) {
        std::int32_t bin = 0;
        for (std::int64_t i = 1; i < bins; ++i) bin += sorted[at(i * rows / bins)] <= values[row];
        CHECK(found[row] == bin);
    }
}

// Rows with up to five labels, the later ones rare.
label_rows some_labels(std::mt19937_64& engine, std::int64_t rows) {
    label_rows result;
    result.label_count = 5;
    result.starts.push_back(0);
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int32_t label = 0; label < 5; ++label)
            if (engine() % (2U << label) == 0) result.labels.push_back(label);
        result.starts.push_back(static_cast<std::int64_t>(result.labels.size()));
    }
    return result;
}

void labels_are_shared(const label_rows& y, const numbers& weights, bool exact, bool pairs,
                       bit_generator* generator) {
    const folds found = iterative_stratification(y, weights, exact, pairs, generator);
    const std::size_t count = weights.size();
    numbers sizes(count, 0);
    std::vector<numbers> held(at(y.label_count), numbers(count, 0));
    for (std::int64_t row = 0; row < y.rows(); ++row) {
        const std::size_t fold = found.of_row[at(row)];
        CHECK(fold < count);
        ++sizes[fold];
        for (std::int64_t i = y.starts[at(row)]; i < y.starts[at(row + 1)]; ++i)
            ++held[at(y.labels[at(i)])][fold];
    }
    CHECK(found.sizes == sizes);
    if (exact) CHECK(found.sizes == weights);
    const double whole = static_cast<double>(std::accumulate(weights.begin(), weights.end(), 0L));
    for (const numbers& of_label : held) {
        const auto all = static_cast<double>(std::accumulate(of_label.begin(), of_label.end(), 0L));
        for (std::size_t f = 0; f < count; ++f) {
            const double wanted = all * static_cast<double>(weights[f]) / whole;
            // A row goes where its rarest label wants it, so a common label may be off by a few.
            CHECK(std::abs(static_cast<double>(of_label[f]) - wanted) <= 5.0 + 0.02 * wanted);
        }
    }
}

}  // namespace

int main() {
    std::mt19937_64 engine(17);
    for (const std::int64_t rows : {1, 7, 400, 60'000}) {
        std::vector<double> values(at(rows)), tied(at(rows));
        for (auto& value : values) value = std::normal_distribution<double>()(engine);
        for (auto& value : tied) value = static_cast<double>(engine() % 5);
        for (const std::int64_t bins : {1, 3, 10}) {
            bins_are_quantiles(values, bins);
            bins_are_quantiles(tied, bins);
        }
    }
    CHECK(check::throws<argument_error>([] { quantile_bins(view_of({1.0, NAN}), 2); }));

    bit_generator generator = generator_over(engine);
    const label_rows y = some_labels(engine, 4'000);
    for (bit_generator* draws : {static_cast<bit_generator*>(nullptr), &generator})
        for (const bool pairs : {false, true}) {
            labels_are_shared(y, {1, 1, 1}, false, pairs, draws);
            labels_are_shared(y, {3'000, 1'000}, true, pairs, draws);
        }
    return check::finish("stratification");
}
