// Columns mapped to the shares of their quantiles, uniform or as a normal distribution has them.
#pragma once

#include <cstdint>
#include <vector>

#include "preprocessing/scale.hpp"
#include "support/span.hpp"

namespace mlestar::preprocessing {

struct quantile_plan {
    std::vector<double> knots;   // of one column after the other, ascending: `shares` for each
    std::vector<double> shares;  // ascending, from 0 to 1
    bool normal;
    double low, high;  // what results are cut to, if normal
};

// The mean of the interpolations from below and from above, which differ where knots are equal; as
// scikit-learn, what is within 1e-7 of the ends goes to them if normal. NaN stays. False where x
// holds infinity; nothing is written then if the result lies where x does.
bool quantile_map_into(const matrix_view& x, const quantile_plan& plan, const result_view& result);

}  // namespace mlestar::preprocessing
