#include "model_selection/gather.hpp"

#include <algorithm>
#include <cstring>

#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/stream.hpp"

namespace mlestar::model_selection {
namespace {

// Neighbours in the array are copied at once: folds are mostly runs of ascending rows.
void take_runs(const std::byte* source, std::int64_t row_bytes, const std::int64_t* rows,
               std::int64_t count, std::byte* target, bool streams) {
    for (std::int64_t i = 0; i < count;) {
        std::int64_t run = 1;
        while (i + run < count && rows[i + run] == rows[i] + run) ++run;
        const std::byte* from = source + rows[i] * row_bytes;
        if (streams && run * row_bytes >= 256)
            stream(target + i * row_bytes, from, run * row_bytes);
        else
            std::memcpy(target + i * row_bytes, from, static_cast<std::size_t>(run * row_bytes));
        i += run;
    }
    if (streams) streamed();
}

// A copy whose size the compiler knows is a load and a store.
template <std::int64_t Bytes>
void take_fixed(const std::byte* source, std::int64_t row_stride, const std::int64_t* rows,
                std::int64_t count, std::byte* target, std::int64_t step = Bytes) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(target + i * step, source + rows[i] * row_stride, Bytes);
}

void take_any(const std::byte* source, std::int64_t row_stride, std::int64_t bytes,
              const std::int64_t* rows, std::int64_t count, std::byte* target, std::int64_t step) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(target + i * step, source + rows[i] * row_stride,
                    static_cast<std::size_t>(bytes));
}

// Elements of `bytes` each, to places `step` apart.
void take_elements(const std::byte* source, std::int64_t row_stride, std::int64_t bytes,
                   const std::int64_t* rows, std::int64_t count, std::byte* target,
                   std::int64_t step) {
    switch (bytes) {
        case 1: return take_fixed<1>(source, row_stride, rows, count, target, step);
        case 2: return take_fixed<2>(source, row_stride, rows, count, target, step);
        case 4: return take_fixed<4>(source, row_stride, rows, count, target, step);
        case 8: return take_fixed<8>(source, row_stride, rows, count, target, step);
        default: return take_any(source, row_stride, bytes, rows, count, target, step);
    }
}

void take_block(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
                const std::int64_t* rows, std::int64_t count, std::byte* target, bool streams) {
    // Whether there are runs is asked of the block's ends, so that a shuffled vector of small
    // elements keeps the copies whose size is known.
    const bool runs =
        row_stride == row_bytes && (row_bytes >= 64 || (rows[count - 1] - rows[0]) < 2 * count);
    if (runs && rows[count - 1] >= rows[0])
        return take_runs(source, row_bytes, rows, count, target, streams);
    take_elements(source, row_stride, row_bytes, rows, count, target, row_bytes);
}

}  // namespace

bool within(const std::int64_t* rows, std::int64_t count, std::int64_t size) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i)
        wrong |= static_cast<std::uint64_t>(rows[i]) >= static_cast<std::uint64_t>(size) ? 1 : 0;
    return wrong == 0;
}

void take_rows(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
               const std::int64_t* rows, std::int64_t count, std::byte* target) {
    take_columns(source, row_stride, 0, row_bytes, 1, rows, count, target);
}

void take_columns(const std::byte* source, std::int64_t row_stride, std::int64_t column_stride,
                  std::int64_t item, std::int64_t columns, const std::int64_t* rows,
                  std::int64_t count, std::byte* target) {
    if (count == 0 || columns == 0 || item == 0) return;
    const std::int64_t at_once = std::max<std::int64_t>(1, task_size * 8 / (item + 8));
    const std::int64_t blocks = (count + at_once - 1) / at_once;
    const bool streams = count * item >= stream_above / columns;
    parallel_for(
        columns * blocks,
        [&](std::int64_t task) {
            const std::int64_t column = task / blocks;
            const std::int64_t first = task % blocks * at_once;
            take_block(source + column * column_stride, row_stride, item, rows + first,
                       std::min(at_once, count - first), target + (column * count + first) * item,
                       streams);
        },
        count * (item + 8) < serial_below * 8 / columns);
}

void take_transposed(const std::byte* source, std::int64_t row_stride, std::int64_t column_stride,
                     std::int64_t item, std::int64_t columns, const std::int64_t* rows,
                     std::int64_t count, std::byte* target) {
    if (count == 0 || columns == 0 || item == 0) return;
    // Rows whose part of the result stays in the caches while all columns are read.
    const std::int64_t tile = std::max<std::int64_t>(8, 131072 / (item * columns));
    const std::int64_t tasks = (count + tile - 1) / tile;
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t first = task * tile;
            const std::int64_t some = std::min(tile, count - first);
            std::byte* part = target + first * columns * item;
            for (std::int64_t j = 0; j < columns; ++j)
                take_elements(source + j * column_stride, row_stride, item, rows + first, some,
                              part + j * item, columns * item);
        },
        count * (item + 8) < serial_below * 8 / columns);
}

}  // namespace mlestar::model_selection
