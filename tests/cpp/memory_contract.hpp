// What every memory resource promises. A resource joins by a struct of about 25 lines:
//
//     struct resource {
//         static constexpr const char* name = "...";
//         static constexpr std::size_t alignment = ..., unit = ...;  // unit: bytes it cuts memory
//         in explicit resource(std::size_t limit = 0); void* allocate(std::size_t bytes);      //
//         throws out_of_memory void free(void* block);                 // throws argument_error
//         memory::pool_statistics statistics() const;
//         std::size_t trim();
//         void set_limit(std::size_t limit);
//         void refuse(bool refused);              // the system gives nothing more
//     };
//
// whose memory can be written to from here, as a fake device's can.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "check.hpp"
#include "memory/pool_statistics.hpp"
#include "support/error.hpp"

namespace contract {

using mlestar::argument_error;
using mlestar::memory::out_of_memory;

// Written at both ends, so that two blocks that overlap show it.
inline void mark(void* block, std::size_t bytes, unsigned char value) {
    if (bytes == 0) return;
    std::memset(block, value, bytes < 64 ? bytes : 64);
    static_cast<unsigned char*>(block)[bytes - 1] = value;
}

inline bool marked(const void* block, std::size_t bytes, unsigned char value) {
    const auto* data = static_cast<const unsigned char*>(block);
    return bytes == 0 || (data[0] == value && data[bytes - 1] == value);
}

template <class Resource>
void alignment_and_sizes() {
    Resource resource;
    std::set<void*> seen;
    std::vector<std::pair<void*, std::size_t>> blocks;
    constexpr std::size_t unit = Resource::unit;
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{4097},
          unit - 1, unit, unit + 1, 3 * unit, 7 * unit + 5}) {
        void* block = resource.allocate(bytes);
        CHECK(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % Resource::alignment == 0);
        CHECK(seen.insert(block).second);
        mark(block, bytes, static_cast<unsigned char>(blocks.size()));
        blocks.emplace_back(block, bytes);
    }
    CHECK(resource.statistics().blocks == blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        CHECK(marked(blocks[i].first, blocks[i].second, static_cast<unsigned char>(i)));
        resource.free(blocks[i].first);
    }
    for (const std::size_t bytes : {SIZE_MAX, SIZE_MAX / 2, std::size_t{1} << 60})
        CHECK(check::throws<out_of_memory>([&] { resource.allocate(bytes); }, "cannot allocate"));
    const auto after = resource.statistics();
    CHECK(after.in_use == 0 && after.blocks == 0 && after.failures == 3);
    CHECK(after.held == after.cached);
}

template <class Resource>
void what_is_freed_is_used_again() {
    Resource resource;
    const std::size_t bytes = 4 * Resource::unit;
    void* first = resource.allocate(bytes);
    resource.free(first);
    CHECK(resource.statistics().cached >= bytes);
    CHECK(resource.allocate(bytes) == first);
    CHECK(resource.statistics().hits == 1 && resource.statistics().misses == 1);
    resource.free(first);
    const std::size_t cached = resource.statistics().cached;
    CHECK(resource.trim() == cached);
    CHECK(resource.statistics().cached == 0 && resource.statistics().held == 0);
    resource.free(resource.allocate(bytes));
    CHECK(resource.statistics().misses == 2);
}

// Parts freed in any order are one block again.
template <class Resource>
void neighbours_become_one() {
    Resource resource;
    const std::size_t part = 2 * Resource::unit, count = 8;
    void* whole = resource.allocate(count * part);
    resource.free(whole);
    std::vector<void*> parts;
    for (std::size_t i = 0; i < count; ++i) parts.push_back(resource.allocate(part));
    CHECK(resource.statistics().misses == 1);
    for (const std::size_t i : {3, 1, 2, 7, 0, 5, 6, 4}) resource.free(parts[i]);
    CHECK(resource.allocate(count * part) == whole);
    CHECK(resource.statistics().misses == 1);
    resource.free(whole);
}

template <class Resource>
void the_best_fit_is_taken() {
    Resource resource;
    constexpr std::size_t unit = Resource::unit;
    std::vector<void*> blocks;
    for (const std::size_t units : {8, 1, 3, 1, 5, 1})
        blocks.push_back(resource.allocate(units * unit));
    for (const std::size_t i : {0, 2, 4}) resource.free(blocks[i]);
    CHECK(resource.allocate(3 * unit) == blocks[2]);
    CHECK(resource.allocate(4 * unit) == blocks[4]);
    CHECK(resource.allocate(6 * unit) == blocks[0]);
    for (const std::size_t i : {0, 1, 2, 3, 4, 5}) resource.free(blocks[i]);
}

template <class Resource>
void wrong_frees_are_errors() {
    Resource resource;
    int elsewhere = 0;
    void* block = resource.allocate(2 * Resource::unit);
    CHECK(check::throws<argument_error>([&] { resource.free(&elsewhere); }));
    CHECK(check::throws<argument_error>([&] { resource.free(nullptr); }));
    CHECK(check::throws<argument_error>(
        [&] { resource.free(static_cast<char*>(block) + Resource::alignment); }));
    CHECK(resource.statistics().blocks == 1);
    resource.free(block);
    CHECK(check::throws<argument_error>([&] { resource.free(block); }, "freed before"));
    CHECK(resource.statistics().frees == 1 && resource.statistics().in_use == 0);
}

template <class Resource>
void the_limit_holds() {
    constexpr std::size_t unit = Resource::unit;
    Resource resource(16 * unit);
    void* first = resource.allocate(10 * unit);
    CHECK(check::throws<out_of_memory>([&] { resource.allocate(7 * unit); }, "limit"));
    void* second = resource.allocate(6 * unit);
    resource.free(first);
    // The cache makes room for what does not fit into it.
    resource.free(second);
    void* large = resource.allocate(16 * unit);
    CHECK(resource.statistics().held <= resource.statistics().limit);
    CHECK(check::throws<out_of_memory>([&] { resource.allocate(1); }, "largest"));
    resource.free(large);
    resource.set_limit(2 * unit);
    CHECK(resource.statistics().held <= resource.statistics().limit);
    CHECK(check::throws<out_of_memory>([&] { resource.allocate(3 * unit); }));
    resource.set_limit(0);
    resource.free(resource.allocate(32 * unit));
}

template <class Resource>
void a_refusal_leaves_all_as_it_was() {
    constexpr std::size_t unit = Resource::unit;
    Resource resource;
    void* kept = resource.allocate(3 * unit);
    mark(kept, 3 * unit, 0x5A);
    resource.refuse(true);
    CHECK(check::throws<out_of_memory>([&] { resource.allocate(64 * unit); }, "system"));
    resource.refuse(false);
    CHECK(resource.statistics().failures == 1 && resource.statistics().in_use == 3 * unit);
    void* other = resource.allocate(64 * unit);
    CHECK(marked(kept, 3 * unit, 0x5A));
    resource.free(other);
    resource.refuse(true);  // the cache needs nobody's leave
    CHECK(resource.allocate(64 * unit) == other);
    resource.refuse(false);
    resource.free(other);
    resource.free(kept);
}

// A long random walk beside a plain list of what is in use.
template <class Resource>
void a_random_walk() {
    Resource resource(256 * Resource::unit);
    std::mt19937_64 random(7);
    struct held {
        void* block;
        std::size_t bytes;
        unsigned char value;
    };
    std::vector<held> blocks;
    std::size_t in_use = 0, peak = 0, refused = 0;
    for (int step = 0; step < 1500; ++step) {
        if (blocks.empty() || random() % 5 < 3) {
            const std::size_t bytes = random() % (12 * Resource::unit);
            try {
                void* block = resource.allocate(bytes);
                mark(block, bytes, static_cast<unsigned char>(step));
                blocks.push_back({block, bytes, static_cast<unsigned char>(step)});
                in_use += bytes;
                peak = in_use > peak ? in_use : peak;
            } catch (const out_of_memory&) {
                ++refused;
            }
        } else {
            const std::size_t at = random() % blocks.size();
            CHECK(marked(blocks[at].block, blocks[at].bytes, blocks[at].value));
            resource.free(blocks[at].block);
            in_use -= blocks[at].bytes;
            blocks[at] = blocks.back();
            blocks.pop_back();
        }
        if (step % 500 == 499) resource.trim();
        const auto now = resource.statistics();
        CHECK(now.in_use == in_use && now.peak == peak && now.blocks == blocks.size());
        CHECK(now.held <= now.limit && now.cached + now.in_use <= now.held);
    }
    CHECK(resource.statistics().failures == refused);
    for (const held& one : blocks) resource.free(one.block);
    CHECK(resource.trim() > 0 && resource.statistics().held == 0);
}

// Blocks of several threads at once, freed by others than those that asked for them.
template <class Resource>
void threads_together() {
    Resource resource;
    constexpr std::size_t slots = 12;
    std::atomic<void*> shared[slots] = {};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(t);
            for (int step = 0; step < 200; ++step) {
                const std::size_t bytes = Resource::unit * (1 + random() % 4);
                void* block = resource.allocate(bytes);
                *static_cast<std::size_t*>(block) = bytes;
                void* other = shared[random() % slots].exchange(block);
                if (other == nullptr) continue;
                const std::size_t size = *static_cast<std::size_t*>(other);
                if (size % Resource::unit != 0 || size > 4 * Resource::unit) ++wrong;
                resource.free(other);
                if (step % 100 == 99) resource.trim();
            }
        });
    for (auto& thread : threads) thread.join();
    for (auto& slot : shared)
        if (void* block = slot.load()) resource.free(block);
    const auto now = resource.statistics();
    CHECK(wrong == 0 && now.in_use == 0 && now.blocks == 0 && now.frees == 800);
}

template <class Resource>
void run() {
    const int before = check::failures;
    alignment_and_sizes<Resource>();
    what_is_freed_is_used_again<Resource>();
    neighbours_become_one<Resource>();
    the_best_fit_is_taken<Resource>();
    wrong_frees_are_errors<Resource>();
    the_limit_holds<Resource>();
    a_refusal_leaves_all_as_it_was<Resource>();
    a_random_walk<Resource>();
    threads_together<Resource>();
    if (check::failures != before) std::fprintf(stderr, "... in %s\n", Resource::name);
}

}  // namespace contract
