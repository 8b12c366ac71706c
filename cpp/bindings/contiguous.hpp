// Arrays that pybind11 makes of an argument: contiguous and on an element's boundary, a copy where
// the caller's are not.
#pragma once

#include <pybind11/numpy.h>

namespace mlestar::bindings {

inline constexpr int in_place =
    int{pybind11::array::c_style} | int{pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_};

// Of that dtype already, or of one that it holds exactly.
template <class T>
using contiguous = pybind11::array_t<T, in_place>;

// Of any dtype that NumPy converts.
template <class T>
using converted = pybind11::array_t<T, in_place | int{pybind11::array::forcecast}>;

}  // namespace mlestar::bindings
