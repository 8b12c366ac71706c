// Numbers as bins: the code of a value is how many inner edges are not above it.
#pragma once

#include <vector>

#include "preprocessing/encode.hpp"

namespace mlestar::preprocessing {

// `edges`: the inner ones, ascending. What is not finite is declined. argument_error where they do
// not ascend.
coder coder_of_bins(const std::vector<double>& edges);

}  // namespace mlestar::preprocessing
