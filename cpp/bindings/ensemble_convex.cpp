#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <cstring>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "ensemble/convex.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::ensemble_convex {
namespace {

using ensemble::convex_data;
using ensemble::convex_layout;
using ensemble::convex_loss;

convex_loss loss_of(const std::string& name) {
    if (name == "log") return convex_loss::log;
    if (name == "squared") return convex_loss::squared;
    if (name == "huber") return convex_loss::huber;
    if (name == "pinball") return convex_loss::pinball;
    throw argument_error("loss is '" + name + "', but must be log, squared, huber or pinball");
}

convex_layout layout_of(const std::string& name) {
    if (name == "column") return convex_layout::column;
    if (name == "true_class") return convex_layout::true_class;
    if (name == "every_class") return convex_layout::every_class;
    throw argument_error("layout is '" + name + "', but must be column, true_class or every_class");
}

matrix_view prediction_of(const py::handle& object) {
    const auto view = as_matrix(object);
    if (!view || view->columns == 0)
        throw argument_error("predictions must be numeric arrays of one or two axes, not empty");
    return *view;
}

using doubles = contiguous<double>;

// A Python function of the blend that gives the loss and two arrays. It runs on the calling thread,
// which holds the GIL throughout.
ensemble::custom_loss custom_of(const py::function& function, std::int64_t rows) {
    return [function, rows](const double* blend, double* first, double* second) {
        const doubles values(rows, blend);
        const auto [loss, one, two] = function(values).cast<std::tuple<double, doubles, doubles>>();
        if (one.size() != rows || two.size() != rows)
            throw argument_error("loss must return derivatives of as many rows as y");
        std::memcpy(first, one.data(), sizeof(double) * static_cast<std::size_t>(rows));
        std::memcpy(second, two.data(), sizeof(double) * static_cast<std::size_t>(rows));
        return loss;
    };
}

py::tuple minimize(const std::variant<std::string, py::function>& loss, const std::string& layout,
                   double parameter, const py::list& predictions, py::handle y, py::handle weight,
                   bool probabilities, double l1, double l2, bool sum_to_one, bool non_negative,
                   double tolerance, std::int64_t max_iterations, std::int64_t cache) {
    convex_data data;
    data.layout = layout_of(layout);
    data.parameter = parameter;
    data.probabilities = probabilities;
    data.cache = cache;
    const auto target = as_vector(y);
    const auto w = as_optional(weight);
    if (!target) throw argument_error("y must be a numeric array of one axis, not empty");
    if (!w) throw argument_error("sample_weight must be a numeric array of one axis or None");
    data.y = *target;
    data.weight = *w;
    data.predictions.resize(predictions.size());
    std::transform(predictions.begin(), predictions.end(), data.predictions.begin(), prediction_of);
    const bool custom = std::holds_alternative<py::function>(loss);
    if (custom) {
        if (data.layout != convex_layout::column)
            throw argument_error("layout must be column for a loss that is a function");
        data.loss = convex_loss::custom;
        data.custom = custom_of(std::get<py::function>(loss), target->size);
    } else {
        data.loss = loss_of(std::get<std::string>(loss));
    }
    ensemble::convex_result found;
    const ensemble::convex_options options{l1,           l2,        sum_to_one,
                                           non_negative, tolerance, max_iterations};
    if (custom) {
        found = minimize_convex(data, options);
    } else {
        const gil_scope scope(target->size, 10);
        found = minimize_convex(data, options);
    }
    return py::make_tuple(to_array<double>(found.weights), found.objective, found.gap,
                          found.iterations, found.converged);
}

}  // namespace
}  // namespace mlestar::bindings::ensemble_convex

void mlestar::bindings::add_ensemble_convex(py::module_& module) {
    module.def("minimize_convex", ensemble_convex::minimize, py::arg("loss"), py::arg("layout"),
               py::arg("parameter"), py::arg("predictions"), py::arg("y"), py::arg("weight"),
               py::arg("probabilities"), py::arg("l1"), py::arg("l2"), py::arg("sum_to_one"),
               py::arg("non_negative"), py::arg("tolerance"), py::arg("max_iterations"),
               py::arg("cache"));
}
