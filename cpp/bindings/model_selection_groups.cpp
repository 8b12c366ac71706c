#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/generator.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/groups.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_groups {
namespace {

using integers = contiguous<std::int64_t>;
using reals = contiguous<double>;

void check_count(std::int64_t count) {
    if (count < 1 || count > model_selection::most_folds)
        throw argument_error("count is " + std::to_string(count) +
                             ", but must be between 1 and 65535");
}

// One value for each group, each in [0, limit).
void check_numbers(const integers& values, std::int64_t groups, std::int64_t limit,
                   const char* name) {
    const std::int64_t* const data = values.data();
    if (values.ndim() != 1 || values.size() != groups ||
        std::any_of(data, data + groups, [=](std::int64_t v) { return v < 0 || v >= limit; }))
        throw argument_error(std::string(name) + " must have a number from 0 to " +
                             std::to_string(limit - 1) + " for each of the " +
                             std::to_string(groups) + " groups");
}

std::int64_t groups_of(const model_selection::row_codes& codes) {
    return static_cast<std::int64_t>(codes.counts.size());
}

// The codes, or None to decline.
py::object encode_groups(py::handle groups) {
    const auto labels = as_vector(groups);
    if (!labels || labels->size == 0) return py::none();
    std::optional<model_selection::row_codes> result;
    {
        const gil_scope scope(labels->size, 4);
        result = model_selection::encode_groups(*labels);
    }
    return result ? py::cast(std::move(*result)) : py::none();
}

py::array counts(const model_selection::row_codes& codes) {
    return to_array<std::int64_t>(codes.counts);
}

// StratifiedKFold's folds, or None where every class has too few rows.
py::object stratify(const model_selection::row_codes& codes, std::int64_t count,
                    const std::optional<py::capsule>& capsule) {
    check_count(count);
    bit_generator* generator = capsule ? &generator_of(*capsule) : nullptr;
    model_selection::folds result;
    {
        const gil_scope scope(static_cast<std::int64_t>(codes.of_row.size()), 10);
        result = model_selection::stratify_codes(codes, count, generator);
    }
    return result.of_row.empty() ? py::none() : py::cast(std::move(result));
}

model_selection::folds folds(const model_selection::row_codes& codes, const integers& of_group,
                             std::int64_t count) {
    check_count(count);
    check_numbers(of_group, groups_of(codes), count, "of_group");
    const gil_scope scope(static_cast<std::int64_t>(codes.of_row.size()));
    return model_selection::folds_of_groups(codes, of_group.data(), count);
}

// Rows of each group and class, row-major.
py::array count_classes(const model_selection::row_codes& codes,
                        const model_selection::row_codes& classes) {
    if (codes.of_row.size() != classes.of_row.size())
        throw argument_error("classes must have as many rows as the groups");
    const std::size_t cells = codes.counts.size() * classes.counts.size();
    if (cells > std::size_t{1} << 28)
        throw argument_error("classes must be fewer: the table of groups and classes is too large");
    std::vector<double> table;
    {
        const gil_scope scope(static_cast<std::int64_t>(codes.of_row.size()), 4);
        table = model_selection::count_classes(codes, classes);
    }
    return to_array<double>(table);
}

py::array into_lightest(const integers& sizes, const integers& order, std::int64_t count) {
    check_count(count);
    check_numbers(order, sizes.size(), sizes.size(), "order");
    if (sizes.ndim() != 1) throw argument_error("sizes must have one axis");
    const std::int64_t* const data = sizes.data();
    if (std::any_of(data, data + sizes.size(),
                    [](std::int64_t v) { return v < 0 || v > std::int64_t{1} << 40; }))
        throw argument_error("sizes must be numbers of rows");
    std::vector<std::int64_t> result;
    {
        const gil_scope scope(sizes.size(), 20);
        result = model_selection::into_lightest(data, order.data(), sizes.size(), count);
    }
    return to_array<std::int64_t>(result);
}

py::array into_balanced(const reals& table, const reals& totals, const integers& order,
                        std::int64_t count, bool fill) {
    check_count(count);
    if (totals.ndim() != 1 || totals.size() < 1 ||
        totals.size() > model_selection::most_balanced_classes || table.ndim() != 1 ||
        table.size() % totals.size() != 0)
        throw argument_error("table must have the classes of every group, totals 1 to 128 classes");
    const std::int64_t groups = table.size() / totals.size();
    check_numbers(order, groups, groups, "order");
    const auto finite = [](double v) { return v >= 0.0 && v < 1e300; };
    if (!std::all_of(table.data(), table.data() + table.size(), finite) ||
        !std::all_of(totals.data(), totals.data() + totals.size(),
                     [](double v) { return v > 0.0 && v < 1e300; }))
        throw argument_error("table and totals must hold numbers of rows");
    std::vector<std::int64_t> result;
    {
        const gil_scope scope(table.size() * count, 20);
        result = model_selection::into_balanced(table.data(), totals.data(), order.data(), groups,
                                                totals.size(), count, fill);
    }
    return to_array<std::int64_t>(result);
}

}  // namespace
}  // namespace mlestar::bindings::model_selection_groups

void mlestar::bindings::add_model_selection_groups(py::module_& module) {
    using namespace model_selection_groups;
    py::class_<model_selection::row_codes>(module, "RowCodes")
        .def("counts", counts)
        .def("folds", folds, py::arg("of_group"), py::arg("count"))
        .def("stratify", stratify, py::arg("count"), py::arg("generator"))
        .def("count_classes", count_classes, py::arg("classes"));
    module.def("encode_groups", encode_groups, py::arg("groups"));
    module.def("into_lightest", into_lightest, py::arg("sizes"), py::arg("order"),
               py::arg("count"));
    module.def("into_balanced", into_balanced, py::arg("table"), py::arg("totals"),
               py::arg("order"), py::arg("count"), py::arg("fill"));
}
