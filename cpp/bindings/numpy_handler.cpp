#include "bindings/numpy_handler.hpp"

#include <string_view>

#include "support/error.hpp"

namespace mlestar::bindings {

namespace py = pybind11;

namespace {

// Places in NumPy's table of C functions, which are part of its ABI.
constexpr int place_of_set = 304;
constexpr int place_of_get = 305;
constexpr int place_of_default = 306;

void** numpy_functions() {
    static void** const table = [] {
        const auto module = py::module_::import("numpy._core._multiarray_umath");
        return py::reinterpret_borrow<py::capsule>(module.attr("_ARRAY_API")).get_pointer<void*>();
    }();
    return table;
}

bool is_handler(const py::capsule& capsule) {
    const char* const name = capsule.name();
    return name != nullptr && std::string_view(name) == handler_capsule;
}

}  // namespace

py::object default_handler() {
    return py::reinterpret_borrow<py::object>(
        *static_cast<PyObject**>(numpy_functions()[place_of_default]));
}

const numpy_allocator& default_allocator() {
    static const numpy_allocator* const allocator =
        &py::reinterpret_borrow<py::capsule>(default_handler())
             .get_pointer<numpy_handler>()
             ->allocator;
    return *allocator;
}

py::object set_handler(const py::capsule& handler) {
    if (!is_handler(handler))
        throw argument_error("handler is another capsule, but must be a NumPy memory handler's");
    const auto set = reinterpret_cast<PyObject* (*)(PyObject*)>(numpy_functions()[place_of_set]);
    PyObject* before = set(handler.ptr());
    if (before == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(before);
}

py::object get_handler() {
    const auto get = reinterpret_cast<PyObject* (*)()>(numpy_functions()[place_of_get]);
    PyObject* now = get();
    if (now == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(now);
}

}  // namespace mlestar::bindings
