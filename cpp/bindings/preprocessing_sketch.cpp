#include "preprocessing/sketch.hpp"

#include <pybind11/stl.h>

#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/method.hpp"
#include "bindings/preprocessing_pairs.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::preprocessing_sketch {
namespace {

using preprocessing::quantile_sketch;

// False to decline: infinity, another width, or what is no matrix of numbers.
bool update(quantile_sketch& sketch, py::handle X, double missing) {
    const auto x = as_matrix(X);
    if (!x) return false;
    const gil_scope scope(x->rows * x->columns, 8);
    return sketch.update(*x, missing);
}

py::tuple pairs(const quantile_sketch& sketch, const std::vector<double>& fractions) {
    require_fractions(fractions);
    return to_tuple(sketch.pairs(fractions));
}

py::tuple state(const quantile_sketch& sketch) {
    const auto saved = sketch.save();
    return py::make_tuple(to_array<std::int64_t>(saved.integers), to_array<double>(saved.reals));
}

template <class T>
using plain_array = converted<T>;

quantile_sketch from_state(const plain_array<std::int64_t>& integers,
                           const plain_array<double>& reals) {
    return quantile_sketch::load({{integers.data(), integers.data() + integers.size()},
                                  {reals.data(), reals.data() + reals.size()}});
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_sketch

void mlestar::bindings::add_preprocessing_sketch(py::module_& module) {
    using namespace preprocessing_sketch;
    py::class_<quantile_sketch>(module, "QuantileSketch")
        .def(py::init<std::uint64_t>(), py::arg("seed"))
        .def("update", update, py::arg("X"), py::arg("missing"))
        .def("merge", method(&quantile_sketch::merge), py::arg("other"))
        .def("pairs", pairs, py::arg("fractions"))
        .def("columns", method(&quantile_sketch::columns))
        .def("state", state)
        .def_static("from_state", from_state, py::arg("integers"), py::arg("reals"));
}
