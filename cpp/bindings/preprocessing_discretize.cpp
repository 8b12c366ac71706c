#include "preprocessing/discretize.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/preprocessing_coders.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::preprocessing_discretize {
namespace {

// What finds the bins of columns between these inner edges, one list for each.
column_coders bin_coders(const std::vector<std::vector<double>>& edges) {
    column_coders result;
    std::transform(edges.begin(), edges.end(), std::back_inserter(result.coders),
                   preprocessing::coder_of_bins);
    return result;
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_discretize

void mlestar::bindings::add_preprocessing_discretize(py::module_& module) {
    using namespace preprocessing_discretize;
    module.def("bin_coders", bin_coders, py::arg("edges"));
}
