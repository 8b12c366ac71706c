// Pairs of order statistics as Python sees them.
#pragma once

#include <algorithm>
#include <vector>

#include "bindings/array.hpp"
#include "preprocessing/quantiles.hpp"
#include "support/error.hpp"

namespace mlestar::bindings {

inline void require_fractions(const std::vector<double>& fractions) {
    if (!std::all_of(fractions.begin(), fractions.end(),
                     [](double f) { return f >= 0.0 && f <= 1.0; }))
        throw argument_error("fractions must lie between 0 and 1");
}

// (values that are there in each column, lower and upper values of shape (fractions, columns)).
inline py::tuple to_tuple(const preprocessing::order_pairs& pairs) {
    const auto columns = static_cast<py::ssize_t>(pairs.counts.size());
    const auto rows = columns == 0 ? 0 : static_cast<py::ssize_t>(pairs.lower.size()) / columns;
    const auto table = [&](const std::vector<double>& values) {
        py::array_t<double> result({rows, columns});
        std::copy(values.begin(), values.end(), result.mutable_data());
        return result;
    };
    return py::make_tuple(to_array<std::int64_t>(pairs.counts), table(pairs.lower),
                          table(pairs.upper));
}

}  // namespace mlestar::bindings
