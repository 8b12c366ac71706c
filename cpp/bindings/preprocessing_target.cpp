#include "preprocessing/target.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <numeric>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::preprocessing_target {
namespace {

using preprocessing::code_table;
using preprocessing::row_folds;
using integers = contiguous<std::int32_t>;

constexpr std::int64_t most_cells = std::int64_t{1} << 31;

bool all_below(const std::int32_t* first, std::int64_t count, std::int64_t end) {
    return std::all_of(first, first + count,
                       [&](std::int32_t one) { return one >= 0 && one < end; });
}

// `codes`: (columns, rows); `folds`: of each row, or None for one fold.
code_table table_of(const integers& codes, const std::vector<std::int64_t>& categories) {
    if (codes.ndim() != 2 || codes.size() == 0 ||
        codes.shape(0) != static_cast<py::ssize_t>(categories.size()))
        throw argument_error("codes must have a row for each of " +
                             std::to_string(categories.size()) + " columns, and not be empty");
    const std::int64_t rows = codes.shape(1);
    const std::int32_t* at = codes.data() - rows;
    const bool good = std::all_of(categories.begin(), categories.end(), [&](std::int64_t count) {
        at += rows;
        return count > 0 && count < most_cells && all_below(at, rows, count);
    });
    if (!good) throw argument_error("codes must lie between 0 and the number of categories");
    return {codes.data(), rows, categories};
}

row_folds folds_of(const std::optional<integers>& folds, std::int64_t count,
                   const code_table& table) {
    const std::int64_t most = *std::max_element(table.categories.begin(), table.categories.end());
    if (count < 1 || count > most_cells / most)
        throw argument_error("count is " + std::to_string(count) +
                             ", but must be at least 1, and folds times categories below 2^31");
    if (!folds) return {nullptr, 1};
    if (folds->ndim() != 1 || folds->size() != table.rows ||
        !all_below(folds->data(), folds->size(), count))
        throw argument_error("folds must have a number between 0 and count for each row");
    return {folds->data(), count};
}

// For each column an array of (categories, folds, classes).
py::list label_counts(const integers& codes, const std::vector<std::int64_t>& categories,
                      const std::optional<integers>& folds, std::int64_t count,
                      const integers& labels, std::int64_t classes) {
    const code_table table = table_of(codes, categories);
    const row_folds parts = folds_of(folds, count, table);
    const std::int64_t most = *std::max_element(categories.begin(), categories.end());
    if (classes < 1 || classes > most_cells / (most * parts.count) || labels.ndim() != 1 ||
        labels.size() != table.rows || !all_below(labels.data(), labels.size(), classes))
        throw argument_error("labels must have a number between 0 and classes for each row");
    std::vector<std::vector<std::int64_t>> found;
    {
        const gil_scope scope(table.rows * static_cast<std::int64_t>(categories.size()), 4);
        found = preprocessing::label_counts(table, parts, labels.data(), classes);
    }
    py::list result(found.size());
    std::size_t place = 0;
    std::for_each(found.begin(), found.end(), [&](const std::vector<std::int64_t>& cells) {
        result[place] = to_array<std::int64_t>(cells).reshape(
            {static_cast<py::ssize_t>(categories[place]), static_cast<py::ssize_t>(parts.count),
             static_cast<py::ssize_t>(classes)});
        ++place;
    });
    return result;
}

// For each column (centers, counts, sums, squares), the last three of (categories, folds).
py::list moments_of_target(const integers& codes, const std::vector<std::int64_t>& categories,
                           const std::optional<integers>& folds, std::int64_t count,
                           const contiguous<double>& y) {
    const code_table table = table_of(codes, categories);
    const row_folds parts = folds_of(folds, count, table);
    if (y.ndim() != 1 || y.size() != table.rows)
        throw argument_error("y must have a number for each row");
    std::vector<preprocessing::target_moments> found;
    {
        const gil_scope scope(table.rows * static_cast<std::int64_t>(categories.size()), 4);
        found = preprocessing::moments_of_target(table, parts, y.data());
    }
    py::list result(found.size());
    std::size_t place = 0;
    std::for_each(found.begin(), found.end(), [&](const preprocessing::target_moments& one) {
        const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(categories[place]),
                                             static_cast<py::ssize_t>(parts.count)};
        result[place++] = py::make_tuple(to_array<double>(one.centers),
                                         to_array<std::int64_t>(one.counts).reshape(shape),
                                         to_array<double>(one.sums).reshape(shape),
                                         to_array<double>(one.squares).reshape(shape));
    });
    return result;
}

// `tables`: for each column of the result, (categories, folds).
void target_encodings_into(const integers& codes, const std::vector<std::int64_t>& categories,
                           const std::optional<integers>& folds, std::int64_t count,
                           const std::vector<contiguous<double>>& tables, contiguous<double> out) {
    const code_table table = table_of(codes, categories);
    const row_folds parts = folds_of(folds, count, table);
    const std::size_t each = tables.size() / categories.size();
    std::size_t place = 0;
    const bool good = !tables.empty() && tables.size() == each * categories.size() &&
                      std::all_of(tables.begin(), tables.end(), [&](const auto& one) {
                          return one.ndim() == 2 && one.shape(0) == categories[place++ / each] &&
                                 one.shape(1) == parts.count;
                      });
    if (!good)
        throw argument_error(
            "tables must have as many arrays of (categories, folds) for each "
            "column");
    if (out.ndim() != 2 || out.shape(0) != table.rows ||
        out.shape(1) != static_cast<py::ssize_t>(tables.size()) || !out.writeable())
        throw argument_error(
            "out must be writeable, with a row for each row and a column for each "
            "table");
    std::vector<const double*> data(tables.size());
    std::transform(tables.begin(), tables.end(), data.begin(),
                   [](const auto& one) { return one.data(); });
    double* const target = out.mutable_data();
    const gil_scope scope(table.rows * static_cast<std::int64_t>(tables.size()), 2);
    preprocessing::target_encodings_into(table, parts, static_cast<std::int64_t>(each), data,
                                         target);
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_target

void mlestar::bindings::add_preprocessing_target(py::module_& module) {
    using namespace preprocessing_target;
    module.def("label_counts", label_counts, py::arg("codes"), py::arg("categories"),
               py::arg("folds"), py::arg("count"), py::arg("labels"), py::arg("classes"));
    module.def("moments_of_target", moments_of_target, py::arg("codes"), py::arg("categories"),
               py::arg("folds"), py::arg("count"), py::arg("y"));
    module.def("target_encodings_into", target_encodings_into, py::arg("codes"),
               py::arg("categories"), py::arg("folds"), py::arg("count"), py::arg("tables"),
               py::arg("out").noconvert());
}
