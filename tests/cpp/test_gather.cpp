// Rows by number: every layout, run and element size against the obvious loop, in memory of just
// the size, and large enough for the stores that go past the caches.
#include "model_selection/gather.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "check.hpp"
#include "support/line_writer.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::model_selection;
using bytes = std::vector<std::byte>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

bytes random_bytes(std::mt19937_64& engine, std::int64_t size) {
    bytes result(at(size));
    for (std::byte& b : result) b = static_cast<std::byte>(engine() & 255U);
    return result;
}

// Pieces of all sizes, to targets that begin anywhere in a line: nothing beside them is touched.
void writer_keeps_to_its_place(std::mt19937_64& engine) {
    const bytes source = random_bytes(engine, 200'000);
    for (std::int64_t offset = 0; offset < 130; offset += 13) {
        bytes target(source.size() + 200, std::byte{7});
        line_writer writer(target.data() + offset);
        std::int64_t done = 0;
        while (true) {
            const std::int64_t largest = engine() % 4 == 0 ? 12'000 : 90;
            const auto size = static_cast<std::int64_t>(engine() % at(largest));
            if (done + size > static_cast<std::int64_t>(source.size())) break;
            if (engine() % 2 == 0 && size <= line_writer::capacity) {
                std::memcpy(writer.room(size), source.data() + done, at(size));
                writer.put(size);
            } else {
                writer.append(source.data() + done, size);
            }
            done += size;
        }
        writer.finish();
        CHECK(std::equal(source.begin(), source.begin() + done, target.begin() + offset));
        const auto untouched = [](std::byte b) { return b == std::byte{7}; };
        CHECK(std::all_of(target.begin(), target.begin() + offset, untouched));
        CHECK(std::all_of(target.begin() + offset + done, target.end(), untouched));
    }
}

std::vector<std::int64_t> some_rows(std::mt19937_64& engine, std::int64_t rows, int kind) {
    std::vector<std::int64_t> result;
    for (std::int64_t i = 0; i < rows; ++i)
        if (kind == 0 ? (i < rows / 3 || i > rows / 2) : engine() % 5 != 0) result.push_back(i);
    if (kind == 2) std::shuffle(result.begin(), result.end(), engine);
    return result;
}

void rows_are_those_of_a_loop(std::mt19937_64& engine, std::int64_t rows, std::int64_t columns,
                              std::int64_t item, int kind) {
    const bytes source = random_bytes(engine, rows * columns * item);
    const auto numbers = some_rows(engine, rows, kind);
    const auto count = static_cast<std::int64_t>(numbers.size());
    for (const bool by_rows : {true, false}) {
        const std::int64_t row_stride = by_rows ? columns * item : item;
        const std::int64_t column_stride = by_rows ? item : rows * item;
        bytes in_rows(at(count * columns * item)), in_columns(in_rows.size());
        for (std::int64_t i = 0; i < count; ++i)
            for (std::int64_t j = 0; j < columns; ++j) {
                const std::byte* from =
                    source.data() + numbers[at(i)] * row_stride + j * column_stride;
                std::memcpy(in_rows.data() + (i * columns + j) * item, from, at(item));
                std::memcpy(in_columns.data() + (j * count + i) * item, from, at(item));
            }
        bytes found(in_rows.size());
        if (by_rows) {
            take_rows(source.data(), row_stride, columns * item, numbers.data(), count,
                      found.data());
            CHECK(found == in_rows);
        }
        std::fill(found.begin(), found.end(), std::byte{0});
        take_transposed(source.data(), row_stride, column_stride, item, columns, numbers.data(),
                        count, found.data());
        CHECK(found == in_rows);
        std::fill(found.begin(), found.end(), std::byte{0});
        take_columns(source.data(), row_stride, column_stride, item, columns, numbers.data(), count,
                     found.data());
        CHECK(found == in_columns);
    }
}

}  // namespace

int main() {
    std::mt19937_64 engine(11);
    writer_keeps_to_its_place(engine);
    for (const int kind : {0, 1, 2}) {
        for (const std::int64_t item : {1, 3, 4, 8, 16})
            for (const std::int64_t columns : {1, 5, 33})
                rows_are_those_of_a_loop(engine, 700, columns, item, kind);
        // Past the caches: narrow, wide, and one element of a row.
        rows_are_those_of_a_loop(engine, 60'000, 23, 8, kind);
        rows_are_those_of_a_loop(engine, 6'000, 260, 8, kind);
        rows_are_those_of_a_loop(engine, 1'500'000, 1, 8, kind);
        rows_are_those_of_a_loop(engine, 900'000, 3, 4, kind);
    }
    return check::finish("gather");
}
