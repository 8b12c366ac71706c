#include "memory/pool.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "bindings/memory_results.hpp"
#include "bindings/numpy_handler.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::memory_pool {

namespace py = pybind11;

namespace {

using memory::host_pool;

// A NumPy handler over a pool. It belongs to its capsule, which every array that was made under it
// holds, and it holds the pool: so neither ends before the last array.
struct pool_handler {
    numpy_handler head;  // NumPy's pointer
    std::shared_ptr<host_pool> pool;
    std::uint32_t tag;
    std::size_t threshold;
    numpy_allocator below;  // NumPy's own functions
};

// NumPy asks with the GIL held and cannot be told more than that there is no memory; damage that
// debug mode finds goes where Python's errors without a caller go.
void tell(const std::exception& error) {
    if (!Py_IsInitialized() || !PyGILState_Check()) return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_SetString(PyExc_RuntimeError, error.what());
    PyErr_WriteUnraisable(nullptr);
    PyErr_Restore(type, value, traceback);
}

void* allocate_in(const pool_handler& handler, std::size_t bytes, bool zeroed) {
    try {
        return handler.pool->allocate(bytes, handler.tag, zeroed);
    } catch (const memory::corruption_error& error) {
        tell(error);  // what was damaged is mended: once more
    } catch (const std::exception&) {
        return nullptr;
    }
    try {
        return handler.pool->allocate(bytes, handler.tag, zeroed);
    } catch (const std::exception&) {
        return nullptr;
    }
}

// Where no limit forbids it, what the pool's address space does not hold is NumPy's own to give.
bool limited(const pool_handler& handler) { return handler.pool->statistics().limit != 0; }

void* handler_malloc(void* context, std::size_t bytes) {
    const auto& handler = *static_cast<pool_handler*>(context);
    if (bytes >= handler.threshold) {
        void* block = allocate_in(handler, bytes, false);
        if (block != nullptr || limited(handler)) return block;
    }
    return handler.below.malloc(handler.below.context, bytes);
}

void* handler_calloc(void* context, std::size_t count, std::size_t bytes) {
    const auto& handler = *static_cast<pool_handler*>(context);
    if (bytes != 0 && count > SIZE_MAX / bytes) return nullptr;
    if (count * bytes >= handler.threshold) {
        void* block = allocate_in(handler, count * bytes, true);
        if (block != nullptr || limited(handler)) return block;
    }
    return handler.below.calloc(handler.below.context, count, bytes);
}

void handler_free(void* context, void* block, std::size_t bytes) {
    const auto& handler = *static_cast<pool_handler*>(context);
    if (!handler.pool->owns(block)) {
        handler.below.free(handler.below.context, block, bytes);
        return;
    }
    try {
        handler.pool->free(block);
    } catch (const std::exception& error) {
        tell(error);
    }
}

void* handler_realloc(void* context, void* block, std::size_t bytes) {
    const auto& handler = *static_cast<pool_handler*>(context);
    if (!handler.pool->owns(block))
        return handler.below.realloc(handler.below.context, block, bytes);
    try {
        return handler.pool->reallocate(block, bytes);
    } catch (const memory::corruption_error&) {
        // The array goes on; freeing the old block tells of the damage.
    } catch (const std::exception&) {
        if (limited(handler)) return nullptr;
    }
    void* moved = handler_malloc(context, bytes);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, block, std::min(bytes, handler.pool->size_of(block)));
    handler_free(context, block, bytes);
    return moved;
}

py::capsule handler(const std::shared_ptr<host_pool>& pool, const std::string& tag,
                    std::size_t threshold) {
    auto made = std::make_unique<pool_handler>();
    std::memset(&made->head, 0, sizeof made->head);
    std::strncpy(made->head.name, "mlestar_host_pool", sizeof made->head.name - 1);
    made->head.version = 1;
    made->head.allocator = {made.get(), handler_malloc, handler_calloc, handler_realloc,
                            handler_free};
    made->pool = pool;
    made->tag = pool->tag(tag);
    made->threshold = std::max(threshold, std::size_t{1});
    made->below = default_allocator();
    PyObject* capsule = PyCapsule_New(&made->head, handler_capsule, [](PyObject* self) {
        auto* head = static_cast<numpy_handler*>(PyCapsule_GetPointer(self, handler_capsule));
        delete static_cast<pool_handler*>(head->allocator.context);
    });
    if (capsule == nullptr) throw py::error_already_set();
    static_cast<void>(made.release());
    return py::reinterpret_steal<py::capsule>(capsule);
}

// "file:line in function" of the Python code that asks, the innermost first.
std::string python_origin() {
    if (!Py_IsInitialized() || !PyGILState_Check()) return "";
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    std::string text;
    try {
        text = py::module_::import("mlestar.memory._origin").attr("origin")().cast<std::string>();
    } catch (py::error_already_set& error) {
        text = error.what();
    }
    PyErr_Restore(type, value, traceback);
    return text;
}

std::shared_ptr<host_pool> make(std::size_t limit, std::size_t keep, bool huge_pages, bool debug) {
    memory::host_pool_options options;
    options.limit = limit;
    options.keep = keep;
    options.huge_pages = huge_pages;
    options.debug = debug;
    return std::make_shared<host_pool>(std::move(options));
}

std::uintptr_t allocate(host_pool& pool, std::size_t bytes, const std::string& tag) {
    return reinterpret_cast<std::uintptr_t>(pool.allocate(bytes, pool.tag(tag)));
}

void free_block(host_pool& pool, std::uintptr_t address) {
    pool.free(reinterpret_cast<void*>(address));
}

bool owns(const host_pool& pool, std::uintptr_t address) {
    return pool.owns(reinterpret_cast<const void*>(address));
}

std::size_t size_of(const host_pool& pool, std::uintptr_t address) {
    return pool.size_of(reinterpret_cast<void*>(address));
}

py::tuple room() {
    const auto found = memory::find_room();
    return py::make_tuple(found.total, found.available);
}

}  // namespace
}  // namespace mlestar::bindings::memory_pool

void mlestar::bindings::add_memory_pool(py::module_& module) {
    using namespace memory_pool;
    register_memory_errors();
    py::class_<host_pool, std::shared_ptr<host_pool>>(module, "HostPool")
        .def(py::init(&make), py::arg("limit"), py::arg("keep"), py::arg("huge_pages"),
             py::arg("debug"))
        .def("allocate", allocate, py::arg("bytes"), py::arg("tag"))
        .def("free", free_block, py::arg("address"))
        .def("owns", owns, py::arg("address"))
        .def("size_of", size_of, py::arg("address"))
        .def("handler", handler, py::arg("tag"), py::arg("threshold"))
        .def(
            "trim", [](host_pool& pool, std::size_t keep) { return pool.trim(keep); },
            py::arg("keep"), py::call_guard<py::gil_scoped_release>())
        .def(
            "set_limit", [](host_pool& pool, std::size_t limit) { pool.set_limit(limit); },
            py::arg("limit"))
        .def(
            "set_keep", [](host_pool& pool, std::size_t keep) { pool.set_keep(keep); },
            py::arg("keep"))
        .def("keep", [](const host_pool& pool) { return pool.keep(); })
        .def(
            "trace", [](host_pool& pool, bool on) { pool.trace(on ? python_origin : nullptr); },
            py::arg("on"))
        .def("reset_peaks", [](host_pool& pool) { pool.reset_peaks(); })
        .def("statistics", [](const host_pool& pool) { return to_dict(pool.statistics()); })
        .def("blocks", [](const host_pool& pool) { return to_list(pool.blocks()); })
        .def("check", [](const host_pool& pool) { return pool.check(); });
    module.def("set_handler", set_handler, py::arg("handler"));
    module.def("get_handler", get_handler);
    module.def("default_handler", default_handler);
    module.def("room", room);
}
