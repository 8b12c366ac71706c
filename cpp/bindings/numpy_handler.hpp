// NumPy's data memory handlers (NEP 49) by the capsules and functions that NumPy publishes for
// them; nothing of NumPy is needed to compile this.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>

namespace mlestar::bindings {

// Laid out as NumPy's PyDataMem_Handler of version 1, and as all later ones begin.
struct numpy_allocator {
    void* context;
    void* (*malloc)(void* context, std::size_t bytes);
    void* (*calloc)(void* context, std::size_t count, std::size_t bytes);
    void* (*realloc)(void* context, void* block, std::size_t bytes);
    void (*free)(void* context, void* block, std::size_t bytes);
};

struct numpy_handler {
    char name[127];
    std::uint8_t version;
    numpy_allocator allocator;
};

inline constexpr const char* handler_capsule = "mem_handler";

// The handler that NumPy starts with.
const numpy_allocator& default_allocator();

// Makes a handler the calling context's; gives the one before.
pybind11::object set_handler(const pybind11::capsule& handler);
pybind11::object get_handler();
pybind11::object default_handler();

}  // namespace mlestar::bindings
