#include "memory/pool_pressure.hpp"

#include <time.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace mlestar::memory {
namespace {

// A limit is given as a very large number where there is none.
constexpr std::size_t no_limit = std::size_t{1} << 60;

// The number a file begins with; false where there is none, as for "max".
bool read_number(const std::string& path, std::size_t& value) {
    std::ifstream file(path);
    unsigned long long number = 0;
    if (!(file >> number)) return false;
    value = static_cast<std::size_t>(number);
    return true;
}

// The value of a line "key value" or "key: value".
bool read_field(const std::string& path, const std::string& key, std::size_t& value) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string name;
        unsigned long long number = 0;
        if (words >> name >> number && (name == key || name == key + ":")) {
            value = static_cast<std::size_t>(number);
            return true;
        }
    }
    return false;
}

void narrow(memory_room& room, std::size_t machine, std::size_t limit, std::size_t used,
            std::size_t reclaimable) {
    if (limit >= (machine == 0 ? no_limit : machine)) return;
    // Pages of files that nobody uses go before anybody is refused memory.
    const std::size_t taken = used - std::min(used, reclaimable);
    const std::size_t left = limit - std::min(limit, taken);
    room.available = room.total == 0 ? left : std::min(room.available, left);
    room.total = room.total == 0 ? limit : std::min(room.total, limit);
}

void read_group(const std::string& folder, bool second, std::size_t machine, memory_room& room) {
    std::size_t limit = 0, used = 0, reclaimable = 0;
    if (!read_number(folder + (second ? "/memory.max" : "/memory.limit_in_bytes"), limit)) return;
    if (!read_number(folder + (second ? "/memory.current" : "/memory.usage_in_bytes"), used))
        return;
    read_field(folder + "/memory.stat", second ? "inactive_file" : "total_inactive_file",
               reclaimable);
    narrow(room, machine, limit, used, reclaimable);
}

// The group and all above it; a path that a container does not show is left out by itself.
void read_groups(const std::string& mount, std::string group, bool second, std::size_t machine,
                 memory_room& room) {
    for (;;) {
        read_group(mount + (group == "/" ? "" : group), second, machine, room);
        if (group.empty() || group == "/") return;
        const std::size_t slash = group.rfind('/');
        group = slash == std::string::npos ? "" : group.substr(0, slash);
    }
}

}  // namespace

memory_room find_room(const std::string& root) {
    memory_room room;
    const std::string meminfo = root + "/proc/meminfo";
    std::size_t kilobytes = 0;
    if (read_field(meminfo, "MemTotal", kilobytes)) room.total = kilobytes << 10;
    if (read_field(meminfo, "MemAvailable", kilobytes)) room.available = kilobytes << 10;
    const std::size_t machine = room.total;
    std::ifstream groups(root + "/proc/self/cgroup");
    std::string line;
    while (std::getline(groups, line)) {  // number:controllers:path
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        std::string names = ",";
        names.append(line, first + 1, second - first - 1).append(",");
        const std::string path = line.substr(second + 1);
        if (names == ",,") read_groups(root + "/sys/fs/cgroup", path, true, machine, room);
        if (names.find(",memory,") != std::string::npos)
            read_groups(root + "/sys/fs/cgroup/memory", path, false, machine, room);
    }
    return room;
}

std::int64_t milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace mlestar::memory
