// Windows of a walk forward, in rows and in time.
#include <algorithm>
#include <limits>
#include <string>

#include "model_selection/temporal.hpp"
#include "support/error.hpp"

namespace mlestar::model_selection {
namespace {

void require_room(const std::vector<window>& found) {
    if (static_cast<std::int64_t>(found.size()) >= most_windows)
        throw argument_error("step is so small that there are more than " +
                             std::to_string(most_windows) + " splits");
}

// Whole steps from one time to a later one.
std::int64_t steps_within(const timeline& times, std::int64_t from, std::int64_t to,
                          const duration& step) {
    const duration way = times.between(from, to);
    const double steps =
        times.floating() ? way.real / step.real : static_cast<double>(way.whole / step.whole);
    if (!(steps < 9007199254740992.0))
        throw argument_error("step is so small that the data span more than 2**53 of it");
    return static_cast<std::int64_t>(steps);
}

// The last row stands for the time until one more step as small as the smallest.
std::int64_t end_of(const timeline& times) {
    const auto& starts = times.starts();
    duration least{std::numeric_limits<std::int64_t>::max(), 0.0};
    bool found = false;
    for (std::size_t i = 1; i < starts.size(); ++i) {
        if (starts[i] == starts[i - 1]) continue;
        const duration step = times.between(starts[i - 1], starts[i]);
        if (!found || (times.floating() ? step.real < least.real : step.whole < least.whole))
            least = step;
        found = true;
    }
    return found ? times.moved(starts.back(), least) : starts.back();
}

}  // namespace

std::vector<window> walk_forward(const timeline& times, const walk& sizes, bool expanding,
                                 bool partial) {
    std::vector<window> found;
    const std::int64_t rows = times.rows();
    // Differences, not sums: two numbers of the user's may be too large for one.
    if (sizes.train >= rows || sizes.gap >= rows - sizes.train) return found;
    for (std::int64_t first = sizes.train + sizes.gap; first < rows;) {
        if (!partial && sizes.test > rows - first) break;
        require_room(found);
        const std::int64_t train_last = first - sizes.gap;
        found.push_back({expanding ? 0 : train_last - sizes.train, train_last, first,
                         first + std::min(sizes.test, rows - first)});
        if (sizes.step >= rows - first) break;
        first += sizes.step;
    }
    return found;
}

std::vector<window> walk_forward(const timeline& times, const timed_walk& sizes, bool expanding,
                                 bool partial) {
    std::vector<window> found;
    const auto& starts = times.starts();
    const std::int64_t base = times.moved(starts.front(), sizes.train);
    const std::int64_t end = end_of(times);
    for (std::int64_t k = 0;;) {
        const std::int64_t train_stop = times.moved(base, sizes.step, k);
        const std::int64_t start = times.moved(train_stop, sizes.gap);
        if (start > starts.back() || start == std::numeric_limits<std::int64_t>::max()) break;
        const std::int64_t stop = times.moved(start, sizes.test);
        if (!partial && stop > end) break;
        const std::int64_t test_first = times.position_of(start);
        const std::int64_t test_last = times.position_of(stop);
        if (test_first == test_last) {
            // Nothing happens in it: on to about the first window that the next row may be in.
            const std::int64_t next = starts[static_cast<std::size_t>(test_first)];
            k = std::max(k + 1, steps_within(times, stop, next, sizes.step) + k - 1);
            continue;
        }
        require_room(found);
        const std::int64_t train_start = times.moved(train_stop, sizes.train, -1);
        found.push_back({expanding ? 0 : times.position_of(train_start),
                         times.position_of(train_stop), test_first, test_last});
        ++k;
    }
    return found;
}

}  // namespace mlestar::model_selection
