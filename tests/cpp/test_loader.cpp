// Every stored type, stride and alignment, read as the three types that kernels take.
#include "support/loader.hpp"

#include <cstring>
#include <vector>

#include "check.hpp"

namespace {

using namespace mlestar;

template <class T>
void every_stride(dtype type) {
    for (const std::int64_t step : {1, 2, -1, 3}) {
        for (const std::size_t offset : {std::size_t{0}, std::size_t{1}}) {
            constexpr std::int64_t n = 40;
            std::vector<std::byte> memory(sizeof(T) * 3 * n + 16);
            const std::int64_t stride = step * static_cast<std::int64_t>(sizeof(T));
            std::byte* first = memory.data() + offset + (step < 0 ? (n - 1) * sizeof(T) : 0);
            for (std::int64_t i = 0; i < n; ++i) {
                const T value = static_cast<T>(i % 2);
                std::memcpy(first + i * stride, &value, sizeof(T));
            }
            const vector_view view{first, type, n, stride};
            double doubles[block_size];
            float floats[block_size];
            std::int64_t whole[block_size];
            bool exact = true;
            const double* d = load_f64(view, 5, 30, doubles);
            const float* f = load_f32(view, 5, 30, floats);
            const std::int64_t* w = load_i64(view, 5, 30, whole, exact);
            bool same = true;
            for (std::int64_t i = 0; i < 30; ++i) {
                const int expected = static_cast<int>((i + 5) % 2);
                same &=
                    d[i] == expected && f[i] == static_cast<float>(expected) && w[i] == expected;
            }
            CHECK(same);
            CHECK(exact);
            const bool aligned = reinterpret_cast<std::uintptr_t>(first) % sizeof(T) == 0;
            if (type == dtype::f64) CHECK((d != doubles) == (step == 1 && aligned));
        }
    }
}

void integers_are_checked() {
    for (const double bad :
         {0.5, 1e300, static_cast<double>(NAN), static_cast<double>(INFINITY), 4e15}) {
        const double values[] = {1.0, bad, 3.0};
        std::int64_t buffer[block_size];
        bool exact = true;
        load_i64({reinterpret_cast<const std::byte*>(values), dtype::f64, 3, 8}, 0, 3, buffer,
                 exact);
        CHECK(!exact);
    }
    const double good[] = {-3.0, 0.0, -0.0, 2251799813685248.0};
    std::int64_t buffer[block_size];
    bool exact = true;
    load_i64({reinterpret_cast<const std::byte*>(good), dtype::f64, 4, 8}, 0, 4, buffer, exact);
    CHECK(exact);
    CHECK(buffer[0] == -3 && buffer[1] == 0 && buffer[2] == 0 && buffer[3] == 2251799813685248);
    const std::uint64_t big[] = {1, ~std::uint64_t{0}};
    load_i64({reinterpret_cast<const std::byte*>(big), dtype::u64, 2, 8}, 0, 2, buffer, exact);
    CHECK(!exact);
}

void matrices() {
    constexpr std::int64_t rows = 2100, columns = 3;
    std::vector<double> c_order(rows * columns), f_order(rows * columns), buffer(rows * columns);
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
            c_order[static_cast<std::size_t>(i * columns + j)] =
                f_order[static_cast<std::size_t>(j * rows + i)] = static_cast<double>(i * 10 + j);
    const auto* c = reinterpret_cast<const std::byte*>(c_order.data());
    const auto* f = reinterpret_cast<const std::byte*>(f_order.data());
    const matrix_view by_row{c, dtype::f64, rows, columns, columns * 8, 8};
    const matrix_view by_column{f, dtype::f64, rows, columns, 8, rows * 8};
    CHECK(load_rows_f64(by_row, 7, 100, buffer.data()) == c_order.data() + 7 * columns);
    const double* loaded = load_rows_f64(by_column, 3, 2000, buffer.data());
    CHECK(std::memcmp(loaded, c_order.data() + 3 * columns, 2000 * columns * 8) == 0);
}

}  // namespace

int main() {
    every_stride<double>(dtype::f64);
    every_stride<float>(dtype::f32);
    every_stride<std::int64_t>(dtype::i64);
    every_stride<std::int32_t>(dtype::i32);
    every_stride<std::int16_t>(dtype::i16);
    every_stride<std::int8_t>(dtype::i8);
    every_stride<std::uint64_t>(dtype::u64);
    every_stride<std::uint32_t>(dtype::u32);
    every_stride<std::uint16_t>(dtype::u16);
    every_stride<std::uint8_t>(dtype::u8);
    every_stride<bool>(dtype::boolean);
    integers_are_checked();
    matrices();
    return check::finish("loader");
}
