// Weights that minimize a convex loss of the weighted sum of predictions, to a certified gap:
// projected Newton steps, each a small quadratic program over the models that matter, first on a
// sample of the rows and then on all.
#pragma once

#include <cstdint>
#include <vector>

#include "ensemble/convex_rows.hpp"

namespace mlestar::ensemble {

struct convex_options {
    double l1 = 0.0;  // times the sum of the weights' absolute values
    double l2 = 0.0;  // times half the sum of their squares
    bool sum_to_one = true;
    bool non_negative = true;
    double tolerance = 1e-9;
    std::int64_t max_iterations = 200;
};

struct convex_result {
    std::vector<double> weights;
    double objective = 0.0;
    // The objective exceeds no other weights' by more: of the simplex or, where the weights are not
    // confined to it, of those whose absolute values sum to at most 1 + twice the sum of these.
    double gap = 0.0;
    std::int64_t iterations = 0;  // Newton steps on all rows
    bool converged = false;       // gap <= tolerance * max(1, |objective|)
};

// Throws argument_error for arguments that make no problem.
convex_result minimize_convex(const convex_data& data, const convex_options& options);

}  // namespace mlestar::ensemble
