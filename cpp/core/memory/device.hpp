// A caching allocator in the order of a device's streams. What is freed on a stream may be used
// again on it at once: the stream does its work in turn. Another stream takes it when the work
// before the free is done, or waits for that where there is no other memory. Memory comes from the
// upstream in segments, small requests in segments of their own, and is cut best fit; freed
// neighbours of one stream become one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "memory/device_upstream.hpp"
#include "memory/pool_statistics.hpp"

namespace mlestar::memory {

struct device_pool_options {
    std::size_t limit = 0;        // bytes that the pool may hold; 0: as many as there are
    std::size_t keep = SIZE_MAX;  // bytes that stay cached at most, in whole segments
    std::size_t segment = std::size_t{64} << 20;  // at least so much is taken at once
};

class device_pool {
public:
    static constexpr std::size_t alignment = 256;
    // Above, a request is large: its segments are its own.
    static constexpr std::size_t small_limit = std::size_t{1} << 20;
    static constexpr std::size_t small_segment = std::size_t{2} << 20;

    // Asked when there is no more, without the lock: true if something was freed and it is worth
    // asking again.
    using exhausted_function = std::function<bool(std::size_t bytes)>;

    explicit device_pool(std::unique_ptr<device_upstream> upstream,
                         device_pool_options options = {});
    ~device_pool();  // waits for the work before each free; blocks that are in use go with it
    device_pool(const device_pool&) = delete;
    device_pool& operator=(const device_pool&) = delete;

    // Memory for work on the stream. Throws out_of_memory.
    void* allocate(std::size_t bytes, stream_handle stream, std::uint32_t tag = 0);
    // When the stream has done what it has been given so far. Throws argument_error for what is no
    // block of this pool or was freed before.
    void free(void* block, stream_handle stream);

    std::size_t size_of(void* block) const;
    std::uint32_t tag(const std::string& name);
    pool_statistics statistics() const;
    void reset_peaks();
    std::vector<live_block> blocks() const;

    // Waits for the work before each free and gives back whole segments, until no more than `keep`
    // is cached; returns bytes.
    std::size_t trim(std::size_t keep = 0);
    void set_limit(std::size_t limit);
    void set_keep(std::size_t keep);
    std::size_t keep() const;
    void on_exhausted(exhausted_function callback);

private:
    struct segment;
    // A part of a segment, in use or free on a stream.
    struct chunk {
        std::byte* data = nullptr;
        std::size_t size = 0;
        segment* home = nullptr;
        chunk* before = nullptr;  // neighbours in the segment
        chunk* after = nullptr;
        bool free = false;
        stream_handle stream = 0;
        std::uint32_t tag = 0;
        std::size_t bytes = 0;  // asked for
        std::uint64_t serial = 0;
    };
    struct segment {
        std::byte* data = nullptr;
        std::size_t size = 0;
        bool small = false;
    };
    using key = std::pair<std::size_t, std::byte*>;  // size, data
    struct stream_state {
        event_handle event = nullptr;   // after the last free on it
        std::map<key, chunk*> free[2];  // large, small
    };

    stream_state& state_of(stream_handle stream);
    chunk* make();
    void drop(chunk* part);
    void add_free(chunk* part);
    void remove_free(chunk* part);
    void merge(chunk* part);
    chunk* cut(chunk* part, std::size_t size);
    chunk* find(std::size_t size, bool small, stream_handle stream);
    chunk* find_elsewhere(std::size_t size, bool small, stream_handle stream, bool waiting);
    chunk* grow(std::size_t size, bool small, stream_handle stream);
    chunk* take(std::size_t size, bool small, stream_handle stream, bool& hit);
    void gather_all();
    std::size_t trim_locked(std::size_t keep);
    std::vector<live_block> blocks_locked() const;

    mutable std::mutex mutex_;
    std::unique_ptr<device_upstream> upstream_;
    device_pool_options options_;
    exhausted_function exhausted_;
    std::map<stream_handle, stream_state> streams_;
    std::unordered_map<void*, chunk*> live_;
    std::map<std::byte*, segment> segments_;
    std::deque<chunk> all_;
    std::vector<chunk*> unused_;
    counters counters_;
    std::uint64_t serial_ = 0;
};

}  // namespace mlestar::memory
