#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/cuda_rooms.hpp"
#include "cuda/devices.hpp"

namespace mlestar::bindings::cuda_devices {
namespace {

pybind11::dict build_info() {
    pybind11::dict info;
    info["architectures"] = MLESTAR_CUDA_ARCHITECTURES;
    info["runtime"] = cuda::runtime_version();
    info["driver"] = cuda::driver_version();
    info["devices"] = pybind11::tuple(pybind11::cast(cuda::device_names()));
    info["why_no_device"] = cuda::why_no_device();
    return info;
}

}  // namespace
}  // namespace mlestar::bindings::cuda_devices

void mlestar::bindings::add_cuda_devices(pybind11::module_& module) {
    using namespace cuda_devices;
    module.def("build_info", build_info);
    module.def("synchronize", cuda::synchronize, pybind11::arg("stream"),
               pybind11::call_guard<pybind11::gil_scoped_release>());
}
