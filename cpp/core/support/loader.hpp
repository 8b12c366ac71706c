// Loaders turn any dtype and any stride into the three types that kernels read: a block at a time,
// into a small buffer that stays in L1. Contiguous arrays of the wanted type are passed by pointer,
// never copied.
#pragma once

#include <cstdint>

#include "support/span.hpp"

namespace mlestar {

// Elements per block. Three operands of 1 024 doubles are 24 KiB: they fit a 32 KiB L1 together.
inline constexpr std::int64_t block_size = 1024;
// Blocks that one thread takes at a time: 16 Ki elements, about 8 us of a memory-bound kernel.
inline constexpr std::int64_t blocks_per_task = 16;
inline constexpr std::int64_t task_size = block_size * blocks_per_task;

constexpr std::int64_t task_count(std::int64_t size) { return (size + task_size - 1) / task_size; }
// Below this many elements a call stays on its thread: waking a worker costs more than it gives.
inline constexpr std::int64_t serial_below = 96 * block_size;

// Elements [first, first + count) of a view. Returns a pointer into the array where its type and
// stride allow, else `buffer`, filled. `count` may be at most block_size where a buffer is needed.
const double* load_f64(const vector_view& view, std::int64_t first, std::int64_t count,
                       double* buffer);
const float* load_f32(const vector_view& view, std::int64_t first, std::int64_t count,
                      float* buffer);

// As integers. `exact` is cleared (never set) when an element is not one: a fraction, NaN,
// infinity, or beyond int64. The element then reads as an unspecified value.
const std::int64_t* load_i64(const vector_view& view, std::int64_t first, std::int64_t count,
                             std::int64_t* buffer, bool& exact);

// Rows [first, first + count) as row-major doubles, `columns` apart. The buffer holds count *
// columns.
const double* load_rows_f64(const matrix_view& view, std::int64_t first, std::int64_t count,
                            double* buffer);

}  // namespace mlestar
