#include "preprocessing/encode.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "preprocessing/encode.kernels.hpp"
#include "preprocessing/encode_blocks.hpp"
#include "support/levels.hpp"
#include "support/stream.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(encode_kernels)

namespace {

std::size_t kind_of(std::int64_t item) { return item == 1 ? 0 : item == 2 ? 1 : item == 4 ? 2 : 3; }

// A result's rows from `first` on, made in a buffer.
void store_rows(const element_matrix& result, std::int64_t first, std::int64_t count,
                const std::byte* made) {
    const std::int64_t row = result.columns * result.item;
    std::byte* const target = result.data + first * row;
    if (result.rows * row >= stream_above)
        stream(target, made, count * row);
    else
        std::memcpy(target, made, static_cast<std::size_t>(count * row));
}

}  // namespace

bool find_codes(const column_coder& finder, const category_column& x, std::int64_t first,
                std::int64_t count, std::int32_t* codes, bool& unknown) {
    if (!finder.codes(x, first, count, codes)) return false;
    if (!unknown) unknown = kernels().holds(codes, count, static_cast<std::int32_t>(finder.size()));
    return true;
}

unknown_columns encode_into(const std::vector<coder>& coders,
                            const std::vector<category_column>& columns,
                            const std::vector<const std::byte*>& values,
                            const element_matrix& result) {
    const auto place = kernels().place[kind_of(result.item)];
    const std::int64_t width = result.columns;
    // By columns, a part of one is written in place; by rows, rows are made first.
    const std::int64_t room = result.by_columns ? 0 : width * result.item;
    return over_codes(
        coders, columns, width,
        [&](const code_block& block) {
            for (std::size_t j = 0; j < columns.size(); ++j) {
                const auto column = static_cast<std::int64_t>(j);
                const std::int32_t* codes = block.codes + column * block.count;
                std::byte* const target =
                    result.by_columns
                        ? result.data + (column * result.rows + block.first) * result.item
                        : block.scratch + column * result.item;
                place(codes, block.count, values[j], target, result.by_columns ? 1 : width);
            }
            if (!result.by_columns) store_rows(result, block.first, block.count, block.scratch);
        },
        room);
}

unknown_columns one_hot_into(const std::vector<coder>& coders,
                             const std::vector<category_column>& columns,
                             const std::vector<const std::int32_t*>& places, const std::byte* one,
                             const std::byte* zero, const element_matrix& result) {
    const auto kind = kind_of(result.item);
    const std::int64_t width = result.columns;
    return over_codes(
        coders, columns, width,
        [&](const code_block& block) {
            kernels().fill[kind](zero, block.count * width, block.scratch);
            for (std::size_t j = 0; j < columns.size(); ++j)
                kernels().mark[kind](block.codes + static_cast<std::int64_t>(j) * block.count,
                                     block.count, places[j], one, block.scratch, width);
            store_rows(result, block.first, block.count, block.scratch);
        },
        width * result.item);
}

namespace {

constexpr std::int64_t rows_of_task = 4096;

template <class Body>
void over_row_tasks(std::int64_t rows, std::int64_t columns, Body body) {
    parallel_for((rows + rows_of_task - 1) / rows_of_task,
                 [&](std::int64_t task) {
                     body(task, task * rows_of_task, std::min(rows, (task + 1) * rows_of_task));
                 },
                 rows * columns < serial_below);
}

}  // namespace

sparse_rows sparse_rows_of(const std::int32_t* places, std::int64_t rows, std::int64_t columns) {
    sparse_rows result{0, std::vector<std::int64_t>(static_cast<std::size_t>(rows) + 1)};
    over_row_tasks(rows, columns, [&](std::int64_t, std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const std::int32_t* row = places + i * columns;
            result.starts[static_cast<std::size_t>(i) + 1] =
                columns - std::count(row, row + columns, -1);
        }
    });
    for (std::size_t i = 1; i < result.starts.size(); ++i) result.starts[i] += result.starts[i - 1];
    result.stored = result.starts.back();
    return result;
}

void sparse_indices_into(const std::int32_t* places, std::int64_t rows, std::int64_t columns,
                         const std::int32_t* starts, std::int32_t* indices) {
    over_row_tasks(rows, columns, [&](std::int64_t, std::int64_t first, std::int64_t last) {
        std::remove_copy(places + first * columns, places + last * columns, indices + starts[first],
                         -1);
    });
}

}  // namespace mlestar::preprocessing
