// The CUDA module: the core's capabilities for data on a GPU, one submodule a room. It loads
// without a driver and without a GPU; then it has no devices.
#include <pybind11/pybind11.h>

#include "bindings/cuda_rooms.hpp"

PYBIND11_MODULE(_core_cuda, module) {
    using namespace mlestar::bindings;
    add_cuda_devices(module);
    auto memory = module.def_submodule("memory");
    add_cuda_memory_device(memory);
    auto metrics = module.def_submodule("metrics");
    add_cuda_metrics_regression(metrics);
}
