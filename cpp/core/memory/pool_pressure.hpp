// How much memory is left to this process: the least of what the machine and its cgroups say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlestar::memory {

struct memory_room {
    std::size_t total = 0;      // 0: nobody knows
    std::size_t available = 0;  // without swapping, and without an out-of-memory kill
    // Less than a twentieth is left.
    bool tight() const { return total != 0 && available < total / 20; }
};

// Reads /proc/meminfo and the cgroups (version 2 and 1) under `root`, which is "" but in tests.
memory_room find_room(const std::string& root = "");

// Of a clock that only goes forward and costs next to nothing to read.
std::int64_t milliseconds();

}  // namespace mlestar::memory
