// Columns of categories as codes, and what is written for each code: numbers of a table, or ones at
// places of a row. A capability that finds codes in another way (bins) is one more kind of coder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/labels.hpp"
#include "support/span.hpp"

namespace mlestar::preprocessing {

// One column of a table: numbers, or strings where `strings.data` is not null.
struct category_column {
    vector_view numbers;
    metrics::string_array strings;

    bool textual() const { return strings.data != nullptr; }
    std::int64_t rows() const { return textual() ? strings.size : numbers.size; }
};

// Codes of one column's elements.
class column_coder {
public:
    virtual ~column_coder() = default;
    // Codes are 0 to size() - 1, and size() for what has none.
    virtual std::int64_t size() const = 0;
    // Of rows [first, first + count), at most block_size. False where the column holds what a coder
    // leaves to scikit-learn: infinity, or what it cannot compare with.
    virtual bool codes(const category_column& x, std::int64_t first, std::int64_t count,
                       std::int32_t* codes) const = 0;
};

using coder = std::unique_ptr<const column_coder>;

// Codes are places in `values`, which are distinct; NaN is a value, and equal to itself.
coder coder_of_integers(const std::vector<std::int64_t>& values);
coder coder_of_reals(const std::vector<double>& values);
coder coder_of_strings(const std::vector<std::u32string>& values);

// The distinct values of a column in ascending order (NaN last), each by the first row that holds
// it, and how often each is there. Nothing for infinity and for integers beyond int64.
struct found_categories {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> counts;
};
std::optional<std::vector<found_categories>> categories_of(
    const std::vector<category_column>& columns);

// A matrix of elements of 1, 2, 4 or 8 bytes that is written: contiguous, by rows or by columns.
struct element_matrix {
    std::byte* data;
    std::int64_t item;
    std::int64_t rows;
    std::int64_t columns;
    bool by_columns;
};

// Which columns held something that has no code; nothing where a coder declined.
using unknown_columns = std::optional<std::vector<std::uint8_t>>;

// For each code of a column, size() included, the element that is written. Elements of a result
// that is declined are not defined.
unknown_columns encode_into(const std::vector<coder>& coders,
                            const std::vector<category_column>& columns,
                            const std::vector<const std::byte*>& values,
                            const element_matrix& result);

// For each code of a column, size() included, the place in a row of the result that gets `one`, an
// element, or -1; the other places get `zero`.
unknown_columns one_hot_into(const std::vector<coder>& coders,
                             const std::vector<category_column>& columns,
                             const std::vector<const std::int32_t*>& places, const std::byte* one,
                             const std::byte* zero, const element_matrix& result);

// Rows of places, -1 for none, as the indices and the row starts of a CSR matrix.
struct sparse_rows {
    std::int64_t stored;  // places that are not -1
    std::vector<std::int64_t> starts;
};
sparse_rows sparse_rows_of(const std::int32_t* places, std::int64_t rows, std::int64_t columns);
void sparse_indices_into(const std::int32_t* places, std::int64_t rows, std::int64_t columns,
                         const std::int32_t* starts, std::int32_t* indices);

}  // namespace mlestar::preprocessing
