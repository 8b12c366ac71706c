// The loop every single-pass reduction shares: tasks over threads, blocks in a task, one partial
// result a task, combined in the order of the data. Because tasks and blocks are numbered by the
// data, the result does not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar {

// body(partial, first, count) for each block of [0, size); returns the partials in order. `rows`, a
// multiple of block_size, is what a task takes: fewer where an element costs more than its reading.
template <class Partial, class Body>
std::vector<Partial> map_blocks(std::int64_t size, const Partial& initial, Body body,
                                std::int64_t rows = task_size) {
    const std::int64_t tasks = (size + rows - 1) / rows;
    std::vector<Partial> partials(static_cast<std::size_t>(tasks), initial);
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            Partial& partial = partials[static_cast<std::size_t>(task)];
            const std::int64_t last = std::min(size, (task + 1) * rows);
            for (std::int64_t at = task * rows; at < last; at += block_size)
                body(partial, at, std::min(block_size, last - at));
        },
        size < 3 * rows / 2);
    return partials;
}

// function(rows of a, rows of b, first row, count), as row-major doubles, for a few rows at a time
// of [at, at + count) of two matrices as wide; stops, and is false, where the function is false.
template <class Function>
bool over_rows(const matrix_view& a, const matrix_view& b, std::int64_t at, std::int64_t count,
               Function function) {
    const std::int64_t at_once = std::max<std::int64_t>(1, 2 * block_size / a.columns);
    const auto room = static_cast<std::size_t>(std::min(at_once, count) * a.columns);
    scratch_array<double> of_a(room), of_b(room);
    for (std::int64_t done = 0; done < count; done += at_once) {
        const std::int64_t some = std::min(at_once, count - done);
        if (!function(load_rows_f64(a, at + done, some, of_a.data()),
                      load_rows_f64(b, at + done, some, of_b.data()), at + done, some))
            return false;
    }
    return true;
}

// Buffers for one block of up to three operands.
struct block_buffers {
    alignas(64) std::int64_t a[block_size];
    alignas(64) std::int64_t b[block_size];
    alignas(64) double x[block_size];
    alignas(64) double y[block_size];
    alignas(64) double w[block_size];
};

inline const double* load_weight(const vector_view& weight, std::int64_t first, std::int64_t count,
                                 double* buffer) {
    return weight ? load_f64(weight, first, count, buffer) : nullptr;
}

}  // namespace mlestar
