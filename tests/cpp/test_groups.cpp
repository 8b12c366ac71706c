// Groups: each whole in one fold, by the rule that its function states, told again the slow way.
#include "model_selection/groups.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::model_selection;
using numbers = std::vector<std::int64_t>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

vector_view view_of(const numbers& values) {
    return {reinterpret_cast<const std::byte*>(values.data()), dtype::i64,
            static_cast<std::int64_t>(values.size()), 8};
}

numbers some_values(std::mt19937_64& engine, std::int64_t rows, std::int64_t most) {
    numbers result(at(rows));
    for (auto& value : result)
        value = static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(most)) * 7 - 20;
    return result;
}

void codes_are_ranks(const numbers& values) {
    const auto found = encode_groups(view_of(values));
    CHECK(found.has_value());
    numbers sorted = values;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    CHECK(found->counts.size() == sorted.size());
    for (std::size_t row = 0; row < values.size(); ++row)
        CHECK(sorted[at(found->of_row[row])] == values[row]);
    for (std::size_t c = 0; c < sorted.size(); ++c)
        CHECK(found->counts[c] == std::count(values.begin(), values.end(), sorted[c]));
}

void folds_follow_their_groups(const row_codes& groups, const numbers& fold_of_group,
                               std::int64_t count) {
    const folds found = folds_of_groups(groups, fold_of_group.data(), count);
    numbers sizes(at(count), 0);
    for (std::size_t row = 0; row < groups.of_row.size(); ++row) {
        CHECK(found.of_row[row] == fold_of_group[at(groups.of_row[row])]);
        ++sizes[found.of_row[row]];
    }
    CHECK(found.sizes == sizes);
}

numbers lightest(const numbers& sizes, const numbers& order, std::int64_t count) {
    numbers result(sizes.size()), load(at(count), 0);
    for (const std::int64_t g : order) {
        const auto fold = std::min_element(load.begin(), load.end()) - load.begin();
        result[at(g)] = fold;
        load[at(fold)] += sizes[at(g)];
    }
    return result;
}

// scikit-learn's loop over folds, with its tolerance, on whole tables.
numbers balanced(const std::vector<double>& table, const std::vector<double>& totals,
                 const numbers& order, std::int64_t count) {
    const std::size_t classes = totals.size();
    numbers result(table.size() / classes);
    std::vector<std::vector<double>> held(at(count), std::vector<double>(classes, 0.0));
    for (const std::int64_t g : order) {
        std::int64_t best = -1;
        double least = HUGE_VAL, fewest = HUGE_VAL;
        for (std::int64_t f = 0; f < count; ++f) {
            auto after = held;
            for (std::size_t c = 0; c < classes; ++c) after[at(f)][c] += table[at(g) * classes + c];
            double deviation = 0.0;
            for (std::size_t c = 0; c < classes; ++c) {
                double mean = 0.0, square = 0.0;
                for (const auto& fold : after) mean += fold[c] / totals[c];
                mean /= static_cast<double>(count);
                for (const auto& fold : after)
                    square += (fold[c] / totals[c] - mean) * (fold[c] / totals[c] - mean);
                deviation += std::sqrt(square / static_cast<double>(count));
            }
            deviation /= static_cast<double>(classes);
            const double rows = std::accumulate(after[at(f)].begin(), after[at(f)].end(), 0.0);
            const bool close = std::abs(deviation - least) <= 1e-8 + 1e-5 * std::abs(least);
            if (deviation < least || (close && rows < fewest)) {
                best = f;
                least = deviation;
                fewest = rows;
            }
        }
        result[at(g)] = best;
        for (std::size_t c = 0; c < classes; ++c) held[at(best)][c] += table[at(g) * classes + c];
    }
    return result;
}

}  // namespace

int main() {
    std::mt19937_64 engine(5);
    for (const std::int64_t rows : {1, 60, 5'000}) codes_are_ranks(some_values(engine, rows, 40));
    for (const std::int64_t count : {1, 3, 5}) {
        const auto groups = *encode_groups(view_of(some_values(engine, 150'000, 300)));
        const auto classes = *encode_groups(view_of(some_values(engine, 150'000, 3)));
        const auto number = static_cast<std::int64_t>(groups.counts.size());
        numbers order(at(number));
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::shuffle(order.begin(), order.end(), engine);

        const auto spread = into_lightest(groups.counts.data(), order.data(), number, count);
        CHECK(spread == lightest(groups.counts, order, count));
        folds_follow_their_groups(groups, spread, count);

        const auto table = count_classes(groups, classes);
        std::vector<double> expected(groups.counts.size() * classes.counts.size(), 0.0);
        for (std::size_t row = 0; row < groups.of_row.size(); ++row)
            ++expected[at(groups.of_row[row]) * classes.counts.size() + at(classes.of_row[row])];
        CHECK(table == expected);
        const std::vector<double> totals(classes.counts.begin(), classes.counts.end());
        const auto width = static_cast<std::int64_t>(totals.size());
        CHECK(into_balanced(table.data(), totals.data(), order.data(), number, width, count,
                            false) == balanced(table, totals, order, count));
    }
    // Ten rows of one class in the first group: without `fill` some fold of four stays empty.
    const std::vector<double> table = {10, 1, 1, 1}, totals = {13};
    const numbers order = {0, 1, 2, 3};
    auto filled = into_balanced(table.data(), totals.data(), order.data(), 4, 1, 4, true);
    std::sort(filled.begin(), filled.end());
    CHECK(filled == order);
    return check::finish("groups");
}
