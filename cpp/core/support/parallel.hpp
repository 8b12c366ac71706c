// A caller-runs thread pool. The caller works too and waits only for blocks that a worker has
// claimed, so a busy machine costs nothing but the help it does not give. Survives fork: the child
// starts its own workers.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace mlestar {

// Threads that work on one call, the caller included. MLESTAR_NUM_THREADS, else OMP_NUM_THREADS,
// else the cores that affinity and the cgroup's quota leave to this process.
int thread_count();

// Sets the number for the process; at least 1, at most 1024 (argument_error otherwise).
void set_thread_count(int count);

// Polled by the calling thread between blocks, at most every 20 ms, never by workers. Returns true
// to stop: the call then throws interrupted_error. Null (the default) polls nothing.
using interrupt_check = bool (*)();
void set_interrupt_check(interrupt_check check);

// Turns polling on for the calls this thread makes during the scope (the bindings open one when
// they have let go of the GIL, since the check needs to take it).
class polling_scope {
public:
    polling_scope();
    ~polling_scope();
    polling_scope(const polling_scope&) = delete;
    polling_scope& operator=(const polling_scope&) = delete;
};

namespace detail {
using block_function = void (*)(void* context, std::int64_t block);
void run_blocks(std::int64_t count, block_function function, void* context, bool serial);
}  // namespace detail

// Calls function(block) for each block in [0, count), in any order, on up to thread_count()
// threads. The first exception stops the blocks not yet claimed and is rethrown here. Results must
// depend on the block's number only, never on the thread: that is what makes every answer
// independent of the thread count.
template <class Function>
void parallel_for(std::int64_t count, Function&& function, bool serial = false) {
    using callable = std::remove_reference_t<Function>;
    detail::run_blocks(
        count, [](void* context, std::int64_t block) { (*static_cast<callable*>(context))(block); },
        const_cast<void*>(static_cast<const void*>(std::addressof(function))), serial);
}

}  // namespace mlestar
