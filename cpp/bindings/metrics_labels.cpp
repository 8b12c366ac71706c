#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/labels.hpp"

namespace mlestar::bindings::metrics_labels {
namespace {

// (codes of a, codes of b or None, sorted distinct strings) of one or two string arrays; None to
// decline.
py::object encode_strings(py::handle a, py::handle b) {
    const auto first = as_strings(a);
    const auto second = b.is_none() ? metrics::string_array{} : as_strings(b);
    if (!first || !second) return py::none();
    metrics::encoded_strings result;
    {
        const gil_scope scope(first->size + second->size);
        result = metrics::encode_strings({*first, *second});
    }
    const py::object codes_b =
        b.is_none() ? py::object(py::none()) : to_array<std::int64_t>(result.codes[1]);
    return py::make_tuple(to_array<std::int64_t>(result.codes[0]), codes_b,
                          py::cast(result.values));
}

// (codes, sorted distinct values) of integer labels; where `labels` are given, codes among them
// (ascending), None for others. None to decline.
py::object encode_integers(py::handle y, py::handle labels) {
    const auto values = as_vector(y);
    const auto known = as_optional(labels);
    if (!values || !known) return py::none();
    std::optional<metrics::encoded_integers> result;
    {
        const gil_scope scope(values->size * 2);
        result = metrics::encode_integers(*values, *known);
    }
    if (!result) return py::none();
    return py::make_tuple(to_array<std::int32_t>(result->codes),
                          to_array<std::int64_t>(result->values));
}

}  // namespace
}  // namespace mlestar::bindings::metrics_labels

void mlestar::bindings::add_metrics_labels(py::module_& module) {
    using namespace metrics_labels;
    module.def("encode_strings", encode_strings, py::arg("a"), py::arg("b"));
    module.def("encode_integers", encode_integers, py::arg("y"), py::arg("labels"));
}
