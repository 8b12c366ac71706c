// A user's metric in native code, as it comes from Python: a capsule that holds its address under
// the name of its signature, so that no other pointer can be taken for one.
#pragma once

#include <pybind11/pybind11.h>

#include <cstring>
#include <optional>

#include "metrics/resampling_callback.hpp"
#include "support/error.hpp"
#include "support/parallel.hpp"

namespace mlestar::bindings {

inline constexpr const char* callback_signature =
    "double (const double *, const double *, const double *, int64_t, int32_t *)";

inline metrics::metric_callback callback_of(const pybind11::capsule& capsule) {
    const char* const name = capsule.name();
    if (name == nullptr || std::strcmp(name, callback_signature) != 0)
        throw argument_error(std::string("metric must be a capsule named '") + callback_signature +
                             "'");
    return reinterpret_cast<metrics::metric_callback>(capsule.get_pointer<void>());
}

// Lets go of the GIL however short the call: a callback may take it (to print, or where it leaves
// native code), and would wait for ever for a caller that holds it and waits for the callback.
class callback_scope {
    pybind11::gil_scoped_release released_;
    polling_scope polling_;
};

}  // namespace mlestar::bindings
