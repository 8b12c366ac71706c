// Exact order statistics of columns, by counting: what quantiles are interpolated from. Functions
// return nothing for infinity, which they leave to scikit-learn.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::preprocessing {

// For each fraction q and column, row-major: the values of rank floor(q (n - 1)) and the next, of
// the column's n values that are not missing, in ascending order. NaN where n is 0.
struct order_pairs {
    std::vector<std::int64_t> counts;  // n, for each column
    std::vector<double> lower;
    std::vector<double> upper;
};

// `missing`: NaN, or the number that stands for what is missing; NaN is then declined too.
std::optional<order_pairs> order_statistics(const matrix_view& x,
                                            const std::vector<double>& fractions, double missing);

// Where the pair of a fraction lies among n values; fractions are in [0, 1] and n is not 0.
struct rank_pair {
    std::int64_t lower;
    std::int64_t upper;
};
rank_pair ranks_of(double fraction, std::int64_t n);

}  // namespace mlestar::preprocessing
