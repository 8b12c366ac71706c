// The one map from the core's errors to Python's.
#pragma once

namespace mlestar::bindings {

void register_errors();

}  // namespace mlestar::bindings
