// Large blocks of host memory, kept when they are freed: the pages of a block that comes back from
// the cache are there already, where a fresh one costs a page fault and a cleared page for each.
//
// A pool reserves a stretch of address space once and hands out parts of it, best fit, in steps of
// a huge page. Freed neighbours become one. What has no pages costs nothing, so the stretch is
// larger than the machine. All calls are safe from any thread; a forked child has a pool of its
// own, with the parent's blocks in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory/pool_extents.hpp"
#include "memory/pool_pressure.hpp"
#include "memory/pool_statistics.hpp"

namespace mlestar::memory {

// Found in debug mode: somebody wrote past a block, or into one that was freed.
class corruption_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct host_pool_options {
    // Bytes that the pool may hold, blocks and cache together; 0: as many as there are.
    std::size_t limit = 0;
    // Bytes that stay cached at most; what was freed first goes first.
    std::size_t keep = SIZE_MAX;
    // Address space; less is taken where the system does not give that much.
    std::size_t reserve = std::size_t{1} << 40;
    bool huge_pages = true;
    // Red zones around blocks, checked when they are freed, and freed memory that is looked at
    // before it is used again. Every byte of every block is written for it.
    bool debug = false;
    // How much memory is left; asked at most ten times a second. Tight: the cache is given back.
    std::function<memory_room()> room = [] { return find_room(); };
    // True: the system is to refuse this many more bytes, as tests want it to.
    std::function<bool(std::size_t)> refuse;
};

// Says where an allocation comes from; called without the lock.
using origin_function = std::string (*)();

class host_pool {
public:
    static constexpr std::size_t granule = std::size_t{2} << 20;
    static constexpr std::size_t alignment = 64;

    explicit host_pool(host_pool_options options = {});
    ~host_pool();  // blocks that are in use go with it
    host_pool(const host_pool&) = delete;
    host_pool& operator=(const host_pool&) = delete;

    // Throws out_of_memory. Never null, not even for nothing; two blocks never share an address.
    void* allocate(std::size_t bytes, std::uint32_t tag = 0, bool zeroed = false);
    // Throws argument_error for what is no block of this pool or was freed before, and
    // corruption_error, once it is freed, for a block with a broken red zone.
    void free(void* block);
    // The same bytes in a block of that size, where it was if it fits there. Whatever it throws,
    // the block stays as it was.
    void* reallocate(void* block, std::size_t bytes);

    // Whether the address lies in this pool's memory. No lock.
    bool owns(const void* address) const {
        return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(base_) <
               reserve_;
    }
    std::size_t size_of(void* block) const;

    std::uint32_t tag(const std::string& name);
    pool_statistics statistics() const;
    void reset_peaks();
    // Blocks in use, the oldest first.
    std::vector<live_block> blocks() const;
    // Red zones of the blocks in use that are broken, in words; none outside debug mode.
    std::vector<std::string> check() const;

    // Gives cached memory back to the system until no more than `keep` is cached; returns bytes.
    std::size_t trim(std::size_t keep = 0);
    // Less than what is in use may be set: nothing more is given out until it is freed.
    void set_limit(std::size_t limit);
    void set_keep(std::size_t keep);
    std::size_t keep() const;
    // Blocks know from then on where they come from; nullptr: no more.
    void trace(origin_function origin) { origin_.store(origin); }
    bool debug() const { return options_.debug; }

    // Before and after a fork: nobody else is inside while the child's memory is made.
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

private:
    std::size_t granules(std::size_t bytes) const;
    std::byte* start(const extent& part) const { return base_ + part.first * granule; }
    std::byte* user(const extent& part) const { return start(part) + guard_; }
    extent* find_block(const void* block) const;
    extent* take_cold(std::size_t count);
    bool commit(const extent& part);
    bool release(extent* part);
    std::size_t trim_locked(std::size_t keep);
    void watch_pressure();
    [[noreturn]] void refuse(std::size_t bytes, const std::string& why);
    std::vector<live_block> blocks_locked() const;
    void paint(const extent& part) const;
    std::string damage(const extent& part) const;
    std::string describe(const extent& part) const;

    mutable std::mutex mutex_;
    std::atomic<origin_function> origin_{nullptr};
    host_pool_options options_;
    std::byte* mapped_ = nullptr;
    std::size_t mapped_bytes_ = 0;
    std::byte* base_ = nullptr;
    std::size_t reserve_ = 0;
    std::size_t guard_ = 0;  // bytes of a red zone
    extent_map extents_;
    counters counters_;
    std::uint64_t serial_ = 0;
    std::int64_t looked_ = 0;  // when the room was last asked for, in milliseconds
};

}  // namespace mlestar::memory
