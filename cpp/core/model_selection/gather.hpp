// Rows of an array by number, as fancy indexing gives them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar::model_selection {

// Whether every number is a row of an array of `size` rows.
bool within(const std::int64_t* rows, std::int64_t count, std::int64_t size);

// Copies `count` rows of `row_bytes` contiguous bytes each, `row_stride` apart, to `target`, one
// after the other. The row numbers are the caller's promise: inside the array.
void take_rows(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
               const std::int64_t* rows, std::int64_t count, std::byte* target);

// The same for an array whose columns are `column_stride` apart, each element of `item` bytes, to
// columns that follow one another in `target`, each of `count` elements.
void take_columns(const std::byte* source, std::int64_t row_stride, std::int64_t column_stride,
                  std::int64_t item, std::int64_t columns, const std::int64_t* rows,
                  std::int64_t count, std::byte* target);

// The same to rows that follow one another in `target`, of `columns` elements each.
void take_transposed(const std::byte* source, std::int64_t row_stride, std::int64_t column_stride,
                     std::int64_t item, std::int64_t columns, const std::int64_t* rows,
                     std::int64_t count, std::byte* target);

}  // namespace mlestar::model_selection
