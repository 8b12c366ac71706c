// Letting go of the GIL only where it pays: beside a busy Python thread, getting it back can take a
// whole switch interval, so short calls keep it.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>

#include "support/parallel.hpp"

namespace mlestar::bindings {

// About 50 us of a memory-bound kernel.
inline constexpr std::int64_t release_above = 100'000;

class gil_scope {
public:
    // `elements`: what the call reads or writes, each as much work as reading `work` of them. Not a
    // product: a number that the user has given may be too large for one.
    explicit gil_scope(std::int64_t elements, std::int64_t work = 1) {
        if (elements < release_above / work) return;
        released_.emplace();
        polling_.emplace();
    }

private:
    std::optional<pybind11::gil_scoped_release> released_;
    std::optional<polling_scope> polling_;
};

}  // namespace mlestar::bindings
