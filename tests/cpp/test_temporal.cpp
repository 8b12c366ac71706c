// Rows with times: no label to train on overlaps one that is held out, told by every pair of rows.
#include "model_selection/temporal.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "check.hpp"
#include "support/error.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::model_selection;
using numbers = std::vector<std::int64_t>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

vector_view view_of(const numbers& values) {
    return {reinterpret_cast<const std::byte*>(values.data()), dtype::i64,
            static_cast<std::int64_t>(values.size()), 8};
}

struct sides {
    numbers train;
    numbers test;
};

sides written(const marked_rows& marked) {
    sides result{numbers(at(marked.train())), numbers(at(marked.test()))};
    marked.write(result.train.data(), result.test.data());
    CHECK(std::is_sorted(result.train.begin(), result.train.end()));
    CHECK(std::is_sorted(result.test.begin(), result.test.end()));
    return result;
}

struct times {
    numbers t0;
    numbers t1;
};

times some_times(std::mt19937_64& engine, std::int64_t rows) {
    times result;
    for (std::int64_t i = 0; i < rows; ++i) {
        result.t0.push_back(static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(rows)));
        result.t1.push_back(result.t0.back() + static_cast<std::int64_t>(engine() % 9));
    }
    return result;
}

std::vector<char> flags(const numbers& rows, std::size_t size) {
    std::vector<char> result(size, 0);
    for (const std::int64_t row : rows) result[at(row)] = 1;
    return result;
}

// Every row is held out once, and what may be trained on is: all but what overlaps the span of the
// fold, or begins within the embargo after its last label.
void purged_folds_are_clean(const times& rows, std::int64_t count, std::int64_t wait) {
    const auto line = std::make_shared<const timeline>(view_of(rows.t0), view_of(rows.t1));
    embargo after;
    after.time = duration{wait, static_cast<double>(wait)};
    const purged_folds all(line, count, after);
    numbers fold_of_row(rows.t0.size());
    all.fold_of_row(fold_of_row.data());
    numbers held(rows.t0.size(), 0);
    for (std::int64_t f = 0; f < count; ++f) {
        const sides found = written(all.split({f}));
        std::int64_t begin = INT64_MAX, end = INT64_MIN;
        for (const std::int64_t row : found.test) {
            ++held[at(row)];
            CHECK(fold_of_row[at(row)] == f);
            begin = std::min(begin, rows.t0[at(row)]);
            end = std::max(end, rows.t1[at(row)]);
        }
        const auto trained = flags(found.train, rows.t0.size());
        const auto tested = flags(found.test, rows.t0.size());
        for (std::size_t row = 0; row < rows.t0.size(); ++row) {
            const bool clear = rows.t1[row] < begin || rows.t0[row] > end + wait;
            CHECK(tested[row] || (trained[row] != 0) == clear);
        }
    }
    CHECK(std::all_of(held.begin(), held.end(), [](std::int64_t times) { return times == 1; }));
}

void windows_walk_forward(const times& rows) {
    const timeline line(view_of(rows.t0), view_of(rows.t1));
    for (const bool expanding : {false, true}) {
        const auto windows = walk_forward(line, walk{200, 60, 10, 60}, expanding, false);
        CHECK(!windows.empty());
        for (const window& each : windows) {
            CHECK(each.test_last - each.test_first == 60);
            CHECK(each.test_first - each.train_last == 10);
            CHECK(expanding ? each.train_first == 0 : each.train_last - each.train_first == 200);
            const sides found = written(split_window(line, each));
            std::int64_t begin = INT64_MAX, last_known = INT64_MIN;
            for (const std::int64_t row : found.test) begin = std::min(begin, rows.t0[at(row)]);
            for (const std::int64_t row : found.train)
                last_known = std::max(last_known, rows.t1[at(row)]);
            CHECK(last_known < begin);
        }
    }
}

void groups_come_in_order(std::mt19937_64& engine, const times& rows) {
    const auto line = std::make_shared<const timeline>(view_of(rows.t0), view_of(rows.t1));
    numbers groups;
    for (const std::int64_t time : rows.t0)
        groups.push_back(time / 50 + static_cast<std::int64_t>(engine() % 2));
    const group_series series(line, view_of(groups));
    CHECK(series.rows() == static_cast<std::int64_t>(rows.t0.size()));
    for (std::int64_t first = 2; first + 2 < series.groups(); first += 3) {
        const sides found = written(series.split({0, first, first, first + 2}));
        std::int64_t begin = INT64_MAX;
        numbers held;
        for (const std::int64_t row : found.test) {
            held.push_back(groups[at(row)]);
            begin = std::min(begin, rows.t0[at(row)]);
        }
        for (const std::int64_t row : found.train) {
            CHECK(std::find(held.begin(), held.end(), groups[at(row)]) == held.end());
            CHECK(rows.t1[at(row)] < begin);
        }
    }
}

}  // namespace

int main() {
    std::mt19937_64 engine(13);
    for (const std::int64_t size : {20, 900}) {
        const times rows = some_times(engine, size);
        for (const std::int64_t count : {2, 5})
            for (const std::int64_t wait : {0, 4}) purged_folds_are_clean(rows, count, wait);
    }
    const times many = some_times(engine, 900);
    windows_walk_forward(many);
    groups_come_in_order(engine, many);

    // Far more rows than a task holds: a fold of row numbers is what lies between its bounds.
    const std::int64_t rows = 300'001;
    const auto line = std::make_shared<const timeline>(rows);
    const sides found = written(purged_folds(line, 3, {}).split({1}));
    CHECK(found.test.front() == 100'001 && found.test.back() == 200'000);
    CHECK(found.train.size() == at(rows) - found.test.size());

    const numbers early = {5, 6}, late = {4, 9}, three = {1, 2, 3};
    CHECK(check::throws<argument_error>([&] { timeline(view_of(early), view_of(late)); }));
    CHECK(check::throws<argument_error>([&] { timeline(view_of(early), view_of(three)); }));
    return check::finish("temporal");
}
