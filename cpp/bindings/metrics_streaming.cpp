#include <algorithm>
#include <iterator>
#include <numeric>

#include "bindings/rooms.hpp"
#include "bindings/streaming.hpp"
#include "metrics/streaming.hpp"
#include "metrics/streaming_probability.hpp"
#include "metrics/streaming_retrieval.hpp"
#include "metrics/streaming_table.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_streaming {
namespace {

using metrics::label_table;
using metrics::probability_sums;
using metrics::regression_sums;
using metrics::row_means;
using metrics::running_sum;

// The name of a row loss, in the order of metrics::row_loss.
constexpr const char* loss_names[] = {"squared", "absolute",    "difference", "percentage",
                                      "pinball", "squared_log", "poisson",    "gamma",
                                      "largest", "tweedie"};

metrics::row_loss loss_of(const std::string& name) {
    const auto* const found = std::find(std::begin(loss_names), std::end(loss_names), name);
    if (found == std::end(loss_names))
        throw argument_error(
            "terms names '" + name +
            "', but every name must be squared, absolute, difference, "
            "percentage, pinball, squared_log, poisson, gamma, largest or tweedie");
    return static_cast<metrics::row_loss>(found - std::begin(loss_names));
}

regression_sums make_regression(const std::vector<std::pair<std::string, double>>& terms,
                                bool target_moments, bool error_moments, bool exact) {
    metrics::regression_plan plan;
    std::transform(terms.begin(), terms.end(), std::back_inserter(plan.terms),
                   [](const auto& term) {
                       return metrics::regression_plan::term{loss_of(term.first), term.second};
                   });
    plan.target_moments = target_moments;
    plan.error_moments = error_moments;
    plan.exact = exact;
    return regression_sums(std::move(plan));
}

regression_sums prepare_regression(const regression_sums& self, py::handle y_true,
                                   py::handle y_pred, py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    t.require_numbers();
    p.require_numbers();
    return make_batch(self, t.matrix().rows * t.matrix().columns, [&](const auto& basis) {
        return basis.batch(t.matrix(), p.matrix(), w.vector());
    });
}

// function(output) of every output as an array.
template <class Function>
py::array_t<double> each_output(const regression_sums& self, Function function) {
    std::vector<std::int64_t> outputs(static_cast<std::size_t>(self.outputs()));
    std::iota(outputs.begin(), outputs.end(), 0);
    std::vector<double> values(outputs.size());
    std::transform(outputs.begin(), outputs.end(), values.begin(), function);
    return to_array<double>(values);
}

py::array digits_of(const std::vector<const running_sum*>& sums) {
    metrics::streaming_state state;
    std::for_each(sums.begin(), sums.end(), [&](const running_sum* sum) { sum->write(state); });
    return to_array<std::int64_t>(state.integers).reshape({-1, exact_sum::digit_count});
}

// One row a sum: the weight, the terms, then the first and second moments of the target and of the
// error, where they are kept. Digits are those of exact_sum.
py::array regression_digits(const regression_sums& self, std::int64_t output) {
    if (!self.plan().exact || output < 0 || output >= self.outputs())
        throw argument_error("there are no exact sums of output " + std::to_string(output));
    std::vector<const running_sum*> sums{&self.weight()};
    const auto& terms = self.terms(output);
    std::transform(terms.begin(), terms.end(), std::back_inserter(sums),
                   [](const running_sum& sum) { return &sum; });
    const auto& target = self.target(output);
    const auto& error = self.error(output);
    sums.insert(sums.end(), {&target.first, &target.second, &error.first, &error.second});
    return digits_of(sums);
}

probability_sums prepare_probability(const probability_sums& self, py::handle y_true,
                                     py::handle y_pred, py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    p.require_numbers();
    const vector_view y = t.vector();
    return make_batch(self, p.matrix().rows * p.matrix().columns,
                      [&](const auto& basis) { return basis.batch(y, p.matrix(), w.vector()); });
}

probability_sums make_probability(const std::string& loss, std::vector<std::int64_t> labels,
                                  bool exact, bool counted) {
    constexpr const char* names[] = {"log", "brier", "hinge"};
    const auto* const found = std::find(std::begin(names), std::end(names), loss);
    if (found == std::end(names))
        throw argument_error("loss is '" + loss + "', but must be log, brier or hinge");
    return {static_cast<metrics::probability_loss>(found - std::begin(names)), std::move(labels),
            exact, counted};
}

std::vector<const running_sum*> class_sums(const probability_sums& self) {
    std::vector<const running_sum*> sums;
    std::transform(self.by_class().begin(), self.by_class().end(), std::back_inserter(sums),
                   [](const running_sum& sum) { return &sum; });
    return sums;
}

py::array class_weights(const probability_sums& self) {
    std::vector<double> weights;
    std::transform(self.by_class().begin(), self.by_class().end(), std::back_inserter(weights),
                   [](const running_sum& sum) { return sum.value(); });
    return to_array<double>(weights);
}

row_means make_row_means(const std::string& value, std::int64_t k, double log_base,
                         std::vector<std::int64_t> labels, bool exact) {
    constexpr const char* names[] = {"coverage", "average_precision", "ranking_loss",
                                     "gain",     "normalized_gain",   "top_k"};
    const auto* const found = std::find(std::begin(names), std::end(names), value);
    if (found == std::end(names))
        throw argument_error("value is '" + value +
                             "', but must be coverage, average_precision, ranking_loss, gain, "
                             "normalized_gain or top_k");
    metrics::row_plan plan;
    plan.value = static_cast<metrics::row_value>(found - std::begin(names));
    plan.k = k;
    plan.log_base = log_base;
    plan.labels = std::move(labels);
    plan.exact = exact;
    return row_means(std::move(plan));
}

row_means prepare_row_means(const row_means& self, py::handle y_true, py::handle y_pred,
                            py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    t.require_numbers();
    p.require_numbers();
    return make_batch(self, p.matrix().rows * p.matrix().columns, [&](const auto& basis) {
        return basis.batch(t.matrix(), p.matrix(), w.vector());
    });
}

// Numbers or strings; what one array holds the other must hold.
void add_labels(label_table& table, const operand& t, const operand& p, const vector_view& weight) {
    if (t.strings() != p.strings())
        throw argument_error(
            t.strings() ? "y_true holds strings and y_pred numbers, but both must be alike"
                        : "y_true holds numbers and y_pred strings, but both must be alike");
    if (t.strings()) return table.add(t.as_strings(), p.as_strings(), weight);
    const vector_view truth = t.vector();  // first, so that its error comes first
    table.add(truth, p.vector(), weight);
}

label_table prepare_table(const label_table& self, py::handle y_true, py::handle y_pred,
                          py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    label_table batch = self.empty();
    const gil_scope scope(t.rows());
    add_labels(batch, t, p, w.vector());
    return batch;
}

// A few rows go straight into the table.
void update_table(label_table& self, py::handle y_true, py::handle y_pred, py::handle weight) {
    const operand t(y_true, "y_true");
    const operand p(y_pred, "y_pred");
    const optional_operand w(weight, "sample_weight");
    if (t.rows() < release_above) return add_labels(self, t, p, w.vector());
    label_table batch = self.empty();
    {
        const gil_scope scope(t.rows());
        add_labels(batch, t, p, w.vector());
    }
    self.merge(batch);
}

// (labels, row, column, count, weight): labels are an array of integers or a list of strings.
py::tuple cells_of(const label_table& self) {
    const metrics::table_cells cells = self.cells();
    const py::object labels =
        self.strings() ? py::cast(cells.names) : py::object(to_array<std::int64_t>(cells.labels));
    return py::make_tuple(labels, to_array<std::int64_t>(cells.row),
                          to_array<std::int64_t>(cells.column), to_array<std::int64_t>(cells.count),
                          to_array<double>(cells.weight));
}

}  // namespace
}  // namespace mlestar::bindings::metrics_streaming

void mlestar::bindings::add_metrics_streaming(py::module_& module) {
    using namespace metrics_streaming;
    py::class_<regression_sums> regression(module, "RegressionSums");
    regression
        .def(py::init(&make_regression), py::arg("terms"), py::arg("target_moments"),
             py::arg("error_moments"), py::arg("exact"))
        .def_property_readonly("outputs", method(&regression_sums::outputs))
        .def_property_readonly("weight",
                               [](const regression_sums& self) { return self.weight().value(); })
        .def(
            "sums",
            [](const regression_sums& self, std::size_t term) {
                if (term >= self.plan().terms.size())
                    throw argument_error("there is no term " + std::to_string(term));
                return each_output(self,
                                   [&](std::int64_t j) { return self.terms(j)[term].value(); });
            },
            py::arg("term"))
        .def("largest",
             [](const regression_sums& self) {
                 return each_output(self, [&](std::int64_t j) { return self.largest(j); });
             })
        .def("target_spread",
             [](const regression_sums& self) {
                 return each_output(
                     self, [&](std::int64_t j) { return self.target(j).spread(self.weight()); });
             })
        .def("error_spread",
             [](const regression_sums& self) {
                 return each_output(
                     self, [&](std::int64_t j) { return self.error(j).spread(self.weight()); });
             })
        .def("digits", &regression_digits, py::arg("output"));
    add_state(add_common(add_update(regression, prepare_regression)));

    py::class_<probability_sums> probability(module, "ProbabilitySums");
    probability
        .def(py::init(&make_probability), py::arg("loss"), py::arg("labels"), py::arg("exact"),
             py::arg("counted"))
        .def_property_readonly("columns", method(&probability_sums::columns))
        .def_property_readonly("normalized", method(&probability_sums::normalized))
        .def_property_readonly("weight",
                               [](const probability_sums& self) { return self.weight().value(); })
        .def_property_readonly("sum",
                               [](const probability_sums& self) { return self.sum().value(); })
        .def("digits",
             [](const probability_sums& self) {
                 if (!self.sum().exact()) throw argument_error("there are no exact sums");
                 return digits_of({&self.weight(), &self.sum()});
             })
        .def("class_weights", &class_weights)
        .def("class_digits", [](const probability_sums& self) {
            if (!self.sum().exact()) throw argument_error("there are no exact sums");
            return digits_of(class_sums(self));
        });
    add_state(add_common(add_update(probability, prepare_probability)));

    py::class_<row_means> means(module, "RowMeans");
    means
        .def(py::init(&make_row_means), py::arg("value"), py::arg("k"), py::arg("log_base"),
             py::arg("labels"), py::arg("exact"))
        .def_property_readonly("columns", method(&row_means::columns))
        .def_property_readonly("weight",
                               [](const row_means& self) { return self.weight().value(); })
        .def_property_readonly("sum", [](const row_means& self) { return self.sum().value(); })
        .def("digits", [](const row_means& self) {
            if (!self.sum().exact()) throw argument_error("there are no exact sums");
            return digits_of({&self.weight(), &self.sum()});
        });
    add_state(add_common(add_update(means, prepare_row_means)));

    py::class_<label_table> table(module, "LabelTable");
    table.def(py::init<bool>(), py::arg("exact"))
        .def("update", &update_table, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def("prepare", &prepare_table, py::arg("y_true"), py::arg("y_pred"),
             py::arg("sample_weight"))
        .def_property_readonly("weighted", method(&label_table::weighted))
        .def_property_readonly("fractional", method(&label_table::fractional))
        .def("cells", &cells_of);
    add_state(add_common(table));
}
