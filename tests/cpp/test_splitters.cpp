// Splits: every row held out once, classes in proportion, draws checked.
#include "model_selection/splitters.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "check.hpp"
#include "model_selection/gather.hpp"
#include "support/error.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::model_selection;

bit_generator generator_over(std::mt19937_64& engine) {
    return {&engine,
            [](void* state) -> std::uint64_t { return (*static_cast<std::mt19937_64*>(state))(); },
            [](void* state) -> std::uint32_t {
                return static_cast<std::uint32_t>((*static_cast<std::mt19937_64*>(state))() >> 32);
            },
            nullptr, nullptr};
}

void held_out_once(const folds& assignment, std::int64_t rows, std::int64_t count) {
    std::vector<int> times(static_cast<std::size_t>(rows), 0);
    for (std::int64_t f = 0; f < count; ++f) {
        const auto size = static_cast<std::size_t>(assignment.sizes[static_cast<std::size_t>(f)]);
        std::vector<std::int64_t> train(static_cast<std::size_t>(rows) - size), test(size);
        split(assignment, f, train.data(), test.data());
        CHECK(std::is_sorted(train.begin(), train.end()) &&
              std::is_sorted(test.begin(), test.end()));
        for (std::int64_t row : test) ++times[static_cast<std::size_t>(row)];
    }
    CHECK(std::all_of(times.begin(), times.end(), [](int t) { return t == 1; }));
}

}  // namespace

int main() {
    std::mt19937_64 engine(3);
    bit_generator generator = generator_over(engine);
    for (const std::int64_t rows : {5, 1000, 200001}) {
        held_out_once(shuffled_folds(rows, 5, generator), rows, 5);
        std::vector<std::int64_t> y(static_cast<std::size_t>(rows));
        for (std::size_t i = 0; i < y.size(); ++i)
            y[i] = static_cast<std::int64_t>(engine() % 2) * 9;
        const vector_view view{reinterpret_cast<const std::byte*>(y.data()), dtype::i64, rows, 8};
        for (bit_generator* drawn : {static_cast<bit_generator*>(nullptr), &generator}) {
            const auto found = stratify(view, 2, drawn);
            CHECK(found.has_value());
            if (!found->assignment.of_row.empty()) held_out_once(found->assignment, rows, 2);
        }
        const auto classes = group_by_class(view);
        std::vector<std::int64_t> tests(classes->counts.size(), 1), trains;
        for (std::int64_t c : classes->counts) trains.push_back(c - 1);
        const auto sizes = draw_sizes(*classes, trains, tests);
        std::vector<std::int64_t> train(static_cast<std::size_t>(sizes.train)),
            test(static_cast<std::size_t>(sizes.test));
        stratified_draw(*classes, trains, tests, generator, train.data(), test.data());
        train.insert(train.end(), test.begin(), test.end());
        std::sort(train.begin(), train.end());
        bool all = true;
        for (std::size_t i = 0; i < train.size(); ++i)
            all &= train[i] == static_cast<std::int64_t>(i);
        CHECK(all && train.size() == y.size());
        CHECK(check::throws<argument_error>([&] { draw_sizes(*classes, classes->counts, tests); }));
    }
    std::vector<std::int64_t> train(7), test(3);
    split_range(10, 4, 7, train.data(), test.data());
    CHECK(test == std::vector<std::int64_t>({4, 5, 6}));
    CHECK(train == std::vector<std::int64_t>({0, 1, 2, 3, 7, 8, 9}));
    const std::vector<std::int64_t> rows = {2, 0};
    CHECK(within(rows.data(), 2, 3) && !within(rows.data(), 2, 2));
    return check::finish("splitters");
}
