// A streaming update's arguments as views: NumPy arrays and CPU tensors in place, anything else
// through Python. Unlike the arrays of the batch functions, what does not fit is an error here.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <vector>

#include "bindings/array.hpp"
#include "support/span.hpp"

namespace mlestar::bindings {

// Holds what the views look at. `name` is the argument's, for errors.
class operand {
public:
    operand(py::handle object, const char* name);
    operand(const operand&) = delete;
    operand& operator=(const operand&) = delete;

    bool strings() const { return strings_.has_value(); }
    const metrics::string_array& as_strings() const { return *strings_; }
    // One axis, or a single column; throws argument_error otherwise.
    vector_view vector() const;
    // One axis counts as a single column.
    const matrix_view& matrix() const { return view_; }
    std::int64_t rows() const { return strings_ ? strings_->size : view_.rows; }
    void require_numbers() const;

private:
    bool read_array(const py::array& array);
    bool read_tensor(py::handle object);
    void widen(bool brain);

    const char* name_;
    py::object owner_;
    matrix_view view_;
    int axes_ = 1;
    std::optional<metrics::string_array> strings_;
    std::vector<float> widened_;
};

// An empty view for None.
class optional_operand {
public:
    optional_operand(py::handle object, const char* name) {
        if (!object.is_none()) found_.emplace(object, name);
    }
    vector_view vector() const { return found_ ? found_->vector() : vector_view{}; }

private:
    std::optional<operand> found_;
};

}  // namespace mlestar::bindings
