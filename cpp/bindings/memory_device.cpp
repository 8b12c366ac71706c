#include "bindings/memory_device.hpp"

#include <utility>

#include "bindings/rooms.hpp"

namespace mlestar::bindings::memory_device {
namespace {

// Over memory of the host: a device of `total` bytes whose streams are always done.
std::shared_ptr<device_pool> make(std::size_t total, std::size_t limit, std::size_t keep) {
    memory::device_pool_options options;
    options.limit = limit;
    options.keep = keep;
    return std::make_shared<device_pool>(std::make_unique<memory::host_upstream>(total), options);
}

}  // namespace
}  // namespace mlestar::bindings::memory_device

void mlestar::bindings::add_memory_device(pybind11::module_& module) {
    using namespace memory_device;
    py::class_<device_pool, std::shared_ptr<device_pool>> pool(module, "DevicePool",
                                                               py::module_local());
    pool.def(py::init(&make), py::arg("total"), py::arg("limit"), py::arg("keep"));
    add_methods(pool);
}
