// What every pool counts, whatever its memory is: the host's and a device's have one shape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

namespace mlestar::memory {

// What was asked for under one name. Bytes are those asked for, before any rounding.
struct tag_statistics {
    std::string tag;
    std::size_t in_use = 0;
    std::size_t peak = 0;
    std::size_t blocks = 0;
};

struct pool_statistics {
    std::size_t in_use = 0;  // bytes asked for and not freed
    std::size_t peak = 0;    // the most that in_use ever was
    std::size_t blocks = 0;  // blocks in use
    std::size_t cached = 0;  // bytes held and free
    std::size_t held = 0;    // bytes taken from the system: blocks, their rounding, and the cache
    std::size_t limit = 0;   // the most that held may be; 0: none
    std::uint64_t hits = 0;  // allocations answered from the cache
    std::uint64_t misses = 0;
    std::uint64_t frees = 0;
    std::uint64_t failures = 0;  // allocations refused
    std::uint64_t released = 0;  // bytes given back to the system, ever
    std::vector<tag_statistics> tags;

    // How much of the cache the limit leaves room for, with so many bytes more to hold.
    std::size_t cacheable(std::size_t more = 0) const {
        const std::size_t over = limit != 0 && held + more > limit ? held + more - limit : 0;
        return cached - std::min(cached, over);
    }
};

// A block that is in use.
struct live_block {
    std::uintptr_t address = 0;
    std::size_t bytes = 0;
    std::string tag;
    std::uint64_t serial = 0;  // counts allocations: the smaller, the older
    std::string origin;        // where it was allocated; empty where nobody traces
};

// The pool cannot give that much: MemoryError in Python, with the largest holders.
class out_of_memory : public std::bad_alloc {
public:
    out_of_memory(std::size_t requested, const std::string& why, const pool_statistics& state,
                  std::vector<live_block> holders);
    const char* what() const noexcept override { return what_.c_str(); }
    std::size_t requested() const { return requested_; }
    const std::vector<live_block>& holders() const { return holders_; }

private:
    std::size_t requested_;
    std::vector<live_block> holders_;
    std::string what_;
};

// Counts that move together; the caller holds the pool's lock.
class counters {
public:
    counters();
    // The number of a tag, made at first need.
    std::uint32_t tag(const std::string& name);
    const std::string& name(std::uint32_t tag) const { return values_.tags[tag].tag; }
    std::uint32_t tags() const { return static_cast<std::uint32_t>(values_.tags.size()); }
    void allocated(std::uint32_t tag, std::size_t bytes, bool hit);
    void freed(std::uint32_t tag, std::size_t bytes);
    void resized(std::uint32_t tag, std::size_t from, std::size_t to);
    void reset_peaks();

    // Those that the pool keeps itself: cached, held, limit, failures, released.
    pool_statistics& values() { return values_; }
    const pool_statistics& values() const { return values_; }

private:
    pool_statistics values_;
};

// "1.5 GiB"
std::string readable(std::size_t bytes);

// The largest first, no more than `most`.
std::vector<live_block> largest(std::vector<live_block> blocks, std::size_t most);

}  // namespace mlestar::memory
