#include "cuda/memory_device.hpp"

#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "cuda/runtime.hpp"

namespace mlestar::cuda {
namespace {

using memory::event_handle;

cudaEvent_t as_event(event_handle event) { return static_cast<cudaEvent_t>(event); }
cudaStream_t as_stream(stream_handle stream) { return reinterpret_cast<cudaStream_t>(stream); }

class cuda_upstream : public memory::device_upstream {
public:
    cuda_upstream(int device, memory_kind kind) : device_(device), kind_(kind) {}

    void* allocate(std::size_t bytes) override {
        const device_guard guard(device_);
        void* memory = nullptr;
        const cudaError_t status = kind_ == memory_kind::device
                                       ? cudaMalloc(&memory, bytes)
                                       : cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
        if (status == cudaErrorMemoryAllocation) {
            cudaGetLastError();  // an answer, not a fault: the next call starts clean
            return nullptr;
        }
        check(status, "allocating memory");
        return memory;
    }
    void free(void* memory) override {
        const device_guard guard(device_);
        check(kind_ == memory_kind::device ? cudaFree(memory) : cudaFreeHost(memory),
              "freeing memory");
    }
    event_handle make_event() override {
        const device_guard guard(device_);
        cudaEvent_t event = nullptr;
        check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
        return event;
    }
    void destroy_event(event_handle event) override {
        const device_guard guard(device_);
        check(cudaEventDestroy(as_event(event)), "destroying an event");
    }
    void record(event_handle event, stream_handle stream) override {
        const device_guard guard(device_);
        check(cudaEventRecord(as_event(event), as_stream(stream)), "recording an event");
    }
    bool done(event_handle event) override {
        const device_guard guard(device_);
        const cudaError_t status = cudaEventQuery(as_event(event));
        if (status == cudaErrorNotReady) {
            cudaGetLastError();
            return false;
        }
        check(status, "asking for an event");
        return true;
    }
    void wait(stream_handle stream, event_handle event) override {
        const device_guard guard(device_);
        check(cudaStreamWaitEvent(as_stream(stream), as_event(event), 0), "waiting in a stream");
    }
    void synchronize(event_handle event) override {
        const device_guard guard(device_);
        check(cudaEventSynchronize(as_event(event)), "waiting for an event");
    }

private:
    int device_;
    memory_kind kind_;
};

}  // namespace

std::shared_ptr<memory::device_pool> make_pool(int device, memory_kind kind,
                                               memory::device_pool_options options) {
    return std::make_shared<memory::device_pool>(std::make_unique<cuda_upstream>(device, kind),
                                                 options);
}

std::shared_ptr<memory::device_pool> shared_pool(int device, memory_kind kind) {
    using key = std::pair<int, memory_kind>;
    static auto* const mutex = new std::mutex;
    static auto* const pools = new std::map<key, std::shared_ptr<memory::device_pool>>;
    const std::lock_guard<std::mutex> lock(*mutex);
    std::shared_ptr<memory::device_pool>& pool = (*pools)[key{device, kind}];
    if (!pool) pool = make_pool(device, kind);
    return pool;
}

}  // namespace mlestar::cuda

__attribute__((visibility("default"))) void* mlestar_device_allocate(std::ptrdiff_t bytes,
                                                                     int device,
                                                                     CUstream_st* stream) {
    using namespace mlestar;
    if (bytes < 0) return nullptr;
    try {
        return cuda::shared_pool(device, cuda::memory_kind::device)
            ->allocate(static_cast<std::size_t>(bytes), reinterpret_cast<std::uintptr_t>(stream));
    } catch (const std::exception&) {
        return nullptr;  // which the caller takes for "out of memory"
    }
}

__attribute__((visibility("default"))) void mlestar_device_free(void* block, std::ptrdiff_t,
                                                                int device, CUstream_st* stream) {
    using namespace mlestar;
    try {
        cuda::shared_pool(device, cuda::memory_kind::device)
            ->free(block, reinterpret_cast<std::uintptr_t>(stream));
    } catch (const std::exception&) {
        // The caller cannot be told, and the pool has not changed.
    }
}
