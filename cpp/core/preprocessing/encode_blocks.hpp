// The loop that everything goes by which is made of codes: blocks of rows, cut by the data alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "preprocessing/encode.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"
#include "support/stream.hpp"

namespace mlestar::preprocessing {

struct code_block {
    std::int64_t first;
    std::int64_t count;
    const std::int32_t* codes;  // of a column after the other: count for each
    std::byte* scratch;         // the bytes that were asked for, for each row
};

// A coder's codes; `unknown` is set where one has none.
bool find_codes(const column_coder& finder, const category_column& x, std::int64_t first,
                std::int64_t count, std::int32_t* codes, bool& unknown);

// Rows that are taken together, and those that a thread takes at a time: `width` is what a row is
// read or written of, whichever is more.
struct row_blocks {
    std::int64_t block;
    std::int64_t task;
};
inline row_blocks row_blocks_of(std::int64_t width) {
    const std::int64_t block =
        std::clamp<std::int64_t>(4 * block_size / std::max<std::int64_t>(width, 1), 16, block_size);
    const std::int64_t blocks = std::max<std::int64_t>(1, 4 * task_size / (block * width + 1));
    return {block, block * blocks};
}

// body(block) for all rows, `scratch` bytes for each row of one. Which columns held something
// without a code; nothing where a coder declined.
template <class Body>
unknown_columns over_codes(const std::vector<coder>& coders,
                           const std::vector<category_column>& columns, std::int64_t width,
                           Body body, std::int64_t scratch = 0) {
    const std::int64_t rows = columns.empty() ? 0 : columns[0].rows();
    const auto many = static_cast<std::int64_t>(columns.size());
    const row_blocks size = row_blocks_of(std::max(width, many));
    const std::int64_t tasks = (rows + size.task - 1) / size.task;
    const std::size_t flags = columns.size() + 1;  // the last: declined
    std::vector<std::uint8_t> found(static_cast<std::size_t>(tasks) * flags);
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            std::uint8_t* const own = &found[static_cast<std::size_t>(task) * flags];
            const std::int64_t start = task * size.task;
            const std::int64_t last = std::min(rows, start + size.task);
            const std::int64_t most = std::min(size.block, last - start);
            scratch_array<std::int32_t> codes(static_cast<std::size_t>(most * many));
            scratch_array<std::uint64_t> room(static_cast<std::size_t>((most * scratch + 7) / 8));
            for (std::int64_t at = start; at < last; at += size.block) {
                const std::int64_t count = std::min(size.block, last - at);
                for (std::size_t j = 0; j < columns.size(); ++j) {
                    bool unknown = own[j] != 0;
                    if (!find_codes(*coders[j], columns[j], at, count,
                                    codes.data() + static_cast<std::int64_t>(j) * count, unknown)) {
                        own[columns.size()] = 1;
                        return;
                    }
                    own[j] = unknown ? 1 : 0;
                }
                body(
                    code_block{at, count, codes.data(), reinterpret_cast<std::byte*>(room.data())});
            }
            streamed();
        },
        rows * many < serial_below / 2);
    std::vector<std::uint8_t> unknown(columns.size());
    for (std::int64_t task = 0; task < tasks; ++task) {
        const std::uint8_t* const own = &found[static_cast<std::size_t>(task) * flags];
        if (own[columns.size()] != 0) return std::nullopt;
        for (std::size_t j = 0; j < columns.size(); ++j)
            unknown[j] = static_cast<std::uint8_t>(unknown[j] | own[j]);
    }
    return unknown;
}

}  // namespace mlestar::preprocessing
