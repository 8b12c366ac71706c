// What every pool tells of itself, as Python's objects: host and device alike.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "memory/pool_statistics.hpp"

namespace mlestar::bindings {

namespace py = pybind11;

py::dict to_dict(const memory::pool_statistics& statistics);

// (address, bytes, tag, serial, origin) of each.
py::list to_list(const std::vector<memory::live_block>& blocks);

// out_of_memory becomes mlestar.exceptions.OutOfMemoryError, in this module alone.
void register_memory_errors();

}  // namespace mlestar::bindings
