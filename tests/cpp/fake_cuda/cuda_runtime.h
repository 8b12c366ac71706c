// A device made of host threads, for machines without a GPU: the part of the CUDA runtime that our
// .cu files use, so that g++ compiles them and the sanitizers see them. One block runs at a time,
// its threads for real, and __syncthreads is a barrier; `__shared__` is a static, because only one
// block is alive.
#pragma once

#include <barrier>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static

namespace fake_cuda {

struct index {
    unsigned x = 0;
};
inline thread_local index thread_index, block_index, grid_size;
inline thread_local std::barrier<>* block_barrier = nullptr;
inline int allocations = 0;  // made and not freed
inline int fail_after = -1;  // allocations until one fails; -1: never

template <class Body>
void launch(unsigned blocks, unsigned threads, Body body) {
    std::barrier<> barrier(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::thread> running;
    for (unsigned t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            thread_index.x = t;
            grid_size.x = blocks;
            block_barrier = &barrier;
            for (unsigned b = 0; b < blocks; ++b) {
                block_index.x = b;
                body();
                barrier.arrive_and_wait();  // the next block takes over the shared memory
            }
        });
    for (auto& thread : running) thread.join();
}

}  // namespace fake_cuda

#define threadIdx (fake_cuda::thread_index)
#define blockIdx (fake_cuda::block_index)
#define gridDim (fake_cuda::grid_size)
#define __syncthreads() fake_cuda::block_barrier->arrive_and_wait()
#define MLESTAR_LAUNCH(kernel, blocks, threads, stream, ...) \
    ((void)(stream), fake_cuda::launch((blocks), (threads), [&] { kernel(__VA_ARGS__); }))

enum cudaError_t { cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorNotReady = 600 };
enum cudaMemcpyKind { cudaMemcpyDeviceToHost = 2 };
enum cudaMemoryType { cudaMemoryTypeHost = 1, cudaMemoryTypeDevice = 2, cudaMemoryTypeManaged = 3 };
using cudaStream_t = struct CUstream_st*;
struct cudaDeviceProp {
    char name[256];
};
struct cudaPointerAttributes {
    cudaMemoryType type;
    int device;
};

inline const char* cudaGetErrorString(cudaError_t status) {
    return status == cudaSuccess ? "no error" : "out of memory";
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    std::strcpy(properties->name, "fake device");
    return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
inline cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void*) {
    *attributes = {cudaMemoryTypeDevice, 0};
    return cudaSuccess;
}
inline cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t) {
    if (fake_cuda::fail_after == 0) return cudaErrorMemoryAllocation;
    if (fake_cuda::fail_after > 0) --fake_cuda::fail_after;
    *memory = std::malloc(bytes);
    std::memset(*memory, 0xA5, bytes);  // device memory starts as anything
    ++fake_cuda::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaFreeAsync(void* memory, cudaStream_t) {
    if (memory != nullptr) --fake_cuda::allocations;
    std::free(memory);
    return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                                   cudaStream_t) {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

// Streams are always done here; tests/cpp/test_device.cpp has some that are not.
using cudaEvent_t = struct fake_event*;
constexpr unsigned cudaEventDisableTiming = 2;
constexpr unsigned cudaHostAllocPortable = 1;
inline cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    if (bytes > (std::size_t{1} << 40)) return cudaErrorMemoryAllocation;
    if (fake_cuda::fail_after == 0) return cudaErrorMemoryAllocation;
    if (fake_cuda::fail_after > 0) --fake_cuda::fail_after;
    *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (*memory == nullptr) return cudaErrorMemoryAllocation;
    ++fake_cuda::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaFree(void* memory) { return cudaFreeAsync(memory, nullptr); }
inline cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
    return cudaMalloc(memory, bytes);
}
inline cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = static_cast<cudaEvent_t>(std::malloc(1));
    return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
    std::free(event);
    return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
