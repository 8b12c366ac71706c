// The device's pool over memory of the host: the contract of all memory resources, the order of
// streams made of threads, and what a full device leads to. "time" measures instead.
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "memory/device.hpp"
#include "memory_contract.hpp"

using namespace mlestar;
using memory::device_pool;
using memory::device_pool_options;
using memory::event_handle;
using memory::host_upstream;
using memory::stream_handle;

namespace {

constexpr std::size_t MiB = std::size_t{1} << 20;
constexpr std::size_t GiB = std::size_t{1} << 30;

struct device_resource {
    static constexpr const char* name = "device pool on a fake device";
    static constexpr std::size_t alignment = device_pool::alignment;
    static constexpr std::size_t unit = 2 * MiB;

    explicit device_resource(std::size_t limit = 0)
        : upstream(new host_upstream(4 * GiB)),
          pool(std::unique_ptr<memory::device_upstream>(upstream), {limit}) {}
    void* allocate(std::size_t bytes) { return pool.allocate(bytes, 0); }
    void free(void* block) { pool.free(block, 0); }
    memory::pool_statistics statistics() const { return pool.statistics(); }
    std::size_t trim() { return pool.trim(); }
    void set_limit(std::size_t limit) { pool.set_limit(limit); }
    void refuse(bool refused) { upstream->refuse(refused); }

    host_upstream* upstream;  // the pool's
    device_pool pool;
};

// Streams that work in their own time, each a thread with a queue: what the pool orders wrongly,
// ThreadSanitizer calls a race, and the values tell without it.
class threaded_upstream : public host_upstream {
public:
    explicit threaded_upstream(std::size_t total) : host_upstream(total) {
        for (stream_handle s = 0; s < streams; ++s)
            workers_[s] = std::thread([this, s] { work(s); });
    }
    ~threaded_upstream() override {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    void enqueue(stream_handle stream, std::function<void()> step) {
        {
            const std::lock_guard lock(mutex_);
            queues_[stream].push_back(std::move(step));
        }
        changed_.notify_all();
    }

    event_handle make_event() override { return new event; }
    void destroy_event(event_handle handle) override { delete static_cast<event*>(handle); }
    void record(event_handle handle, stream_handle stream) override {
        auto* point = static_cast<event*>(handle);
        std::uint64_t ticket = 0;
        {
            const std::lock_guard lock(mutex_);
            ticket = ++point->recorded;
        }
        enqueue(stream, [this, point, ticket] {
            {
                const std::lock_guard lock(mutex_);
                point->done = std::max(point->done, ticket);
            }
            changed_.notify_all();
        });
    }
    bool done(event_handle handle) override {
        const std::lock_guard lock(mutex_);
        const auto* point = static_cast<event*>(handle);
        return point->done >= point->recorded;
    }
    void wait(stream_handle stream, event_handle handle) override {
        ++waits;
        enqueue(stream, [this, ticket = ticket_of(handle), handle] { pass(handle, ticket); });
    }
    void synchronize(event_handle handle) override { pass(handle, ticket_of(handle)); }

    static constexpr stream_handle streams = 3;
    std::atomic<int> waits{0};

private:
    struct event {
        std::uint64_t recorded = 0, done = 0;
    };
    std::uint64_t ticket_of(event_handle handle) {
        const std::lock_guard lock(mutex_);
        return static_cast<event*>(handle)->recorded;
    }
    void pass(event_handle handle, std::uint64_t ticket) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return static_cast<event*>(handle)->done >= ticket; });
    }
    void work(stream_handle stream) {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return ended_ || !queues_[stream].empty(); });
            if (queues_[stream].empty()) return;
            const std::function<void()> step = std::move(queues_[stream].front());
            queues_[stream].pop_front();
            lock.unlock();
            step();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queues_[streams];
    std::thread workers_[streams];
    bool ended_ = false;
};

void streams_do_not_disturb_each_other() {
    auto* upstream = new threaded_upstream(GiB);
    device_pool pool(std::unique_ptr<memory::device_upstream>(upstream), {8 * MiB, SIZE_MAX, MiB});
    std::mt19937 random(3);
    std::atomic<int> wrong{0};
    int refused = 0;
    for (int step = 0; step < 2000; ++step) {
        const stream_handle stream = random() % threaded_upstream::streams;
        const std::size_t bytes = 1 + random() % (step % 3 == 0 ? 3 * MiB : 100'000);
        unsigned char* block = nullptr;
        try {
            block = static_cast<unsigned char*>(pool.allocate(bytes, stream));
        } catch (const memory::out_of_memory&) {
            ++refused;
            continue;
        }
        const auto value = static_cast<unsigned char>(step);
        upstream->enqueue(stream, [=] {
            for (std::size_t i = 0; i < bytes; i += 997) block[i] = value;
        });
        upstream->enqueue(stream, [=, &wrong] {
            for (std::size_t i = 0; i < bytes; i += 997)
                if (block[i] != value) ++wrong;
        });
        pool.free(block, stream);  // before the stream has begun
    }
    CHECK(pool.statistics().in_use == 0 && refused == 0);
    CHECK(upstream->waits > 0);
    CHECK(pool.trim() > 0);  // after all work
    CHECK(pool.statistics().held == 0 && wrong == 0);
}

// What another stream has freed is taken where its work is done, before the device is asked.
void idle_streams_lend() {
    auto* upstream = new host_upstream(GiB);
    device_pool pool(std::unique_ptr<memory::device_upstream>(upstream), {0, SIZE_MAX, 4 * MiB});
    void* block = pool.allocate(4 * MiB, 1);
    pool.free(block, 1);
    CHECK(pool.allocate(4 * MiB, 2) == block);
    pool.free(block, 2);
    CHECK(upstream->taken() == 4 * MiB && pool.statistics().misses == 1);
    // Neighbours that two streams freed are one block where it is needed.
    pool.set_limit(4 * MiB);
    void* left = pool.allocate(2 * MiB, 1);
    void* right = pool.allocate(2 * MiB, 1);
    pool.free(left, 1);
    pool.free(right, 2);
    CHECK(pool.allocate(4 * MiB, 3) == block);
    CHECK(pool.statistics().misses == 1);
    pool.free(block, 3);
}

void small_blocks_have_segments_of_their_own() {
    device_pool pool(std::make_unique<host_upstream>(GiB));
    std::vector<void*> small;
    for (int i = 0; i < 100; ++i) small.push_back(pool.allocate(1000, 0));
    void* large = pool.allocate(10 * MiB, 0);
    CHECK(pool.statistics().held == 2 * MiB + 64 * MiB);
    for (int i = 1; i < 100; ++i)
        CHECK(static_cast<char*>(small[static_cast<std::size_t>(i)]) -
                  static_cast<char*>(small[static_cast<std::size_t>(i) - 1]) ==
              1024);
    pool.free(large, 0);
    CHECK(pool.trim() == 64 * MiB);  // the small ones are in nobody's way
    for (void* block : small) pool.free(block, 0);
    CHECK(pool.trim() == 2 * MiB);
}

void the_cache_is_bounded() {
    device_pool pool(std::make_unique<host_upstream>(GiB), {0, 10 * MiB, MiB});
    std::vector<void*> blocks;
    for (int i = 0; i < 10; ++i) blocks.push_back(pool.allocate(4 * MiB, 0));
    for (void* block : blocks) pool.free(block, 0);
    CHECK(pool.statistics().cached <= 10 * MiB);
    pool.set_keep(0);
    CHECK(pool.statistics().cached == 0 && pool.keep() == 0);
}

// Trim first, then whoever can free something, then an error that names the holders.
void a_full_device() {
    device_pool pool(std::make_unique<host_upstream>(16 * MiB), {0, SIZE_MAX, 4 * MiB});
    pool.free(pool.allocate(8 * MiB, 0), 0);
    pool.free(pool.allocate(6 * MiB, 0), 0);
    void* large = pool.allocate(14 * MiB, 0, pool.tag("model"));  // after a trim
    CHECK(check::throws<memory::out_of_memory>([&] { pool.allocate(4 * MiB, 0); },
                                               "largest: 14.0 MiB 'model'"));
    int asked = 0;
    pool.on_exhausted([&](std::size_t bytes) {
        CHECK(bytes == 4 * MiB);
        if (++asked == 2) pool.free(large, 0);
        return asked < 3;
    });
    void* block = pool.allocate(4 * MiB, 0);
    CHECK(asked == 2);
    large = pool.allocate(10 * MiB, 0);
    CHECK(check::throws<memory::out_of_memory>([&] { pool.allocate(4 * MiB, 0); }));
    CHECK(asked == 3);
    pool.on_exhausted([&](std::size_t) { return true; });  // promises and gives nothing
    CHECK(check::throws<memory::out_of_memory>([&] { pool.allocate(4 * MiB, 0); }));
    pool.free(block, 0);
    pool.free(large, 0);
    CHECK(pool.statistics().failures == 3 && pool.blocks().empty());
}

void time_it() {
    device_pool pool(std::make_unique<host_upstream>(4 * GiB));
    for (const std::size_t bytes : {std::size_t{1000}, 64 * MiB}) {
        pool.free(pool.allocate(bytes, 0), 0);
        const int repeats = 200000;
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < repeats; ++i) pool.free(pool.allocate(bytes, 0), 0);
        const std::chrono::duration<double, std::nano> spent =
            std::chrono::steady_clock::now() - begin;
        std::printf("allocate and free %zu cached bytes: %.0f ns\n", bytes,
                    spent.count() / repeats);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string(argv[1]) == "time") {
        time_it();
        return 0;
    }
    contract::run<device_resource>();
    streams_do_not_disturb_each_other();
    idle_streams_lend();
    small_blocks_have_segments_of_their_own();
    the_cache_is_bounded();
    a_full_device();
    return check::finish("device");
}
