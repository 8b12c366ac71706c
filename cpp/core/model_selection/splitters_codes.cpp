#include "model_selection/splitters_codes.hpp"

#include <algorithm>

#include "support/blocks.hpp"

namespace mlestar::model_selection {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

bool encode_rows(const vector_view& y, metrics::label_set& labels, std::int32_t* codes,
                 std::vector<std::int64_t>& counts) {
    const auto found = metrics::label_set::of({y});
    if (!found) return false;
    labels = *found;
    parallel_for(
        task_count(y.size),
        [&](std::int64_t task) {
            std::int64_t buffer[block_size];
            bool exact = true;
            const std::int64_t last = std::min(y.size, (task + 1) * task_size);
            for (std::int64_t row = task * task_size; row < last; row += block_size) {
                const std::int64_t count = std::min(block_size, last - row);
                labels.encode(load_i64(y, row, count, buffer, exact), count, codes + row);
            }
        },
        y.size < serial_below);
    counts.assign(at(labels.size()), 0);
    for (std::int64_t row = 0; row < y.size; ++row) ++counts[at(codes[row])];
    return true;
}

}  // namespace mlestar::model_selection
