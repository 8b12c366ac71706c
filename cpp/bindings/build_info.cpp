#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/rooms.hpp"
#include "support/levels.hpp"
#include "support/parallel.hpp"

// threadpoolctl finds these two by name in the loaded library.
extern "C" {
__attribute__((visibility("default"))) int mlestar_get_num_threads() {
    return mlestar::thread_count();
}
__attribute__((visibility("default"))) void mlestar_set_num_threads(int count) {
    mlestar::set_thread_count(count < 1 ? 1 : count);
}
}

namespace mlestar::bindings::build_info {
namespace {

pybind11::dict describe_build() {
    pybind11::dict info;
    info["version"] = MLESTAR_VERSION;
#if defined(__clang__)
    info["compiler"] = "clang " __clang_version__;
#else
    info["compiler"] = "gcc " __VERSION__;
#endif
    info["flags"] = MLESTAR_BUILD_FLAGS;
    info["levels"] = pybind11::tuple(pybind11::cast(level_names()));
    info["level"] = name_of(active_level());
    info["threads"] = thread_count();
    return info;
}

}  // namespace
}  // namespace mlestar::bindings::build_info

void mlestar::bindings::add_build_info(pybind11::module_& module) {
    using namespace build_info;
    module.def("build_info", describe_build);
    module.def("get_num_threads", thread_count);
    module.def("set_num_threads", set_thread_count, pybind11::arg("count"));
}
