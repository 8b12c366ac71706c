// The thread pool alone; also built with ThreadSanitizer.
#include "support/parallel.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "support/error.hpp"

namespace {

using namespace mlestar;

std::int64_t sum_to(std::int64_t count) {
    std::vector<std::int64_t> parts(static_cast<std::size_t>(count));
    parallel_for(count,
                 [&](std::int64_t block) { parts[static_cast<std::size_t>(block)] = block; });
    return std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
}

void every_block_once() {
    for (const int threads : {1, 2, 3, 8}) {
        set_thread_count(threads);
        for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
            std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
            parallel_for(count,
                         [&](std::int64_t block) { ++seen[static_cast<std::size_t>(block)]; });
            bool once = true;
            for (const auto& times : seen) once &= times == 1;
            CHECK(once);
        }
    }
}

void the_first_exception_wins() {
    set_thread_count(4);
    for (int repeat = 0; repeat < 50; ++repeat) {
        std::atomic<int> ran{0};
        std::atomic<bool> thrown{false};
        CHECK(check::throws<std::runtime_error>(
            [&] {
                parallel_for(10000, [&](std::int64_t block) {
                    ++ran;
                    if (block == 3) {
                        thrown = true;
                        throw std::runtime_error("block 3");
                    }
                    // Nobody runs away while the thread with block 3 is not scheduled.
                    while (block > 3 && !thrown) std::this_thread::yield();
                    // Nor while it unwinds: all blocks together would take a second.
                    if (block > 3) std::this_thread::sleep_for(std::chrono::microseconds(100));
                });
            },
            "block 3"));
        CHECK(ran < 10000);
    }
    CHECK(sum_to(100) == 4950);
}

void callers_at_once() {
    set_thread_count(3);
    std::vector<std::thread> callers;
    std::atomic<int> wrong{0};
    for (int i = 0; i < 6; ++i)
        callers.emplace_back([&] {
            for (int repeat = 0; repeat < 200; ++repeat)
                if (sum_to(64) != 2016) ++wrong;
        });
    for (auto& caller : callers) caller.join();
    CHECK(wrong == 0);
}

void nested_calls_stay_on_their_thread() {
    set_thread_count(4);
    std::atomic<int> elsewhere{0};
    std::atomic<std::int64_t> total{0};
    parallel_for(8, [&](std::int64_t) {
        const auto here = std::this_thread::get_id();
        parallel_for(8, [&](std::int64_t block) {
            if (std::this_thread::get_id() != here) ++elsewhere;
            total += block;
        });
    });
    CHECK(elsewhere == 0);
    CHECK(total == 8 * 28);
}

std::atomic<bool> stop{false};

void an_interrupt_stops() {
    set_thread_count(2);
    set_interrupt_check([] { return stop.load(); });
    stop = true;
    const auto slow = [](std::int64_t) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    };
    parallel_for(20, slow);  // nobody polls without a scope
    {
        const polling_scope polled;
        CHECK(check::throws<interrupted_error>([&] { parallel_for(1000, slow); }));
    }
    stop = false;
    CHECK(sum_to(10) == 45);
}

void a_forked_child_works() {
    set_thread_count(4);
    CHECK(sum_to(1000) == 499500);
    for (int repeat = 0; repeat < 5; ++repeat) {
        const pid_t child = fork();
        if (child == 0) _exit(sum_to(1000) == 499500 ? 0 : 1);
        int status = 1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
}

void counts_are_checked() {
    CHECK(check::throws<argument_error>([] { set_thread_count(0); }, "is 0"));
    CHECK(check::throws<argument_error>([] { set_thread_count(5000); }, "is 5000"));
}

}  // namespace

int main(int argc, char**) {
    every_block_once();
    the_first_exception_wins();
    callers_at_once();
    nested_calls_stay_on_their_thread();
    an_interrupt_stops();
    counts_are_checked();
    // ThreadSanitizer does not follow a fork of a threaded process: any argument leaves it out.
    if (argc == 1) a_forked_child_works();
    return check::finish("parallel");
}
