#include "bindings/contiguous.hpp"
#include "bindings/rooms.hpp"
#include "bindings/streaming.hpp"
#include "metrics/streaming_bins.hpp"
#include "metrics/streaming_scores.hpp"

namespace mlestar::bindings::metrics_streaming_rows {
namespace {

using metrics::score_bins;
using metrics::score_rows;

template <class Accumulator>
Accumulator prepare(const Accumulator& self, py::handle y_true, py::handle y_pred,
                    py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    const vector_view y = t.vector(), s = p.vector();
    Accumulator batch = self.empty();
    const gil_scope scope(y.size);
    batch.add(y, s, w.vector());
    return batch;
}

// A few rows go straight in.
template <class Accumulator>
void update(Accumulator& self, py::handle y_true, py::handle y_pred, py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    const vector_view y = t.vector(), s = p.vector();
    if (y.size < release_above) return self.add(y, s, w.vector());
    Accumulator batch = self.empty();
    {
        const gil_scope scope(y.size);
        batch.add(y, s, w.vector());
    }
    self.merge(batch);
}

py::tuple as_tuple(const metrics::bounded& found) {
    return py::make_tuple(found.value, found.low, found.high);
}

// A copy shares the rows, so that another thread may go on meanwhile.
template <double (score_rows::*Function)() const>
double compute(const score_rows& self) {
    const score_rows rows = self;
    const gil_scope scope(10 * rows.rows());
    return (rows.*Function)();
}

using label_array = converted<std::uint8_t>;

template <class T>
std::vector<T> as_values(const converted<T>& array) {
    return {array.data(), array.data() + array.size()};
}

}  // namespace
}  // namespace mlestar::bindings::metrics_streaming_rows

void mlestar::bindings::add_metrics_streaming_rows(py::module_& module) {
    using namespace metrics_streaming_rows;
    py::class_<score_bins> bins(module, "ScoreBins");
    bins.def(py::init<std::int64_t, std::optional<std::int64_t>>(), py::arg("most_bins"),
             py::arg("positive"))
        .def("update", &update<score_bins>, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def("prepare", &prepare<score_bins>, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def_property_readonly("bins", method(&score_bins::bins))
        .def_property_readonly("resolution", method(&score_bins::resolution))
        .def("roc_auc", [](const score_bins& self) { return as_tuple(self.roc_auc()); })
        .def("average_precision",
             [](const score_bins& self) { return as_tuple(self.average_precision()); });
    add_state(add_common(bins));

    py::class_<score_rows> rows(module, "ScoreRows");
    rows.def(py::init<std::optional<std::int64_t>, std::int64_t, std::string>(),
             py::arg("positive"), py::arg("memory_limit"), py::arg("folder"))
        .def("update", &update<score_rows>, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def("prepare", &prepare<score_rows>, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def_property_readonly("runs", method(&score_rows::runs))
        .def_property_readonly("rows_in_memory", method(&score_rows::rows_in_memory))
        .def_property_readonly("bytes_in_memory", method(&score_rows::bytes_in_memory))
        .def("roc_auc", &compute<&score_rows::roc_auc>)
        .def("average_precision", &compute<&score_rows::average_precision>)
        .def("state",
             [](const score_rows& self) {
                 const metrics::scored_rows all = self.all_rows();
                 return py::make_tuple(
                     to_array<std::int64_t>(self.state().integers), to_array<double>(all.score),
                     to_array<std::uint8_t>(all.positive), to_array<double>(all.weight));
             })
        .def(
            "load",
            [](score_rows& self, const integer_array& integers, const real_array& score,
               const label_array& positive, const real_array& weight) {
                self.load({as_values<std::int64_t>(integers), {}},
                          {as_values<double>(score), as_values<std::uint8_t>(positive),
                           as_values<double>(weight)});
            },
            py::arg("integers"), py::arg("score"), py::arg("positive"), py::arg("weight"));
    add_common(rows);
}
