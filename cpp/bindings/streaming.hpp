// What the classes of streaming metrics have in common in Python.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <utility>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/method.hpp"
#include "bindings/operand.hpp"
#include "metrics/streaming.hpp"

namespace mlestar::bindings {

// make(accumulator) with the GIL let go where that pays. The accumulator is then a copy: another
// thread may update the original meanwhile.
template <class Accumulator, class Make>
Accumulator make_batch(const Accumulator& self, std::int64_t elements, Make make) {
    if (elements < release_above) return make(self);
    const Accumulator basis = self;
    const gil_scope scope(elements);
    return make(basis);
}

inline py::tuple as_tuple(const metrics::streaming_state& state) {
    return py::make_tuple(to_array<std::int64_t>(state.integers), to_array<double>(state.reals));
}

using integer_array = converted<std::int64_t>;
using real_array = converted<double>;

inline metrics::streaming_state as_state(const integer_array& integers, const real_array& reals) {
    return {{integers.data(), integers.data() + integers.size()},
            {reals.data(), reals.data() + reals.size()}};
}

// merge, reset and rows of every accumulator.
template <class Accumulator>
py::class_<Accumulator>& add_common(py::class_<Accumulator>& type) {
    return type.def("merge", &Accumulator::merge, py::arg("other"))
        .def("reset", method(&Accumulator::reset))
        .def_property_readonly("rows", method(&Accumulator::rows));
}

// state and load of an accumulator whose state is numbers alone.
template <class Accumulator>
py::class_<Accumulator>& add_state(py::class_<Accumulator>& type) {
    return type.def("state", [](const Accumulator& self) { return as_tuple(self.state()); })
        .def(
            "load",
            [](Accumulator& self, const integer_array& integers, const real_array& reals) {
                self.load(as_state(integers, reals));
            },
            py::arg("integers"), py::arg("reals"));
}

// update and prepare; `prepare(self, y_true, y_pred, sample_weight)` gives what update merges.
template <class Accumulator, class Prepare>
py::class_<Accumulator>& add_update(py::class_<Accumulator>& type, Prepare prepare) {
    return type
        .def("prepare", prepare, py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"))
        .def(
            "update",
            [prepare](Accumulator& self, py::handle y_true, py::handle y_pred, py::handle weight) {
                self.merge(prepare(self, y_true, y_pred, weight));
            },
            py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"));
}

}  // namespace mlestar::bindings
