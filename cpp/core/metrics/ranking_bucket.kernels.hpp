// A bucket of scores: what the partition makes and the kernels of ranking and of curves sort.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

// Rows whose scores lie in one range and have one sign. An item is the score's order key, whose
// highest bit (the sign) makes room for the label as the lowest bit (1: positive).
template <class Key>
struct bucket {
    Key* items;
    const double* weights;  // null where unweighted
    std::int64_t count;
    std::int64_t positives;
};

}  // namespace mlestar::metrics
