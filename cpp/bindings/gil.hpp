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
    // `elements`: what the call reads or writes, or an equivalent amount of work.
    explicit gil_scope(std::int64_t elements) {
        if (elements < release_above) return;
        released_.emplace();
        polling_.emplace();
    }

private:
    std::optional<pybind11::gil_scoped_release> released_;
    std::optional<polling_scope> polling_;
};

}  // namespace mlestar::bindings
