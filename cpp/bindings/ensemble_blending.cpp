#include "ensemble/blending.hpp"

#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::ensemble_blending {
namespace {

matrix_view prediction_of(const py::handle& object) {
    const auto view = as_matrix(object);
    if (!view || view->columns == 0)
        throw argument_error("predictions must be numeric arrays of one or two axes, not empty");
    return *view;
}

// The sum, a row of the result for a row of the predictions.
py::array_t<double> weighted_sum(const py::list& predictions, const std::vector<double>& weights) {
    std::vector<matrix_view> views(predictions.size());
    std::transform(predictions.begin(), predictions.end(), views.begin(), prediction_of);
    if (views.empty())
        throw argument_error("predictions is empty, but must hold at least one model");
    py::array_t<double> result({views.front().rows, views.front().columns});
    double* const target = result.mutable_data();
    {
        const gil_scope scope(views.front().rows, views.front().columns);
        ensemble::weighted_sum(views, weights, target);
    }
    return result;
}

}  // namespace
}  // namespace mlestar::bindings::ensemble_blending

void mlestar::bindings::add_ensemble_blending(py::module_& module) {
    module.def("weighted_sum", ensemble_blending::weighted_sum, py::arg("predictions"),
               py::arg("weights"));
}
