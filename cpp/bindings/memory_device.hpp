// A device pool as a Python class, the same in the core's module and in the CUDA module.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "bindings/memory_results.hpp"
#include "memory/device.hpp"

namespace mlestar::bindings::memory_device {

namespace py = pybind11;

using memory::device_pool;

inline std::uintptr_t allocate(device_pool& pool, std::size_t bytes, std::uintptr_t stream,
                               const std::string& tag) {
    const py::gil_scoped_release released;  // the device may be waited for
    return reinterpret_cast<std::uintptr_t>(pool.allocate(bytes, stream, pool.tag(tag)));
}

inline void free_block(device_pool& pool, std::uintptr_t address, std::uintptr_t stream) {
    const py::gil_scoped_release released;
    pool.free(reinterpret_cast<void*>(address), stream);
}

// A Python function as the pool's callback, which may run in any thread; what it raises counts as
// "no", and is told where errors without a caller go.
inline void on_exhausted(device_pool& pool, const std::optional<py::function>& callback) {
    if (!callback) {
        pool.on_exhausted({});
        return;
    }
    // Destroyed with the GIL held, whoever drops the pool.
    std::shared_ptr<py::function> kept(new py::function(*callback), [](py::function* function) {
        const py::gil_scoped_acquire acquired;
        delete function;
    });
    pool.on_exhausted([kept](std::size_t bytes) {
        const py::gil_scoped_acquire acquired;
        try {
            return py::cast<bool>(py::bool_((*kept)(bytes)));
        } catch (py::error_already_set& error) {
            error.discard_as_unraisable("the pool's on_exhausted");
            return false;
        }
    });
}

// Everything but the constructor.
template <class Class>
void add_methods(Class& pool) {
    pool.def("allocate", allocate, py::arg("bytes"), py::arg("stream"), py::arg("tag"))
        .def("free", free_block, py::arg("address"), py::arg("stream"))
        .def(
            "size_of",
            [](const device_pool& self, std::uintptr_t address) {
                return self.size_of(reinterpret_cast<void*>(address));
            },
            py::arg("address"))
        .def(
            "trim", [](device_pool& self, std::size_t keep) { return self.trim(keep); },
            py::arg("keep"), py::call_guard<py::gil_scoped_release>())
        .def(
            "set_limit", [](device_pool& self, std::size_t limit) { self.set_limit(limit); },
            py::arg("limit"), py::call_guard<py::gil_scoped_release>())
        .def(
            "set_keep", [](device_pool& self, std::size_t keep) { self.set_keep(keep); },
            py::arg("keep"), py::call_guard<py::gil_scoped_release>())
        .def("keep", [](const device_pool& self) { return self.keep(); })
        .def("on_exhausted", on_exhausted, py::arg("callback"))
        .def("reset_peaks", [](device_pool& self) { self.reset_peaks(); })
        .def("statistics", [](const device_pool& self) { return to_dict(self.statistics()); })
        .def("blocks", [](const device_pool& self) { return to_list(self.blocks()); });
}

}  // namespace mlestar::bindings::memory_device
