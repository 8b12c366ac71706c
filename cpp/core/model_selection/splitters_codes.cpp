#include "model_selection/splitters_codes.hpp"

#include <algorithm>

#include "support/blocks.hpp"

namespace mlestar::model_selection {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void add_counts(const std::int32_t* codes, std::int64_t count, std::int64_t* counts) {
    for (std::int64_t i = 0; i < count; ++i) ++counts[codes[i]];
}

}  // namespace

bool encode_rows(const vector_view& y, metrics::label_set& labels, std::int32_t* codes,
                 std::vector<std::int64_t>& counts) {
    const auto found = metrics::label_set::of({y});
    if (!found) return false;
    labels = *found;
    // Counters of their own for the tasks while those are few.
    const std::int64_t tasks = task_count(y.size), classes = labels.size();
    const bool apart = classes <= 1024;
    std::vector<std::int64_t> parts(apart ? at(tasks * classes) : 0, 0);
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            std::int64_t buffer[block_size];
            bool exact = true;
            const std::int64_t last = std::min(y.size, (task + 1) * task_size);
            for (std::int64_t row = task * task_size; row < last; row += block_size) {
                const std::int64_t count = std::min(block_size, last - row);
                labels.encode(load_i64(y, row, count, buffer, exact), count, codes + row);
                if (apart) add_counts(codes + row, count, parts.data() + task * classes);
            }
        },
        y.size < serial_below);
    counts.assign(at(classes), 0);
    if (!apart) add_counts(codes, y.size, counts.data());
    for (std::size_t i = 0; i < parts.size(); ++i) counts[i % at(classes)] += parts[i];
    return true;
}

}  // namespace mlestar::model_selection
