// Sorting what goes into a run.
#pragma once

#include <cstdint>

#include "support/sort.hpp"

namespace mlestar::metrics {

struct streaming_scores_kernels {
    // `items` is used up; `sorted` lies elsewhere and holds as many.
    void (*sort_keys)(std::uint64_t* items, std::int64_t count, std::uint64_t* sorted);
    void (*sort_rows)(weighted_key* items, std::int64_t count, weighted_key* sorted);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

void sort_keys(std::uint64_t* items, std::int64_t count, std::uint64_t* sorted) {
    if (count > 0) sort_into(items, count, sorted);
}

void sort_rows(weighted_key* items, std::int64_t count, weighted_key* sorted) {
    if (count > 0) sort_into(items, count, sorted);
}

}  // namespace

extern const streaming_scores_kernels streaming_scores_kernels_table;
const streaming_scores_kernels streaming_scores_kernels_table = {sort_keys, sort_rows};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
