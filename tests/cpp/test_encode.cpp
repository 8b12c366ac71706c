// Columns of categories from C++: found, encoded and encoded by a target, the same for any number
// of threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "preprocessing/discretize.hpp"
#include "preprocessing/encode.hpp"
#include "preprocessing/quantiles_map.hpp"
#include "preprocessing/target.hpp"
#include "support/error.hpp"
#include "support/parallel.hpp"

namespace {

using namespace mlestar;
using namespace mlestar::preprocessing;

constexpr std::int64_t rows = 150'001;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

bool close(double a, double b, double apart) { return std::abs(a - b) <= apart; }

template <class T>
category_column column_of(const std::vector<T>& values, dtype type) {
    return {{reinterpret_cast<const std::byte*>(values.data()), type, rows, sizeof(T)}, {}};
}

template <class T>
const std::byte* bytes_of(const std::vector<T>& values) {
    return reinterpret_cast<const std::byte*>(values.data());
}

}  // namespace

int main() {
    std::mt19937_64 engine(3);
    const std::vector<std::u32string> words = {U"", U"a", U"ab", U"longest", U"zz"};
    std::vector<std::int64_t> near(rows), far(rows);
    std::vector<double> real(rows);
    std::vector<char32_t> text(rows * 7);
    for (std::size_t i = 0; i < rows; ++i) {
        near[i] = static_cast<std::int64_t>(engine() % 40) - 20;
        far[i] = static_cast<std::int64_t>(engine() % 3) << 60;
        real[i] = i % 11 == 0 ? missing : static_cast<double>(engine() % 9) * 0.5;
        const auto& word = words[engine() % words.size()];
        std::copy(word.begin(), word.end(), &text[i * 7]);
    }
    const category_column strings = {{}, {bytes_of(text), rows, 28, 7}};
    const std::vector<category_column> table = {column_of(near, dtype::i64),
                                                column_of(far, dtype::i64),
                                                column_of(real, dtype::f64), strings};
    const auto found = categories_of(table);
    CHECK(found.has_value());
    const std::size_t sizes[] = {40, 3, 10, 5};
    std::vector<coder> coders;
    std::vector<std::int64_t> integers;
    for (std::size_t j = 0; j < 4; ++j) {
        CHECK((*found)[j].rows.size() == sizes[j]);
        std::int64_t all = 0;
        for (const std::int64_t count : (*found)[j].counts) all += count;
        CHECK(all == rows);
        if (j < 2) {
            integers.clear();
            for (const std::int64_t row : (*found)[j].rows)
                integers.push_back((j == 0 ? near : far)[static_cast<std::size_t>(row)]);
            CHECK(std::is_sorted(integers.begin(), integers.end()));
            coders.push_back(coder_of_integers(integers));
        }
    }
    std::vector<double> reals;
    for (const std::int64_t row : (*found)[2].rows)
        reals.push_back(real[static_cast<std::size_t>(row)]);
    CHECK(reals.back() != reals.back());  // NaN is last
    coders.push_back(coder_of_reals(reals));
    coders.push_back(coder_of_strings(words));

    std::vector<std::vector<double>> values;
    std::vector<const std::byte*> data;
    for (const std::size_t size : sizes) {
        values.emplace_back(size + 1);
        for (std::size_t k = 0; k <= size; ++k) values.back()[k] = static_cast<double>(k);
    }
    for (const auto& one : values) data.push_back(bytes_of(one));
    std::vector<double> made(rows * 4), turned(rows * 4);
    set_thread_count(1);
    auto* const target = reinterpret_cast<std::byte*>(made.data());
    const auto unknown = encode_into(coders, table, data, {target, 8, rows, 4, false});
    CHECK(unknown && std::count(unknown->begin(), unknown->end(), 0) == 4);
    set_thread_count(3);
    CHECK(encode_into(coders, table, data,
                      {reinterpret_cast<std::byte*>(turned.data()), 8, rows, 4, true}));
    for (std::size_t i = 0; i < rows; ++i) {
        CHECK(made[4 * i] == static_cast<double>(near[i] + 20));
        CHECK(made[4 * i + 1] == static_cast<double>(far[i] >> 60));
        CHECK(real[i] != real[i] ? made[4 * i + 2] == 9.0 : made[4 * i + 2] == real[i] * 2.0);
        for (std::size_t j = 0; j < 4; ++j) CHECK(made[4 * i + j] == turned[j * rows + i]);
    }

    // Ones: of two columns, the second's first category has none.
    std::vector<std::int32_t> one(41), other(4);
    for (std::size_t k = 0; k < 40; ++k) one[k] = static_cast<std::int32_t>(k);
    one[40] = -1;
    other = {-1, 40, 41, -1};
    std::vector<coder> two;
    integers.resize(40);
    for (std::size_t k = 0; k < 40; ++k) integers[k] = static_cast<std::int64_t>(k) - 20;
    two.push_back(coder_of_integers(integers));
    two.push_back(coder_of_integers({0, std::int64_t{1} << 60, std::int64_t{1} << 61}));
    std::vector<std::uint8_t> ones(rows * 42);
    const auto yes = std::byte{1}, no = std::byte{0};
    CHECK(one_hot_into(two, {table[0], table[1]}, {one.data(), other.data()}, &yes, &no,
                       {reinterpret_cast<std::byte*>(ones.data()), 1, rows, 42, false}));
    for (std::size_t i = 0; i < rows; i += 17) {
        const auto* row = &ones[i * 42];
        CHECK(std::count(row, row + 42, 1) == (far[i] == 0 ? 1 : 2));
        CHECK(row[near[i] + 20] == 1);
    }
    const std::vector<std::int32_t> places = {3, -1, -1, -1, 0, 5};
    const auto sparse = sparse_rows_of(places.data(), 3, 2);
    CHECK(sparse.stored == 3 && sparse.starts == std::vector<std::int64_t>({0, 1, 1, 3}));
    std::vector<std::int32_t> indices(3);
    const std::vector<std::int32_t> starts(sparse.starts.begin(), sparse.starts.end());
    sparse_indices_into(places.data(), 3, 2, starts.data(), indices.data());
    CHECK(indices == std::vector<std::int32_t>({3, 0, 5}));

    // Bins, few and many.
    for (const std::size_t many : {3U, 70U}) {
        std::vector<double> edges(many);
        for (std::size_t k = 0; k < many; ++k) edges[k] = static_cast<double>(k) - 1.5;
        const coder bins = coder_of_bins(edges);
        std::vector<std::int32_t> codes(1024);
        CHECK(bins->codes(table[0], 0, 1001, codes.data()));
        for (std::size_t i = 0; i < 1001; ++i)
            CHECK(codes[i] ==
                  std::upper_bound(edges.begin(), edges.end(), static_cast<double>(near[i])) -
                      edges.begin());
        CHECK(!bins->codes(table[2], 0, 100, codes.data()));  // NaN
    }
    CHECK(check::throws<argument_error>([] { coder_of_bins({1.0, 0.0}); }, "edges"));

    // Shares of quantiles.
    const matrix_view flat = {bytes_of(real), dtype::f64, rows, 1, 8, 8};
    std::vector<double> mapped(rows);
    const quantile_plan plan = {{0.0, 1.0, 1.0, 4.0}, {0.0, 0.25, 0.5, 1.0}, false, 0.0, 0.0};
    CHECK(quantile_map_into(
        flat, plan, {reinterpret_cast<std::byte*>(mapped.data()), dtype::f64, rows, 1, false}));
    for (std::size_t i = 0; i < rows; ++i) {
        const double x = real[i];
        const double share = x < 1.0 ? 0.25 * x : x > 1.0 ? 0.5 + (x - 1.0) / 6.0 : 0.375;
        CHECK(x != x ? mapped[i] != mapped[i] : close(mapped[i], share, 1e-15));
    }

    // A target by category and fold.
    std::vector<std::int32_t> codes(rows), folds(rows), labels(rows);
    std::vector<double> y(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        codes[i] = static_cast<std::int32_t>(near[i] + 20);
        folds[i] = static_cast<std::int32_t>(i % 3);
        labels[i] = codes[i] % 2;
        y[i] = 1e6 + static_cast<double>(codes[i]) + static_cast<double>(i % 2);
    }
    const code_table coded = {codes.data(), rows, {40}};
    const auto counts = label_counts(coded, {folds.data(), 3}, labels.data(), 2);
    std::int64_t odd = 0, all = 0;
    for (std::size_t k = 0; k < counts[0].size(); ++k) {
        all += counts[0][k];
        odd += k % 2 == 1 ? counts[0][k] : 0;
    }
    CHECK(all == rows && odd == std::count(labels.begin(), labels.end(), 1));
    const auto moments = moments_of_target(coded, {folds.data(), 3}, y.data());
    set_thread_count(1);
    const auto again = moments_of_target(coded, {folds.data(), 3}, y.data());
    CHECK(moments[0].sums == again[0].sums && moments[0].squares == again[0].squares);
    for (std::size_t c = 0; c < 40; ++c)
        CHECK(close(moments[0].centers[c], 1e6 + static_cast<double>(c) + 0.5, 0.1));
    std::vector<double> encodings(40 * 3), encoded(rows);
    for (std::size_t k = 0; k < encodings.size(); ++k) encodings[k] = static_cast<double>(k);
    target_encodings_into(coded, {folds.data(), 3}, 1, {encodings.data()}, encoded.data());
    for (std::size_t i = 0; i < rows; ++i)
        CHECK(encoded[i] == static_cast<double>(codes[i] * 3 + folds[i]));
    return check::finish("encode");
}
