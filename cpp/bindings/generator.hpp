// Where draws come from: NumPy's bit generators by the capsules that NumPy publishes for them.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>

#include "support/error.hpp"
#include "support/rng.hpp"

namespace mlestar::bindings {

inline bit_generator& generator_of(const pybind11::capsule& capsule) {
    const char* const name = capsule.name();
    if (name == nullptr || std::string_view(name) != "BitGenerator")
        throw argument_error("generator is not a NumPy bit generator's capsule");
    return *capsule.get_pointer<bit_generator>();
}

}  // namespace mlestar::bindings
