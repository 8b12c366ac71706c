#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/splitters.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_splitters {
namespace {

using indices = py::array_t<std::int64_t>;

// The generator behind a RandomState, through the capsule that NumPy publishes for it.
bit_generator& generator_of(const py::capsule& capsule) {
    const char* const name = capsule.name();
    if (name == nullptr || std::string_view(name) != "BitGenerator")
        throw argument_error("generator is not a NumPy bit generator's capsule");
    return *capsule.get_pointer<bit_generator>();
}

std::int64_t rows_of(const model_selection::folds& assignment) {
    return static_cast<std::int64_t>(assignment.of_row.size());
}

py::tuple split_range(std::int64_t rows, std::int64_t first, std::int64_t last) {
    if (first < 0 || first > last || last > rows)
        throw argument_error("first and last are no range of the rows");
    indices train(rows - (last - first));
    indices test(last - first);
    std::int64_t* const train_data = train.mutable_data();
    std::int64_t* const test_data = test.mutable_data();
    {
        const gil_scope scope(rows);
        model_selection::split_range(rows, first, last, train_data, test_data);
    }
    return py::make_tuple(train, test);
}

py::tuple split(const model_selection::folds& assignment, std::int64_t fold) {
    if (fold < 0 || fold >= static_cast<std::int64_t>(assignment.sizes.size()))
        throw argument_error("fold is " + std::to_string(fold) + ", but there are " +
                             std::to_string(assignment.sizes.size()));
    const std::int64_t held_out = assignment.sizes[static_cast<std::size_t>(fold)];
    indices train(rows_of(assignment) - held_out);
    indices test(held_out);
    std::int64_t* const train_data = train.mutable_data();
    std::int64_t* const test_data = test.mutable_data();
    {
        const gil_scope scope(rows_of(assignment));
        model_selection::split(assignment, fold, train_data, test_data);
    }
    return py::make_tuple(train, test);
}

model_selection::folds shuffled_folds(std::int64_t rows, std::int64_t count,
                                      const py::capsule& capsule) {
    if (count < 1 || count > model_selection::most_folds || rows < count)
        throw argument_error("count is " + std::to_string(count) +
                             ", but must be at least 1 and at most the rows and 65535");
    bit_generator& generator = generator_of(capsule);
    const gil_scope scope(rows, 10);
    return model_selection::shuffled_folds(rows, count, generator);
}

// (folds or None where every class has too few rows, class counts); None to decline.
py::object stratify(py::handle y, std::int64_t count, const std::optional<py::capsule>& capsule) {
    const auto labels = as_vector(y);
    if (!labels || count < 1 || count > model_selection::most_folds) return py::none();
    bit_generator* generator = capsule ? &generator_of(*capsule) : nullptr;
    std::optional<model_selection::stratified_folds> result;
    {
        const gil_scope scope(labels->size, 10);
        result = model_selection::stratify(*labels, count, generator);
    }
    if (!result) return py::none();
    py::object assignment = py::none();
    const auto counts = to_array<std::int64_t>(result->class_counts);
    if (!result->assignment.of_row.empty()) assignment = py::cast(std::move(result->assignment));
    return py::make_tuple(assignment, counts);
}

indices permutation(std::int64_t size, const py::capsule& capsule) {
    if (size < 0)
        throw argument_error("size is " + std::to_string(size) + ", but must not be negative");
    bit_generator& generator = generator_of(capsule);
    indices result(size);
    std::int64_t* const data = result.mutable_data();
    {
        const gil_scope scope(size, 10);
        model_selection::permutation(size, generator, data);
    }
    return result;
}

// The rows that are not in `test`, which must be ascending.
indices leave_out(std::int64_t rows, const indices& test) {
    const std::int64_t* const data = test.data();
    if (rows < 0 || test.ndim() != 1 || test.size() > rows ||
        !std::is_sorted(data, data + test.size(), std::less_equal<>()) ||
        (test.size() > 0 && (data[0] < 0 || data[test.size() - 1] >= rows)))
        throw argument_error("test must hold rows, ascending and distinct");
    indices train(rows - test.size());
    std::int64_t* const target = train.mutable_data();
    {
        const gil_scope scope(rows);
        model_selection::leave_out(rows, data, test.size(), target);
    }
    return train;
}

// (grouped rows, class counts), or None to decline.
py::object group_by_class(py::handle y) {
    const auto labels = as_vector(y);
    if (!labels) return py::none();
    std::optional<model_selection::class_rows> result;
    {
        const gil_scope scope(labels->size, 4);
        result = model_selection::group_by_class(*labels);
    }
    if (!result) return py::none();
    const auto counts = to_array<std::int64_t>(result->counts);
    return py::make_tuple(py::cast(std::move(*result)), counts);
}

py::tuple stratified_draw(const model_selection::class_rows& classes,
                          const std::vector<std::int64_t>& train_counts,
                          const std::vector<std::int64_t>& test_counts,
                          const py::capsule& capsule) {
    const auto [trained, tested] = model_selection::draw_sizes(classes, train_counts, test_counts);
    bit_generator& generator = generator_of(capsule);
    indices train(trained);
    indices test(tested);
    std::int64_t* const train_data = train.mutable_data();
    std::int64_t* const test_data = test.mutable_data();
    {
        const gil_scope scope(static_cast<std::int64_t>(classes.rows.size()), 10);
        model_selection::stratified_draw(classes, train_counts, test_counts, generator, train_data,
                                         test_data);
    }
    return py::make_tuple(train, test);
}

}  // namespace
}  // namespace mlestar::bindings::model_selection_splitters

void mlestar::bindings::add_model_selection_splitters(py::module_& module) {
    using namespace model_selection_splitters;
    py::class_<model_selection::folds>(module, "Folds").def("split", split, py::arg("fold"));
    py::class_<model_selection::class_rows>(module, "ClassRows");
    module.def("split_range", split_range, py::arg("rows"), py::arg("first"), py::arg("last"));
    module.def("leave_out", leave_out, py::arg("rows"), py::arg("test"));
    module.def("shuffled_folds", shuffled_folds, py::arg("rows"), py::arg("count"),
               py::arg("generator"));
    module.def("stratify", stratify, py::arg("y"), py::arg("count"), py::arg("generator"));
    module.def("permutation", permutation, py::arg("size"), py::arg("generator"));
    module.def("group_by_class", group_by_class, py::arg("y"));
    module.def("stratified_draw", stratified_draw, py::arg("classes"), py::arg("train_counts"),
               py::arg("test_counts"), py::arg("generator"));
}
