// What each binding file of a CUDA capability adds to the CUDA module.
#pragma once

#include <pybind11/pybind11.h>

namespace mlestar::bindings {

void add_cuda_devices(pybind11::module_& module);
void add_cuda_memory_device(pybind11::module_& module);
void add_cuda_metrics_regression(pybind11::module_& module);

}  // namespace mlestar::bindings
