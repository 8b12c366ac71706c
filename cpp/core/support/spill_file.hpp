// Temporary data on disk that nobody else can see and that never outlives the process: the file has
// no name by the time anything is written to it, so the system frees it when the last descriptor is
// closed, by whatever end the process comes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlestar {

class spill_file {
public:
    // In that folder; throws io_error.
    explicit spill_file(const std::string& folder);
    ~spill_file();
    spill_file(const spill_file&) = delete;
    spill_file& operator=(const spill_file&) = delete;

    // At an offset of its own, so that threads and forked processes do not disturb each other.
    void write(std::int64_t offset, const void* data, std::size_t bytes);
    void read(std::int64_t offset, void* data, std::size_t bytes) const;

private:
    std::string folder_;
    int descriptor_;
};

}  // namespace mlestar
