#include "model_selection/gather.hpp"

#include <algorithm>
#include <cstring>

#include "support/line_writer.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/stream.hpp"

namespace mlestar::model_selection {
namespace {

// Rows ahead whose data are asked for: enough to cover memory's latency, few enough to stay in
// the first cache.
constexpr std::int64_t rows_ahead = 6;
constexpr std::int64_t longest_asked_for = 1024;

// Neighbours in the array are copied at once: folds are mostly runs of ascending rows.
template <typename Copy>
void each_run(const std::byte* source, std::int64_t row_bytes, const std::int64_t* rows,
              std::int64_t count, Copy copy) {
    for (std::int64_t i = 0; i < count;) {
        std::int64_t run = 1;
        while (i + run < count && rows[i + run] == rows[i] + run) ++run;
        copy(source + rows[i] * row_bytes, run * row_bytes, i);
        i += run;
    }
}

void take_runs(const std::byte* source, std::int64_t row_bytes, const std::int64_t* rows,
               std::int64_t count, std::byte* target, bool streams) {
    if (!streams) {
        each_run(source, row_bytes, rows, count, [&](auto from, auto size, auto i) {
            std::memcpy(target + i * row_bytes, from, static_cast<std::size_t>(size));
        });
        return;
    }
    line_writer writer(target);
    each_run(source, row_bytes, rows, count,
             [&](auto from, auto size, auto) { writer.append(from, size); });
    writer.finish();
}

// Rows in no order: each is asked for a few rows ahead.
void take_scattered(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
                    const std::int64_t* rows, std::int64_t count, std::byte* target, bool streams) {
    const auto ask = [&](std::int64_t i) {
        if (i >= count || row_bytes > longest_asked_for) return;
        const std::byte* row = source + rows[i] * row_stride;
        for (std::int64_t at = 0; at < row_bytes; at += line) prefetch(row + at);
    };
    for (std::int64_t i = 0; i < rows_ahead; ++i) ask(i);
    if (!streams) {
        for (std::int64_t i = 0; i < count; ++i) {
            ask(i + rows_ahead);
            std::memcpy(target + i * row_bytes, source + rows[i] * row_stride,
                        static_cast<std::size_t>(row_bytes));
        }
        return;
    }
    line_writer writer(target);
    for (std::int64_t i = 0; i < count; ++i) {
        ask(i + rows_ahead);
        writer.append(source + rows[i] * row_stride, row_bytes);
    }
    writer.finish();
}

// A copy whose size the compiler knows is a load and a store.
template <std::int64_t Bytes>
void take_fixed(const std::byte* source, std::int64_t row_stride, const std::int64_t* rows,
                std::int64_t count, std::byte* target, std::int64_t step = Bytes) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(target + i * step, source + rows[i] * row_stride, Bytes);
}

// The same past the caches.
template <std::int64_t Bytes>
void take_streamed(const std::byte* source, std::int64_t row_stride, const std::int64_t* rows,
                   std::int64_t count, std::byte* target) {
    for (std::int64_t i = 0; i < count; ++i)
        stream_element<Bytes>(target + i * Bytes, source + rows[i] * row_stride);
    streamed();
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

// Contiguous results of `row_bytes` a row.
void take_block(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
                const std::int64_t* rows, std::int64_t count, std::byte* target, bool streams) {
    if (row_bytes < line) {
        // Copies whose size is known are the faster ones unless most rows are neighbours.
        const std::int64_t reach = rows[count - 1] - rows[0];
        if (row_stride == row_bytes && reach >= 0 && reach < count + count / 16)
            return take_runs(source, row_bytes, rows, count, target, streams);
        const bool on_word = reinterpret_cast<std::uintptr_t>(target) % 8 == 0;
        if (streams && row_bytes == 8 && on_word)
            return take_streamed<8>(source, row_stride, rows, count, target);
        if (streams && row_bytes == 4 && on_word)
            return take_streamed<4>(source, row_stride, rows, count, target);
        return take_elements(source, row_stride, row_bytes, rows, count, target, row_bytes);
    }
    if (row_stride == row_bytes && rows[count - 1] >= rows[0] &&
        rows[count - 1] - rows[0] < 8 * count)
        return take_runs(source, row_bytes, rows, count, target, streams);
    take_scattered(source, row_stride, row_bytes, rows, count, target, streams);
}

// Whether rows that are asked for together lie together, by the ends of two blocks.
bool local(const std::int64_t* rows, std::int64_t count, std::int64_t at_once) {
    const auto near = [&](std::int64_t first) {
        const std::int64_t some = std::min(at_once, count - first);
        const std::int64_t reach = rows[first + some - 1] - rows[first];
        return reach >= 0 && reach < 8 * some;
    };
    return near(0) && near(count / 2);
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
    const bool streams = count * item >= stream_above / columns;
    // All columns of some rows in turn read the numbers of these from the caches; where rows lie
    // anywhere, one column after the other keeps the column there.
    const std::int64_t blocks = (count + at_once - 1) / at_once;
    const bool by_rows = local(rows, count, at_once);
    parallel_for(
        columns * blocks,
        [&](std::int64_t task) {
            const std::int64_t column = by_rows ? task % columns : task / blocks;
            const std::int64_t first = (by_rows ? task / columns : task % blocks) * at_once;
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
    const std::int64_t row_bytes = item * columns;
    const bool streams =
        count >= stream_above / row_bytes && row_bytes <= line_writer::capacity / 8;
    // Rows whose part of the result stays in a cache while all columns are read.
    const std::int64_t tile =
        std::max<std::int64_t>(8, (streams ? line_writer::capacity : 131072) / row_bytes);
    const std::int64_t at_once =
        (std::max(tile, task_size * 8 / row_bytes) + tile - 1) / tile * tile;
    parallel_for((count + at_once - 1) / at_once,
                 [&](std::int64_t task) {
                     const std::int64_t begin = task * at_once;
                     const std::int64_t end = std::min(begin + at_once, count);
                     line_writer writer(target + begin * row_bytes);
                     for (std::int64_t first = begin; first < end; first += tile) {
                         const std::int64_t some = std::min(tile, end - first);
                         const std::int64_t ahead =
                             streams ? std::min(tile, end - first - some) : 0;
                         std::byte* const part =
                             streams ? writer.room(some * row_bytes) : target + first * row_bytes;
                         for (std::int64_t j = 0; j < columns; ++j) {
                             const std::byte* column = source + j * column_stride;
                             // The caches' own look-ahead does not follow so many columns at once.
                             for (std::int64_t i = 0; i < ahead; ++i)
                                 prefetch(column + rows[first + some + i] * row_stride);
                             take_elements(column, row_stride, item, rows + first, some,
                                           part + j * item, row_bytes);
                         }
                         if (streams) writer.put(some * row_bytes);
                     }
                     if (streams) writer.finish();
                 },
                 count * (item + 8) < serial_below * 8 / columns);
}

}  // namespace mlestar::model_selection
