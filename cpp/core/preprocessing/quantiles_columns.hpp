// Columns that lie across rows, read side by side: a row's cache line serves several of them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::preprocessing {

// body(first column, columns) for groups of neighbours. Columns do not touch each other, so groups
// may depend on the number of threads.
template <class Body>
void over_column_groups(const matrix_view& x, Body body) {
    constexpr std::int64_t most = 8;  // doubles of a cache line
    const std::int64_t threads = thread_count();
    const std::int64_t rounds = ((x.columns + most - 1) / most + threads - 1) / threads;
    const std::int64_t size =
        std::max<std::int64_t>(1, (x.columns + rounds * threads - 1) / (rounds * threads));
    const std::int64_t groups = (x.columns + size - 1) / size;
    parallel_for(
        groups,
        [&](std::int64_t group) {
            const std::int64_t first = group * size;
            body(first, std::min(size, x.columns - first));
        },
        x.rows * x.columns < serial_below / 4);
}

}  // namespace mlestar::preprocessing
