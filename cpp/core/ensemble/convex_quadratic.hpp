// The small quadratic program inside a Newton step: as many variables as there are models, dense.
#pragma once

#include <cstdint>
#include <vector>

namespace mlestar::ensemble {

// Minimizes gradient.d + d.hessian.d / 2 with d >= lower (minus infinity where a variable is free)
// and balance.d = 0 where `balance` is not empty. d = 0 must be feasible. The hessian is row-major,
// symmetric and positive semidefinite. Where the method does not end (degenerate or singular
// programs), what is returned is feasible and not worse than d = 0.
std::vector<double> minimize_quadratic(const std::vector<double>& hessian,
                                       const std::vector<double>& gradient,
                                       const std::vector<double>& lower,
                                       const std::vector<double>& balance);

}  // namespace mlestar::ensemble
