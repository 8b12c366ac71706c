// Writing the row numbers of a split.
#pragma once

#include <cstdint>

namespace mlestar::model_selection {

struct splitter_kernels {
    std::int64_t (*count_equal)(const std::uint16_t* fold_of_row, std::int64_t count,
                                std::uint16_t fold);
    // Rows first, first + 1, ... go to `test` where their fold is `fold`, else to `train`.
    void (*divide)(const std::uint16_t* fold_of_row, std::int64_t first, std::int64_t count,
                   std::uint16_t fold, std::int64_t* train, std::int64_t* train_end,
                   std::int64_t* test, std::int64_t* test_end);
    void (*sequence)(std::int64_t first, std::int64_t count, std::int64_t* target);
};

}  // namespace mlestar::model_selection

#ifdef MLESTAR_LEVEL
namespace mlestar::model_selection::MLESTAR_LEVEL {
namespace {

std::int64_t count_equal(const std::uint16_t* fold_of_row, std::int64_t count, std::uint16_t fold) {
    std::int64_t total = 0;
    for (std::int64_t done = 0; done < count;) {
        // Sixteen-bit counters, emptied before they can overflow: the compiler packs sixteen to a
        // register.
        const std::int64_t last = count - done < 32768 ? count : done + 32768;
        std::uint16_t equal = 0;
        for (; done < last; ++done)
            equal = static_cast<std::uint16_t>(equal + (fold_of_row[done] == fold ? 1 : 0));
        total += equal;
    }
    return total;
}

// Both targets are written every time and only one advances, so that no branch depends on the data;
// the ends keep the idle store inside the array.
void divide(const std::uint16_t* fold_of_row, std::int64_t first, std::int64_t count,
            std::uint16_t fold, std::int64_t* train, std::int64_t* train_end, std::int64_t* test,
            std::int64_t* test_end) {
    std::int64_t i = 0;
    for (; i < count && train < train_end && test < test_end; ++i) {
        const std::int64_t held_out = fold_of_row[i] == fold ? 1 : 0;
        *train = first + i;
        *test = first + i;
        train += 1 - held_out;
        test += held_out;
    }
    for (; i < count; ++i) {
        if (fold_of_row[i] == fold)
            *test++ = first + i;
        else
            *train++ = first + i;
    }
}

void sequence(std::int64_t first, std::int64_t count, std::int64_t* target) {
    for (std::int64_t i = 0; i < count; ++i) target[i] = first + i;
}

}  // namespace

extern const splitter_kernels splitter_kernels_table;
const splitter_kernels splitter_kernels_table = {count_equal, divide, sequence};

}  // namespace mlestar::model_selection::MLESTAR_LEVEL
#endif
