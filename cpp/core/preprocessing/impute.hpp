// What is missing, counted and filled in. `missing` is NaN or the number that stands for what is
// missing; infinity, and NaN where that does not stand for it, are left to scikit-learn.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "preprocessing/scale.hpp"
#include "support/span.hpp"

namespace mlestar::preprocessing {

// A column's distinct values in ascending order, and how often each is there; NaN is passed over.
struct value_counts {
    std::vector<double> values;
    std::vector<std::int64_t> counts;
};
std::optional<std::vector<value_counts>> values_of(const matrix_view& x);

// x with its column's value where something is missing. False where there is what may not be;
// nothing is written then if the result lies where x does.
bool fill_into(const matrix_view& x, const std::vector<double>& values, double missing,
               const result_view& result);

}  // namespace mlestar::preprocessing
