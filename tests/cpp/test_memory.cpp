// The host's pool: the contract of all memory resources, and what only it has. Any argument leaves
// out the forks, which ThreadSanitizer does not follow, and the debug mode's contract; "time"
// measures instead.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "memory/pool.hpp"
#include "memory_contract.hpp"

using namespace mlestar;
using memory::host_pool;
using memory::host_pool_options;

namespace {

constexpr std::size_t MiB = std::size_t{1} << 20;

memory::memory_room plenty() { return {std::size_t{1} << 40, std::size_t{1} << 39}; }

template <bool Debug>
struct host_resource {
    static constexpr const char* name = Debug ? "host pool, debug" : "host pool";
    static constexpr std::size_t alignment = host_pool::alignment;
    // A red zone makes a block of whole granules one granule longer.
    static constexpr std::size_t unit = Debug ? 2 * MiB - 128 : 2 * MiB;

    explicit host_resource(std::size_t limit = 0)
        : pool([&] {
              host_pool_options options;
              options.limit = whole(limit);
              options.debug = Debug;
              options.room = plenty;
              options.refuse = [this](std::size_t) { return refused.load(); };
              return options;
          }()) {}
    void* allocate(std::size_t bytes) { return pool.allocate(bytes); }
    void free(void* block) { pool.free(block); }
    memory::pool_statistics statistics() const { return pool.statistics(); }
    std::size_t trim() { return pool.trim(); }
    void set_limit(std::size_t limit) { pool.set_limit(whole(limit)); }
    void refuse(bool value) { refused = value; }

    static std::size_t whole(std::size_t bytes) {
        return (bytes + 2 * MiB - 1) / MiB / 2 * 2 * MiB;
    }

    std::atomic<bool> refused{false};
    host_pool pool;
};

host_pool_options quiet() {
    host_pool_options options;
    options.room = plenty;
    return options;
}

void zeros_are_zeros() {
    host_pool pool(quiet());
    auto* fresh = static_cast<unsigned char*>(pool.allocate(4 * MiB, 0, true));
    bool zero = true;
    for (std::size_t i = 0; i < 4 * MiB; i += 509) zero &= fresh[i] == 0;
    std::memset(fresh, 0xFF, 4 * MiB);
    pool.free(fresh);
    auto* cached = static_cast<unsigned char*>(pool.allocate(4 * MiB, 0, true));
    for (std::size_t i = 0; i < 4 * MiB; ++i) zero &= cached[i] == 0;
    CHECK(cached == fresh && zero);
    std::memset(cached, 0xFF, 4 * MiB);
    pool.free(cached);
    pool.trim();  // what comes from the system again is zero by itself
    auto* again = static_cast<unsigned char*>(pool.allocate(4 * MiB, 0, true));
    for (std::size_t i = 0; i < 4 * MiB; i += 509) zero &= again[i] == 0;
    CHECK(zero);
    pool.free(again);
}

void reallocation_keeps_values() {
    host_pool pool(quiet());
    const std::uint32_t tag = pool.tag("grown");
    auto* block = static_cast<unsigned char*>(pool.allocate(5 * MiB, tag));
    contract::mark(block, 5 * MiB, 9);
    void* same = pool.reallocate(block, 6 * MiB);  // three granules before and after
    CHECK(same == block && pool.size_of(same) == 6 * MiB);
    void* moved = pool.reallocate(same, 20 * MiB);
    CHECK(contract::marked(moved, 5 * MiB, 9));
    void* small = pool.reallocate(moved, 1);
    CHECK(contract::marked(small, 1, 9));
    const auto now = pool.statistics();
    CHECK(now.in_use == 1 && now.blocks == 1 && now.peak >= 20 * MiB);
    CHECK(now.tags.size() == 2 && now.tags[tag].in_use == 1);
    pool.free(small);
    CHECK(check::throws<argument_error>([&] { pool.reallocate(small, 8); }));
}

// Fewer bytes than there are need no memory, wherever the limit stands.
void a_block_shrinks_at_the_limit() {
    for (const bool debug : {false, true}) {
        host_pool_options options = quiet();
        options.limit = 16 * MiB;
        options.keep = 0;
        options.debug = debug;
        host_pool pool(options);
        auto* block = static_cast<unsigned char*>(pool.allocate(11 * MiB));
        std::memset(block, 7, 11 * MiB);
        CHECK(check::throws<memory::out_of_memory>([&] { pool.reallocate(block, 32 * MiB); }));
        auto* less = static_cast<unsigned char*>(pool.reallocate(block, 7 * MiB));
        CHECK(less[0] == 7 && less[7 * MiB - 1] == 7);
        CHECK(pool.size_of(less) == 7 * MiB && pool.statistics().in_use == 7 * MiB);
        CHECK(pool.check().empty());
        pool.free(less);
    }
}

void the_cache_is_bounded() {
    host_pool_options options = quiet();
    options.keep = 10 * MiB;
    host_pool pool(std::move(options));
    std::vector<void*> blocks;
    for (int i = 0; i < 10; ++i) blocks.push_back(pool.allocate(4 * MiB));
    for (const int i : {0, 2, 4, 6, 8, 1, 3, 5, 7, 9})
        pool.free(blocks[static_cast<std::size_t>(i)]);
    CHECK(pool.statistics().cached <= 10 * MiB);
    CHECK(pool.statistics().held == pool.statistics().cached);
    pool.set_keep(0);
    CHECK(pool.statistics().cached == 0);
}

void under_pressure_the_cache_goes() {
    std::atomic<bool> tight{false};
    host_pool_options options;
    options.room = [&] {
        return memory::memory_room{100 * MiB, tight ? std::size_t{0} : 50 * MiB};
    };
    host_pool pool(std::move(options));
    void* small = pool.allocate(MiB);
    pool.free(pool.allocate(8 * MiB));
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    pool.free(small);
    CHECK(pool.statistics().cached > 0);
    tight = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    pool.free(pool.allocate(8 * MiB));
    CHECK(pool.statistics().cached == 0 && pool.statistics().released >= 8 * MiB);
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

void the_room_is_the_least_of_all() {
    namespace fs = std::filesystem;
    char name[] = "/tmp/mlestar-room-XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    const fs::path root = name;
    write_file(root / "proc/meminfo", "MemTotal:  1000 kB\nMemFree: 5 kB\nMemAvailable:  600 kB\n");
    auto room = memory::find_room(root.string());
    CHECK(room.total == 1000 * 1024 && room.available == 600 * 1024 && !room.tight());
    // Version 2: a group within a group; the inner one has no limit.
    write_file(root / "proc/self/cgroup", "0::/outer/inner\n");
    write_file(root / "sys/fs/cgroup/outer/inner/memory.max", "max\n");
    write_file(root / "sys/fs/cgroup/outer/inner/memory.current", "700\n");
    write_file(root / "sys/fs/cgroup/outer/memory.max", "500000\n");
    write_file(root / "sys/fs/cgroup/outer/memory.current", "490000\n");
    room = memory::find_room(root.string());
    CHECK(room.total == 500000 && room.available == 10000 && room.tight());
    write_file(root / "sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file 100000\n");
    CHECK(memory::find_room(root.string()).available == 110000);
    // A group may have less left than its parts could use, when others are in it.
    write_file(root / "sys/fs/cgroup/outer/inner/memory.max", "400000\n");
    room = memory::find_room(root.string());
    CHECK(room.total == 400000 && room.available == 110000);
    // Version 1, whose "no limit" is a very large number.
    write_file(root / "proc/self/cgroup", "5:cpu,memory:/job\n0::/\n");
    write_file(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write_file(root / "sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
    write_file(root / "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "300000\n");
    write_file(root / "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "400000\n");
    room = memory::find_room(root.string());
    CHECK(room.total == 300000 && room.available == 0);
    CHECK(memory::find_room((root / "nowhere").string()).total == 0);
    CHECK(!memory::find_room((root / "nowhere").string()).tight());
    CHECK(memory::find_room().total > 0);
    fs::remove_all(root);
}

std::string here() { return "test_memory.cpp"; }

void leaks_have_an_origin() {
    host_pool pool(quiet());
    void* before = pool.allocate(MiB);
    pool.trace(here);
    void* block = pool.allocate(3 * MiB, pool.tag("features"));
    pool.trace(nullptr);
    const auto blocks = pool.blocks();
    CHECK(blocks.size() == 2 && blocks[0].origin.empty() && blocks[1].origin == "test_memory.cpp");
    CHECK(blocks[1].tag == "features" && blocks[1].bytes == 3 * MiB);
    CHECK(blocks[1].address == reinterpret_cast<std::uintptr_t>(block));
    pool.set_limit(8 * MiB);
    CHECK(check::throws<memory::out_of_memory>([&] { pool.allocate(9 * MiB); },
                                               "3.0 MiB 'features' from test_memory.cpp"));
    CHECK(check::throws<argument_error>([&] { pool.allocate(1, 77); }, "tag is 77"));
    pool.free(block);
    pool.free(before);
    CHECK(pool.blocks().empty());
}

void debug_mode_finds_damage() {
    host_pool_options options = quiet();
    options.debug = true;
    host_pool pool(std::move(options));
    auto* block = static_cast<unsigned char*>(pool.allocate(1000, pool.tag("hurt")));
    CHECK(block[0] == 0xCB && block[999] == 0xCB);
    block[1003] = 1;
    CHECK(pool.check().size() == 1);
    CHECK(check::throws<memory::corruption_error>(
        [&] { pool.free(block); }, "block of 1000 bytes 'hurt' was written 4 bytes past its end"));
    CHECK(pool.statistics().blocks == 0);  // it is freed all the same
    block = static_cast<unsigned char*>(pool.allocate(1000));
    block[1000] = 1;
    CHECK(check::throws<memory::corruption_error>([&] { pool.reallocate(block, 5); }, "1 bytes"));
    CHECK(check::throws<memory::corruption_error>([&] { pool.free(block); }));
    block = static_cast<unsigned char*>(pool.allocate(1000));
    block[-1] = 1;
    CHECK(
        check::throws<memory::corruption_error>([&] { pool.free(block); }, "before its beginning"));
    block[500] = 1;  // freed
    CHECK(check::throws<memory::corruption_error>([&] { pool.allocate(1000); },
                                                  "after it was freed"));
    pool.free(pool.allocate(1000));  // told once
    auto* zeros = static_cast<unsigned char*>(pool.allocate(1000, 0, true));
    CHECK(zeros[0] == 0 && zeros[999] == 0 && pool.check().empty());
    pool.free(zeros);
}

void address_space_may_be_short() {
    host_pool_options options = quiet();
    options.reserve = 8 * MiB;
    host_pool pool(std::move(options));
    void* block = pool.allocate(8 * MiB);
    CHECK(check::throws<memory::out_of_memory>([&] { pool.allocate(1); }));
    CHECK(pool.owns(block) && !pool.owns(static_cast<char*>(block) + 8 * MiB) && !pool.owns(&pool));
    pool.free(block);
    // Cut up and given back, it is whole again.
    for (int i = 0; i < 3; ++i) {
        void* first = pool.allocate(2 * MiB);
        void* second = pool.allocate(2 * MiB);
        pool.free(first);
        pool.trim();
        pool.free(second);
        pool.free(pool.allocate(8 * MiB));
    }
}

void a_forked_child_has_a_pool() {
    host_pool pool(quiet());
    auto* block = static_cast<unsigned char*>(pool.allocate(4 * MiB));
    contract::mark(block, 4 * MiB, 42);
    std::atomic<bool> stop{false};
    std::thread busy([&] {  // the lock is held most of the time
        while (!stop) pool.free(pool.allocate(2 * MiB));
    });
    for (int repeat = 0; repeat < 20; ++repeat) {
        const pid_t child = fork();
        if (child == 0) {
            bool good = contract::marked(block, 4 * MiB, 42);
            pool.free(block);
            void* mine = pool.allocate(16 * MiB);
            contract::mark(mine, 16 * MiB, 1);
            pool.free(mine);
            pool.trim();
            _exit(good ? 0 : 1);
        }
        int status = 1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    stop = true;
    busy.join();
    CHECK(contract::marked(block, 4 * MiB, 42));
    pool.free(block);
}

void time_it() {
    host_pool pool;
    pool.free(pool.allocate(64 * MiB));
    const int repeats = 200000;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) pool.free(pool.allocate(64 * MiB));
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    std::printf("allocate and free a cached block: %.0f ns\n", spent.count() / repeats);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string(argv[1]) == "time") {
        time_it();
        return 0;
    }
    contract::run<host_resource<false>>();
    if (argc == 1) contract::run<host_resource<true>>();  // paint takes ThreadSanitizer minutes
    zeros_are_zeros();
    reallocation_keeps_values();
    a_block_shrinks_at_the_limit();
    the_cache_is_bounded();
    under_pressure_the_cache_goes();
    the_room_is_the_least_of_all();
    leaks_have_an_origin();
    debug_mode_finds_damage();
    address_space_may_be_short();
    if (argc == 1) a_forked_child_has_a_pool();
    return check::finish("memory");
}
