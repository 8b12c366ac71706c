#include "preprocessing/quantiles.hpp"

#include <pybind11/stl.h>

#include "bindings/gil.hpp"
#include "bindings/preprocessing_pairs.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::preprocessing_quantiles {
namespace {

// None to decline: infinity, or what is no matrix of numbers.
py::object order_statistics(py::handle X, const std::vector<double>& fractions, double missing) {
    require_fractions(fractions);
    const auto x = as_matrix(X);
    if (!x) return py::none();
    std::optional<preprocessing::order_pairs> result;
    {
        const gil_scope scope(x->rows * x->columns, 4);
        result = preprocessing::order_statistics(*x, fractions, missing);
    }
    return result ? py::object(to_tuple(*result)) : py::none();
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_quantiles

void mlestar::bindings::add_preprocessing_quantiles(py::module_& module) {
    using namespace preprocessing_quantiles;
    module.def("order_statistics", order_statistics, py::arg("X"), py::arg("fractions"),
               py::arg("missing"));
}
