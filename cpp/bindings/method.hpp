// Member functions as methods whose `self` must be an object: given a pointer to member, pybind11
// turns None into a null pointer unless some argument of the method is named.
#pragma once

#include <utility>

namespace mlestar::bindings {

template <class Result, class Class, class... Arguments>
auto method(Result (Class::*function)(Arguments...)) {
    return [function](Class& self, Arguments... arguments) -> Result {
        return (self.*function)(std::forward<Arguments>(arguments)...);
    };
}

template <class Result, class Class, class... Arguments>
auto method(Result (Class::*function)(Arguments...) const) {
    return [function](const Class& self, Arguments... arguments) -> Result {
        return (self.*function)(std::forward<Arguments>(arguments)...);
    };
}

}  // namespace mlestar::bindings
