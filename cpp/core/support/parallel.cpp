#include "support/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/error.hpp"

namespace mlestar {
namespace {

constexpr int max_threads = 1024;
constexpr auto poll_interval = std::chrono::milliseconds(20);

thread_local bool polling = false;
thread_local bool inside_block = false;

// One parallel_for in flight. Lives on the caller's stack; `helpers` keeps it alive: the caller
// returns only once no worker is inside.
struct job {
    detail::block_function function = nullptr;
    void* context = nullptr;
    std::int64_t count = 0;
    int wanted = 0;                     // helpers still welcome; guarded by the pool's mutex
    int helpers = 0;                    // workers inside; guarded by the pool's mutex
    std::atomic<std::int64_t> next{0};  // the first block that nobody has claimed
    std::atomic<bool> failed{false};
    std::exception_ptr error = nullptr;  // written by the one thread that set `failed`
    std::condition_variable done;

    void fail(std::exception_ptr cause) {
        if (!failed.exchange(true)) error = std::move(cause);
        next.store(count);
    }

    // True while there was a block to run.
    bool run_one() {
        if (next.load(std::memory_order_relaxed) >= count) return false;
        const std::int64_t block = next.fetch_add(1);
        if (block >= count) return false;
        try {
            function(context, block);
        } catch (...) {
            fail(std::current_exception());
        }
        return true;
    }
};

class pool {
public:
    void run(job& work) {
        const int wanted = work.wanted;  // workers count it down as soon as they see the job
        {
            std::lock_guard lock(mutex_);
            start_workers(wanted);
            jobs_.push_back(&work);
        }
        for (int i = 0; i < wanted; ++i) wake_.notify_one();
    }

    void finish(job& work) {
        std::unique_lock lock(mutex_);
        std::erase(jobs_, &work);
        work.done.wait(lock, [&] { return work.helpers == 0; });
    }

private:
    void start_workers(int wanted) {
        while (static_cast<int>(workers_) < wanted) {
            try {
                // Detached: at exit they sleep on a condition variable of a pool that is never
                // destroyed.
                std::thread([this] { work_forever(); }).detach();
            } catch (const std::system_error&) {
                return;  // no more threads to be had: those there are, and the caller, do the work
            }
            ++workers_;
        }
    }

    job* find_work() {
        for (job* candidate : jobs_)
            if (candidate->wanted > 0 && candidate->next.load() < candidate->count)
                return candidate;
        return nullptr;
    }

    void work_forever() {
        inside_block = true;  // what a block calls runs where it is
        std::unique_lock lock(mutex_);
        for (;;) {
            job* work = nullptr;
            wake_.wait(lock, [&] { return (work = find_work()) != nullptr; });
            --work->wanted;
            ++work->helpers;
            lock.unlock();
            while (work->run_one()) {
            }
            lock.lock();
            if (--work->helpers == 0) work->done.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<job*> jobs_;
    int workers_ = 0;
};

std::atomic<pool*> the_pool{nullptr};
std::atomic<int> the_count{0};
std::atomic<interrupt_check> the_check{nullptr};
pool& instance() {
    pool* current = the_pool.load();
    if (current != nullptr) return *current;
    auto* fresh = new pool;
    if (the_pool.compare_exchange_strong(current, fresh)) {
        // The parent's workers do not exist in the child, and its mutex may have been held by one:
        // the child forgets that pool (a few hundred bytes) and starts its own at first need.
        static std::once_flag registered;
        std::call_once(registered, [] {
            pthread_atfork(nullptr, nullptr, [] {
                the_pool.store(nullptr);
                inside_block = false;
            });
        });
        return *fresh;
    }
    delete fresh;
    return *current;
}

int positive_from_environment(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return 0;
    const long value = std::strtol(text, nullptr, 10);
    return value > 0 && value <= max_threads ? static_cast<int>(value) : 0;
}

// Cores that the cgroup's CPU quota amounts to, rounded up; 0 when there is none.
int cgroup_quota() {
    long long quota = 0;
    long long period = 0;
    if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
        const int fields = std::fscanf(file, "%lld %lld", &quota, &period);
        std::fclose(file);
        if (fields == 2 && quota > 0 && period > 0)
            return static_cast<int>((quota + period - 1) / period);
    }
    return 0;
}

int default_count() {
    if (int count = positive_from_environment("MLESTAR_NUM_THREADS")) return count;
    if (int count = positive_from_environment("OMP_NUM_THREADS")) return count;
    int cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
    if (const int quota = cgroup_quota(); quota > 0 && quota < cores) cores = quota;
#endif
    return cores < 1 ? 1 : cores;
}

// Runs blocks on the calling thread until none is left, polling for an interrupt where that is
// asked for.
void run_as_caller(job& work) {
    const interrupt_check check = polling ? the_check.load() : nullptr;
    auto last = std::chrono::steady_clock::now();
    inside_block = true;
    while (work.run_one()) {
        if (check == nullptr) continue;
        const auto now = std::chrono::steady_clock::now();
        if (now - last < poll_interval) continue;
        last = now;
        if (check()) work.fail(std::make_exception_ptr(interrupted_error()));
    }
    inside_block = false;
}

}  // namespace

int thread_count() {
    int count = the_count.load();
    if (count > 0) return count;
    count = default_count();
    the_count.store(count);
    return count;
}

void set_thread_count(int count) {
    if (count < 1 || count > max_threads)
        throw argument_error("the number of threads is " + std::to_string(count) +
                             ", but must be between 1 and " + std::to_string(max_threads));
    the_count.store(count);
}

void set_interrupt_check(interrupt_check check) { the_check.store(check); }

polling_scope::polling_scope() { polling = true; }
polling_scope::~polling_scope() { polling = false; }

namespace detail {

void run_blocks(std::int64_t count, block_function function, void* context, bool serial) {
    if (count <= 0) return;
    job work;
    work.function = function;
    work.context = context;
    work.count = count;
    const std::int64_t threads = thread_count();
    const std::int64_t useful = threads < count ? threads : count;
    // A nested call runs on its own thread: the outer one has the machine already.
    if (serial || inside_block || useful < 2) {
        const bool nested = inside_block;
        run_as_caller(work);
        inside_block = nested;
    } else {
        work.wanted = static_cast<int>(useful) - 1;
        pool& workers = instance();
        workers.run(work);
        run_as_caller(work);
        workers.finish(work);
    }
    if (work.failed.load()) std::rethrow_exception(work.error);
}

}  // namespace detail
}  // namespace mlestar
