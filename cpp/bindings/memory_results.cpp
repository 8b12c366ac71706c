#include "bindings/memory_results.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <exception>

namespace mlestar::bindings {

py::dict to_dict(const memory::pool_statistics& statistics) {
    py::dict tags;
    std::for_each(statistics.tags.begin(), statistics.tags.end(), [&](const auto& tag) {
        if (tag.tag.empty() && tag.peak == 0) return;
        py::dict row;
        row["in_use"] = tag.in_use;
        row["peak"] = tag.peak;
        row["blocks"] = tag.blocks;
        tags[py::str(tag.tag)] = row;
    });
    py::dict all;
    all["in_use"] = statistics.in_use;
    all["peak"] = statistics.peak;
    all["blocks"] = statistics.blocks;
    all["cached"] = statistics.cached;
    all["held"] = statistics.held;
    all["limit"] = statistics.limit == 0 ? py::object(py::none()) : py::cast(statistics.limit);
    all["hits"] = statistics.hits;
    all["misses"] = statistics.misses;
    all["frees"] = statistics.frees;
    all["failures"] = statistics.failures;
    all["released"] = statistics.released;
    all["tags"] = tags;
    return all;
}

py::list to_list(const std::vector<memory::live_block>& blocks) {
    py::list rows;
    std::for_each(blocks.begin(), blocks.end(), [&](const memory::live_block& block) {
        rows.append(
            py::make_tuple(block.address, block.bytes, block.tag, block.serial, block.origin));
    });
    return rows;
}

void register_memory_errors() {
    py::register_local_exception_translator([](std::exception_ptr caught) {
        try {
            if (caught) std::rethrow_exception(caught);
        } catch (const memory::out_of_memory& error) {
            const auto type = py::module_::import("mlestar.exceptions").attr("OutOfMemoryError");
            py::object made = type(error.what());
            made.attr("requested") = error.requested();
            made.attr("holders") = to_list(error.holders());
            PyErr_SetObject(type.ptr(), made.ptr());
        }
    });
}

}  // namespace mlestar::bindings
