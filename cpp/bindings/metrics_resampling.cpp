#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bindings/array.hpp"
#include "bindings/callback.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/resampling.hpp"
#include "metrics/resampling_callback.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_resampling {
namespace {

using doubles = contiguous<double>;
using integers = contiguous<std::int32_t>;
using bytes = contiguous<std::uint8_t>;

// One or two axes (row-major) of values of one type, and nothing else.
template <class T>
const T* data_of(const contiguous<T>& array, py::ssize_t size, const char* name) {
    if (array.size() != size)
        throw argument_error(std::string(name) + " has " + std::to_string(array.size()) +
                             " elements, but must have " + std::to_string(size));
    return array.data();
}

template <class T>
std::vector<const T*> rows_of(const contiguous<T>& array, py::ssize_t columns, const char* name) {
    if (array.ndim() != 2 || array.shape(1) != columns)
        throw argument_error(std::string(name) + " must have two axes, the second of " +
                             std::to_string(columns));
    std::vector<const T*> rows(static_cast<std::size_t>(array.shape(0)));
    std::generate(rows.begin(), rows.end(),
                  [&, at = array.data()]() mutable { return std::exchange(at, at + columns); });
    return rows;
}

metrics::model_scores rows_of(const bytes& positive, const doubles& scores,
                              const std::optional<doubles>& weight,
                              const std::optional<integers>& units) {
    const py::ssize_t n = positive.size();
    if (n == 0 || n >= (py::ssize_t{1} << 31))
        throw argument_error("positive has " + std::to_string(n) +
                             " elements, but must have between 1 and 2^31 - 1");
    if (std::any_of(positive.data(), positive.data() + n, [](std::uint8_t v) { return v > 1; }))
        throw argument_error("positive holds a value other than 0 and 1");
    metrics::model_scores data{n,
                               positive.data(),
                               rows_of(scores, n, "scores"),
                               weight ? data_of(*weight, n, "weight") : nullptr,
                               {}};
    if (units) {
        data.units = rows_of(*units, n, "units");
        if (data.units.size() != data.scores.size())
            throw argument_error("units and scores differ in their number of rows");
    }
    return data;
}

metrics::resample_plan plan_of(const std::string& kind, const std::vector<std::int64_t>& sizes,
                               std::uint64_t seed) {
    if (kind != "bootstrap" && kind != "swap")
        throw argument_error("kind is '" + kind + "', but must be 'bootstrap' or 'swap'");
    return {kind == "swap" ? metrics::draw_kind::swap : metrics::draw_kind::bootstrap, sizes, seed};
}

std::int64_t at_least_one(std::int64_t resamples) {
    if (resamples < 1)
        throw argument_error("resamples is " + std::to_string(resamples) +
                             ", but must be positive");
    return resamples;
}

doubles as_table(const std::vector<double>& values, std::int64_t rows) {
    doubles result({rows, static_cast<std::int64_t>(values.size()) / rows});
    std::copy(values.begin(), values.end(), result.mutable_data());
    return result;
}

doubles ranking(const std::string& metric, const bytes& positive, const doubles& scores,
                const std::optional<doubles>& weight, const std::optional<integers>& units,
                const std::string& kind, const std::vector<std::int64_t>& sizes,
                std::int64_t resamples, std::uint64_t seed) {
    if (metric != "roc_auc" && metric != "average_precision")
        throw argument_error("metric is '" + metric +
                             "', but must be 'roc_auc' or 'average_precision'");
    const auto data = rows_of(positive, scores, weight, units);
    const auto plan = plan_of(kind, sizes, seed);
    std::vector<double> result;
    {
        const gil_scope scope(data.rows * at_least_one(resamples));
        result = metrics::resample_ranking(metric == "roc_auc"
                                               ? metrics::ranking_metric::roc_auc
                                               : metrics::ranking_metric::average_precision,
                                           data, plan, resamples);
    }
    return as_table(result, resamples);
}

doubles placements(const bytes& positive, const doubles& scores,
                   const std::optional<doubles>& weight) {
    const auto data = rows_of(positive, scores, weight, std::nullopt);
    if (data.scores.empty()) throw argument_error("scores must have at least one row");
    std::vector<double> result;
    {
        const gil_scope scope(scores.size() * 20);
        result = metrics::placements(data);
    }
    return as_table(result, scores.shape(0));
}

doubles sums(const doubles& columns, const std::string& kind,
             const std::vector<std::int64_t>& sizes, std::int64_t resamples, std::uint64_t seed) {
    const auto plan = plan_of(kind, sizes, seed);
    const auto rows = rows_of(columns, plan.units(), "columns");
    std::vector<double> result;
    {
        const gil_scope scope(columns.size() * at_least_one(resamples));
        result = metrics::resample_sums(rows, plan, resamples);
    }
    return as_table(result, resamples);
}

doubles cells(const integers& cell, std::int64_t count, const std::optional<doubles>& weight,
              const std::optional<integers>& unit, const std::string& kind,
              const std::vector<std::int64_t>& sizes, std::int64_t resamples, std::uint64_t seed) {
    const auto plan = plan_of(kind, sizes, seed);
    const double* const w = weight ? data_of(*weight, cell.size(), "weight") : nullptr;
    const std::int32_t* const u = unit ? data_of(*unit, cell.size(), "unit") : nullptr;
    std::vector<double> result;
    {
        const gil_scope scope(cell.size() * at_least_one(resamples));
        result = metrics::resample_cells(cell.data(), w, u, cell.size(), count, plan, resamples);
    }
    return as_table(result, resamples);
}

bytes counts(const std::string& kind, const std::vector<std::int64_t>& sizes, std::int64_t first,
             std::int64_t resamples, std::uint64_t seed) {
    const auto plan = plan_of(kind, sizes, seed);
    bytes result({at_least_one(resamples), plan.entries()});
    auto* const target = result.mutable_data();
    {
        const gil_scope scope(plan.entries() * resamples);
        metrics::resample_counts(plan, first, resamples, target);
    }
    return result;
}

metrics::callback_rows rows_of(const doubles& y_true, const doubles& answers,
                               const std::optional<doubles>& weight,
                               const std::optional<integers>& unit) {
    const py::ssize_t n = y_true.size();
    if (n == 0 || n >= (py::ssize_t{1} << 31))
        throw argument_error("y_true has " + std::to_string(n) +
                             " elements, but must have between 1 and 2^31 - 1");
    return {n, y_true.data(), rows_of(answers, n, "answers"),
            weight ? data_of(*weight, n, "weight") : nullptr,
            unit ? data_of(*unit, n, "unit") : nullptr};
}

// Values, and the resample and the answer that the metric failed on, or None.
py::tuple as_values(const metrics::callback_values& found, std::int64_t resamples) {
    py::object failed = py::none();
    if (found.failed_resample >= 0)
        failed = py::make_tuple(found.failed_resample, found.failed_answer);
    return py::make_tuple(as_table(found.values, resamples), failed);
}

py::tuple callback(const py::capsule& metric, const doubles& y_true, const doubles& answers,
                   const std::optional<doubles>& weight, const std::optional<integers>& unit,
                   const std::string& kind, const std::vector<std::int64_t>& sizes,
                   std::int64_t resamples, std::uint64_t seed) {
    const auto function = callback_of(metric);
    const auto data = rows_of(y_true, answers, weight, unit);
    const auto plan = plan_of(kind, sizes, seed);
    at_least_one(resamples);
    metrics::callback_values result;
    {
        const callback_scope scope;
        result = kind == "swap" ? metrics::swap_callback(function, data, plan, resamples)
                                : metrics::resample_callback(function, data, plan, resamples);
    }
    return as_values(result, resamples);
}

py::tuple without(const py::capsule& metric, const doubles& y_true, const doubles& answers,
                  const std::optional<doubles>& weight, const std::optional<integers>& unit,
                  std::int64_t units) {
    const auto function = callback_of(metric);
    const auto data = rows_of(y_true, answers, weight, unit);
    at_least_one(units);
    metrics::callback_values result;
    {
        const callback_scope scope;
        result = metrics::leave_out_callback(function, data, units);
    }
    return as_values(result, units);
}

// The value, or None where the metric failed.
std::optional<double> call(const py::capsule& metric, const doubles& y_true, const doubles& y_pred,
                           const std::optional<doubles>& weight) {
    const auto function = callback_of(metric);
    const py::ssize_t n = y_true.size();
    const double* const answer = data_of(y_pred, n, "y_pred");
    const double* const w = weight ? data_of(*weight, n, "weight") : nullptr;
    std::int32_t status = 0;
    double value = 0.0;
    {
        const gil_scope scope(n);
        value = function(y_true.data(), answer, w, n, &status);
    }
    return status == 0 ? std::optional(value) : std::nullopt;
}

}  // namespace
}  // namespace mlestar::bindings::metrics_resampling

void mlestar::bindings::add_metrics_resampling(py::module_& module) {
    using namespace metrics_resampling;
    module.def("resample_ranking", ranking, py::arg("metric"), py::arg("positive"),
               py::arg("scores"), py::arg("weight"), py::arg("units"), py::arg("kind"),
               py::arg("sizes"), py::arg("resamples"), py::arg("seed"));
    module.def("placements", placements, py::arg("positive"), py::arg("scores"), py::arg("weight"));
    module.def("resample_sums", sums, py::arg("columns"), py::arg("kind"), py::arg("sizes"),
               py::arg("resamples"), py::arg("seed"));
    module.def("resample_cells", cells, py::arg("cell"), py::arg("count"), py::arg("weight"),
               py::arg("unit"), py::arg("kind"), py::arg("sizes"), py::arg("resamples"),
               py::arg("seed"));
    module.def("resample_callback", callback, py::arg("metric"), py::arg("y_true"),
               py::arg("answers"), py::arg("weight"), py::arg("unit"), py::arg("kind"),
               py::arg("sizes"), py::arg("resamples"), py::arg("seed"));
    module.def("leave_out_callback", without, py::arg("metric"), py::arg("y_true"),
               py::arg("answers"), py::arg("weight"), py::arg("unit"), py::arg("units"));
    module.def("call_callback", call, py::arg("metric"), py::arg("y_true"), py::arg("y_pred"),
               py::arg("weight"));
    module.def("resample_counts", counts, py::arg("kind"), py::arg("sizes"), py::arg("first"),
               py::arg("resamples"), py::arg("seed"));
}
