#include <pybind11/stl.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/generator.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/splitters.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_splitters {
namespace {

using indices = py::array_t<std::int64_t>;
using row_numbers = contiguous<std::int64_t>;

// What RandomState(seed) draws from, in a capsule that owns it.
py::capsule seeded(std::int64_t seed) {
    if (seed < 0 || seed > 0xFFFFFFFF)
        throw argument_error("seed is " + std::to_string(seed) +
                             ", but must be between 0 and 2**32 - 1");
    auto generator = std::make_unique<seeded_generator>(static_cast<std::uint32_t>(seed));
    // The interface does not say whose it is, so the owner is the capsule's context.
    py::capsule result(&generator->draws(), "BitGenerator");
    if (PyCapsule_SetContext(result.ptr(), generator.get()) != 0 ||
        PyCapsule_SetDestructor(result.ptr(), [](PyObject* capsule) {
            delete static_cast<seeded_generator*>(PyCapsule_GetContext(capsule));
        }) != 0)
        throw py::error_already_set();
    generator.release();
    return result;
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
indices leave_out(std::int64_t rows, const row_numbers& test) {
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

indices proportional_counts(const row_numbers& counts, std::int64_t draws,
                            const py::capsule& capsule) {
    bit_generator& generator = generator_of(capsule);
    const std::int64_t* const data = counts.data();
    const auto possible = [](std::int64_t c) { return c >= 0 && c <= std::int64_t{1} << 40; };
    if (counts.ndim() != 1 || counts.size() > 1 << 20 ||
        !std::all_of(data, data + counts.size(), possible))
        throw argument_error("counts must be numbers of rows, of at most 2**20 classes");
    const auto total = std::accumulate(data, data + counts.size(), std::int64_t{0});
    if (total < 1 || draws < 0 || draws > total)
        throw argument_error("draws is " + std::to_string(draws) +
                             ", but must be at most the rows, of which there must be one");
    return to_array<std::int64_t>(
        model_selection::proportional_counts(data, counts.size(), draws, generator));
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
    module.def("permutation", permutation, py::arg("size"), py::arg("generator"));
    module.def("group_by_class", group_by_class, py::arg("y"));
    module.def("proportional_counts", proportional_counts, py::arg("counts"), py::arg("draws"),
               py::arg("generator"));
    module.def("seeded", seeded, py::arg("seed"));
    module.def("stratified_draw", stratified_draw, py::arg("classes"), py::arg("train_counts"),
               py::arg("test_counts"), py::arg("generator"));
}
