#include "cuda/memory_device.hpp"

#include "bindings/cuda_rooms.hpp"
#include "bindings/memory_device.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::cuda_memory_device {
namespace {

using memory::device_pool;

cuda::memory_kind kind_of(bool pinned) {
    return pinned ? cuda::memory_kind::pinned : cuda::memory_kind::device;
}

void require_device(int device) {
    const auto count = static_cast<int>(cuda::device_names().size());
    if (device >= 0 && device < count) return;
    throw argument_error("device is " + std::to_string(device) + ", but must be below the " +
                         std::to_string(count) + " that there are");
}

std::shared_ptr<device_pool> make(int device, bool pinned, std::size_t limit, std::size_t keep) {
    require_device(device);
    memory::device_pool_options options;
    options.limit = limit;
    options.keep = keep;
    return cuda::make_pool(device, kind_of(pinned), options);
}

std::shared_ptr<device_pool> shared(int device, bool pinned) {
    require_device(device);
    return cuda::shared_pool(device, kind_of(pinned));
}

}  // namespace
}  // namespace mlestar::bindings::cuda_memory_device

void mlestar::bindings::add_cuda_memory_device(pybind11::module_& module) {
    using namespace cuda_memory_device;
    namespace py = pybind11;
    register_memory_errors();
    py::class_<device_pool, std::shared_ptr<device_pool>> pool(module, "DevicePool",
                                                               py::module_local());
    pool.def(py::init(&make), py::arg("device"), py::arg("pinned"), py::arg("limit"),
             py::arg("keep"));
    memory_device::add_methods(pool);
    module.def("shared", shared, py::arg("device"), py::arg("pinned"));
}
