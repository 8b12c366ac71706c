// Times in order, and the roles that a split gives to rows.
#pragma once

#include <cstdint>

#include "support/sort.hpp"

namespace mlestar::model_selection {

// What a split does with a row.
inline constexpr std::uint8_t role_none = 0;
inline constexpr std::uint8_t role_train = 1;
inline constexpr std::uint8_t role_test = 2;

// The groups [train_first, train_last) are trained on, [test_first, test_last) held out.
struct rank_ranges {
    std::int32_t train_first;
    std::int32_t train_last;
    std::int32_t test_first;
    std::int32_t test_last;
};

struct timed_row {
    std::uint64_t key;
    std::int64_t row;
};

static inline std::uint64_t key_of(const timed_row& item) { return item.key; }

struct temporal_kernels {
    // Integers of the same order; `finite` is cleared where a time is NaN or infinite.
    void (*order_keys)(const double* times, std::int64_t count, std::int64_t* keys, bool& finite);
    // By key, equal keys in the order they came in; `items` is used up.
    void (*sort)(timed_row* items, std::int64_t count, timed_row* sorted);
    // Trained on where the label ends before `limit`.
    void (*mark_before)(const std::int64_t* ends, std::int64_t count, std::int64_t limit,
                        std::uint8_t* roles);
    void (*mark_ranks)(const std::int32_t* ranks, const std::int64_t* ends, std::int64_t count,
                       const rank_ranges& ranges, std::int64_t limit, std::uint8_t* roles);
    std::int64_t (*count_role)(const std::uint8_t* roles, std::int64_t count, std::uint8_t role);
    // Rows first, first + 1, ... of that role; `target_end` is where the array's room ends.
    void (*select_role)(const std::uint8_t* roles, std::int64_t first, std::int64_t count,
                        std::uint8_t role, std::int64_t* target, std::int64_t* target_end);
};

}  // namespace mlestar::model_selection

#ifdef MLESTAR_LEVEL
namespace mlestar::model_selection::MLESTAR_LEVEL {
namespace {

void order_keys(const double* times, std::int64_t count, std::int64_t* keys, bool& finite) {
    double doubtful = 0.0;  // NaN once a time is not finite
    for (std::int64_t i = 0; i < count; ++i) {
        keys[i] = signed_order(times[i]);
        doubtful += times[i] * 0.0;
    }
    finite = finite && doubtful == 0.0;
}

void sort(timed_row* items, std::int64_t count, timed_row* sorted) {
    sort_into(items, count, sorted);
}

void mark_before(const std::int64_t* ends, std::int64_t count, std::int64_t limit,
                 std::uint8_t* roles) {
    for (std::int64_t i = 0; i < count; ++i)
        roles[i] = static_cast<std::uint8_t>(ends[i] < limit ? role_train : role_none);
}

void mark_ranks(const std::int32_t* ranks, const std::int64_t* ends, std::int64_t count,
                const rank_ranges& ranges, std::int64_t limit, std::uint8_t* roles) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t rank = ranks[i];
        const int train =
            (rank >= ranges.train_first) & (rank < ranges.train_last) & (ends[i] < limit);
        const int test = (rank >= ranges.test_first) & (rank < ranges.test_last);
        roles[i] = static_cast<std::uint8_t>(train * role_train + test * role_test);
    }
}

std::int64_t count_role(const std::uint8_t* roles, std::int64_t count, std::uint8_t role) {
    std::int64_t total = 0;
    for (std::int64_t done = 0; done < count;) {
        // Eight-bit counters, emptied before they can overflow: the compiler packs them densely.
        const std::int64_t last = count - done < 255 ? count : done + 255;
        std::uint8_t equal = 0;
        for (; done < last; ++done)
            equal = static_cast<std::uint8_t>(equal + (roles[done] == role ? 1 : 0));
        total += equal;
    }
    return total;
}

// Written every time and advanced only for the role, so that no branch depends on the data; the end
// keeps the idle store inside the array.
void select_role(const std::uint8_t* roles, std::int64_t first, std::int64_t count,
                 std::uint8_t role, std::int64_t* target, std::int64_t* target_end) {
    for (std::int64_t i = 0; i < count && target < target_end; ++i) {
        *target = first + i;
        target += roles[i] == role ? 1 : 0;
    }
}

}  // namespace

extern const temporal_kernels temporal_kernels_table;
const temporal_kernels temporal_kernels_table = {order_keys, sort,       mark_before,
                                                 mark_ranks, count_role, select_role};

}  // namespace mlestar::model_selection::MLESTAR_LEVEL
#endif
