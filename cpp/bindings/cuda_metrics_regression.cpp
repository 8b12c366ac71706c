#include "bindings/array.hpp"
#include "bindings/cuda_array.hpp"
#include "bindings/cuda_rooms.hpp"
#include "cuda/metrics_regression.hpp"

namespace mlestar::bindings::cuda_metrics_regression {
namespace {

// The three operands of a call, all on one device; nothing where they do not fit.
struct operands {
    matrix_view y_true, y_pred;
    vector_view weight;
    int device;
};

std::optional<operands> as_operands(py::handle y_true, py::handle y_pred, py::handle weight) {
    const auto t = as_device_matrix(y_true);
    const auto p = as_device_matrix(y_pred);
    const auto w = as_device_optional(weight);
    if (!t || !p || !w || t->device < 0 || p->device != t->device) return std::nullopt;
    if (w->view && w->device != t->device) return std::nullopt;
    return operands{t->view, p->view, w->view, t->device};
}

template <metrics::error_kind Kind>
py::object mean_error(py::handle y_true, py::handle y_pred, py::handle weight,
                      cuda::stream_handle stream) {
    const auto all = as_operands(y_true, y_pred, weight);
    if (!all) return py::none();
    std::optional<std::vector<double>> result;
    {
        const py::gil_scoped_release released;
        result = cuda::mean_error(Kind, all->y_true, all->y_pred, all->weight, all->device, stream);
    }
    if (!result) return py::none();
    if (result->size() == 1) return py::float_(result->front());
    return to_array<double>(*result);
}

py::object explained(py::handle y_true, py::handle y_pred, py::handle weight,
                     cuda::stream_handle stream) {
    const auto all = as_operands(y_true, y_pred, weight);
    if (!all) return py::none();
    std::optional<metrics::explained_sums> result;
    {
        const py::gil_scoped_release released;
        result = cuda::explained(all->y_true, all->y_pred, all->weight, all->device, stream);
    }
    if (!result) return py::none();
    if (result->residual.size() == 1)
        return py::make_tuple(result->residual.front(), result->total.front());
    return py::make_tuple(to_array<double>(result->residual), to_array<double>(result->total));
}

}  // namespace
}  // namespace mlestar::bindings::cuda_metrics_regression

void mlestar::bindings::add_cuda_metrics_regression(py::module_& module) {
    using namespace cuda_metrics_regression;
    module.def("mean_squared_error", mean_error<metrics::error_kind::squared>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"), py::arg("stream"));
    module.def("mean_absolute_error", mean_error<metrics::error_kind::absolute>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"), py::arg("stream"));
    module.def("explained", explained, py::arg("y_true"), py::arg("y_pred"), py::arg("weight"),
               py::arg("stream"));
}
