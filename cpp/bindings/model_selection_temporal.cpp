#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/temporal.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_temporal {
namespace {

using model_selection::timeline;
using indices = py::array_t<std::int64_t>;
// On the Python side an object of its own: what is made of it holds it.
using shared_timeline = std::shared_ptr<timeline>;

vector_view times_in(py::handle times, const char* name) {
    const auto view = as_vector(times);
    if (!view || view->size < 1 || view->type == dtype::boolean)
        throw argument_error(std::string(name) +
                             " must be an array of one axis and at least one integer or float");
    return *view;
}

shared_timeline make_timeline(py::handle t0, py::handle t1) {
    const vector_view starts = times_in(t0, "t0");
    const vector_view ends = t1.is_none() ? vector_view{} : times_in(t1, "t1");
    const gil_scope scope(starts.size, 4);
    return std::make_shared<timeline>(starts, ends);
}

shared_timeline row_timeline(std::int64_t rows) {
    if (rows < 1)
        throw argument_error("rows is " + std::to_string(rows) + ", but must be at least 1");
    const gil_scope scope(rows);
    return std::make_shared<timeline>(rows);
}

template <class Number>
Number number_in(py::handle value, const char* name) {
    py::detail::make_caster<Number> caster;
    if (value.is_none() || !caster.load(value, true))
        throw argument_error(std::string(name) + " must be a number of the times' kind");
    return py::detail::cast_op<Number>(caster);
}

// In the times' own unit: an int with integer times, else a float.
model_selection::duration as_duration(const timeline& times, py::handle value, const char* name,
                                      bool positive) {
    model_selection::duration result;
    if (times.floating()) {
        result.real = number_in<double>(value, name);
        result.whole = result.real > 0.0 ? 1 : 0;
        if (!(result.real >= 0.0 && result.real < 1e300)) result.whole = -1;
    } else {
        result.whole = number_in<std::int64_t>(value, name);
    }
    if (result.whole < (positive ? 1 : 0))
        throw argument_error(std::string(name) + " must be a length of time that is finite and " +
                             (positive ? "positive" : "not negative"));
    return result;
}

void check_range(std::int64_t first, std::int64_t last, std::int64_t end, const char* name) {
    if (first < 0 || first > last || last > end)
        throw argument_error(std::string(name) + "_first and " + name + "_last are no range of " +
                             std::to_string(end));
}

model_selection::window checked(std::int64_t train_first, std::int64_t train_last,
                                std::int64_t test_first, std::int64_t test_last, std::int64_t end) {
    check_range(train_first, train_last, end, "train");
    check_range(test_first, test_last, end, "test");
    if (train_last > test_first || test_first == test_last)
        throw argument_error("test_first must not be before train_last, and before test_last");
    return {train_first, train_last, test_first, test_last};
}

// (train, test) of what `mark` marks.
template <class Mark>
py::tuple rows_of(std::int64_t rows, Mark mark) {
    std::optional<model_selection::marked_rows> marked;
    {
        const gil_scope scope(rows);
        marked.emplace(mark());
    }
    indices train(marked->train());
    indices test(marked->test());
    std::int64_t* const train_data = train.mutable_data();
    std::int64_t* const test_data = test.mutable_data();
    {
        const gil_scope scope(rows);
        marked->write(train_data, test_data);
    }
    return py::make_tuple(train, test);
}

py::tuple split_window(const timeline& times, std::int64_t train_first, std::int64_t train_last,
                       std::int64_t test_first, std::int64_t test_last) {
    const auto at = checked(train_first, train_last, test_first, test_last, times.rows());
    return rows_of(test_last - train_first,
                   [&] { return model_selection::split_window(times, at); });
}

// One row a window: train_first, train_last, test_first, test_last.
indices as_table(const std::vector<model_selection::window>& windows) {
    static_assert(sizeof(model_selection::window) == 4 * sizeof(std::int64_t));
    indices result({static_cast<py::ssize_t>(windows.size()), py::ssize_t{4}});
    std::copy_n(reinterpret_cast<const std::int64_t*>(windows.data()), windows.size() * 4,
                result.mutable_data());
    return result;
}

indices walk(const timeline& times, std::int64_t train, std::int64_t test, std::int64_t gap,
             std::int64_t step, bool expanding, bool partial) {
    if (train < 1 || test < 1 || step < 1 || gap < 0)
        throw argument_error("train, test and step must be positive, and gap not negative");
    std::vector<model_selection::window> windows;
    {
        const gil_scope scope(times.rows() / step);
        windows = model_selection::walk_forward(
            times, model_selection::walk{train, test, gap, step}, expanding, partial);
    }
    return as_table(windows);
}

indices walk_in_time(const timeline& times, py::handle train, py::handle test, py::handle gap,
                     py::handle step, bool expanding, bool partial) {
    const model_selection::timed_walk sizes{
        as_duration(times, train, "train_size", true), as_duration(times, test, "test_size", true),
        as_duration(times, gap, "gap", false), as_duration(times, step, "step", true)};
    std::vector<model_selection::window> windows;
    {
        const gil_scope scope(times.rows());
        windows = model_selection::walk_forward(times, sizes, expanding, partial);
    }
    return as_table(windows);
}

model_selection::purged_folds make_folds(const shared_timeline& times, std::int64_t count,
                                         std::int64_t embargo_rows, py::handle embargo_time) {
    if (count < 1 || count > times->rows())
        throw argument_error("count is " + std::to_string(count) + ", but must be from 1 to the " +
                             std::to_string(times->rows()) + " rows");
    if (embargo_rows < 0)
        throw argument_error("embargo is " + std::to_string(embargo_rows) +
                             ", but must not be negative");
    model_selection::embargo after{embargo_rows, std::nullopt};
    if (!embargo_time.is_none()) after.time = as_duration(*times, embargo_time, "embargo", false);
    const gil_scope scope(times->rows());
    return model_selection::purged_folds(times, count, after);
}

py::tuple split_folds(const model_selection::purged_folds& folds,
                      const std::vector<std::int64_t>& test_folds) {
    const auto strange = [&](std::int64_t f) { return f < 0 || f >= folds.count(); };
    if (test_folds.empty() || std::any_of(test_folds.begin(), test_folds.end(), strange))
        throw argument_error("test_folds must hold one fold or more, each from 0 to " +
                             std::to_string(folds.count() - 1));
    return rows_of(folds.rows(), [&] { return folds.split(test_folds); });
}

indices fold_of_row(const model_selection::purged_folds& folds) {
    indices result(folds.rows());
    std::int64_t* const data = result.mutable_data();
    {
        const gil_scope scope(folds.rows());
        folds.fold_of_row(data);
    }
    return result;
}

model_selection::group_series make_groups(const shared_timeline& times, py::handle groups) {
    const auto view = as_vector(groups);
    if (!view) throw argument_error("groups must be an array of one axis, of integers");
    const gil_scope scope(view->size, 4);
    return model_selection::group_series(times, *view);
}

py::tuple split_groups(const model_selection::group_series& series, std::int64_t train_first,
                       std::int64_t train_last, std::int64_t test_first, std::int64_t test_last) {
    const auto ranks = checked(train_first, train_last, test_first, test_last, series.groups());
    return rows_of(series.rows(), [&] { return series.split(ranks); });
}

template <class Class>
void define_split(Class& defined, const char* name,
                  py::tuple (*function)(const typename Class::type&, std::int64_t, std::int64_t,
                                        std::int64_t, std::int64_t)) {
    defined.def(name, function, py::arg("train_first"), py::arg("train_last"),
                py::arg("test_first"), py::arg("test_last"));
}

}  // namespace
}  // namespace mlestar::bindings::model_selection_temporal

void mlestar::bindings::add_model_selection_temporal(py::module_& module) {
    using namespace model_selection_temporal;
    py::class_<timeline, shared_timeline> times(module, "Timeline");
    times.def(py::init(&make_timeline), py::arg("t0"), py::arg("t1"))
        .def("walk", walk, py::arg("train"), py::arg("test"), py::arg("gap"), py::arg("step"),
             py::arg("expanding"), py::arg("partial"))
        .def("walk_in_time", walk_in_time, py::arg("train"), py::arg("test"), py::arg("gap"),
             py::arg("step"), py::arg("expanding"), py::arg("partial"));
    define_split(times, "split", split_window);
    py::class_<model_selection::purged_folds>(module, "PurgedFolds")
        .def(py::init(&make_folds), py::arg("times").none(false), py::arg("count"),
             py::arg("embargo_rows"), py::arg("embargo_time"))
        .def("split", split_folds, py::arg("test_folds"))
        .def("fold_of_row",
             [](const model_selection::purged_folds& self) { return fold_of_row(self); });
    py::class_<model_selection::group_series> groups(module, "GroupSeries");
    groups.def(py::init(&make_groups), py::arg("times").none(false), py::arg("groups"))
        .def("count", [](const model_selection::group_series& self) { return self.groups(); });
    define_split(groups, "split", split_groups);
    module.def("row_timeline", row_timeline, py::arg("rows"));
}
