// The little that every .cu file needs of the CUDA runtime: errors as exceptions, the device of the
// data, stream-ordered scratch, and one way to launch. Included by .cu files only.
//
// tests/cpp/fake_cuda/cuda_runtime.h stands in for the runtime where there is no GPU: it runs the
// same kernels on host threads.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "cuda/devices.hpp"

#ifndef MLESTAR_LAUNCH
#define MLESTAR_LAUNCH(kernel, blocks, threads, stream, ...) \
    kernel<<<(blocks), (threads), 0, (stream)>>>(__VA_ARGS__)
#endif

namespace mlestar::cuda {

// Throws device_error with CUDA's own words for anything but success.
void check(cudaError_t status, const char* doing);

// The device that a call works on; the caller's is current again afterwards.
class device_guard {
public:
    explicit device_guard(int device) {
        check(cudaGetDevice(&before_), "asking for the current device");
        if (device != before_) check(cudaSetDevice(device), "choosing the device of the data");
        changed_ = device != before_;
    }
    ~device_guard() {
        if (changed_) cudaSetDevice(before_);
    }
    device_guard(const device_guard&) = delete;
    device_guard& operator=(const device_guard&) = delete;

private:
    int before_ = 0;
    bool changed_ = false;
};

// Device memory for the length of a call, in the order of the stream.
template <class T>
class device_scratch {
public:
    device_scratch(std::size_t count, cudaStream_t stream) : stream_(stream) {
        void* memory = nullptr;
        check(cudaMallocAsync(&memory, count * sizeof(T), stream), "allocating scratch");
        data_ = static_cast<T*>(memory);
    }
    ~device_scratch() { cudaFreeAsync(data_, stream_); }
    device_scratch(const device_scratch&) = delete;
    device_scratch& operator=(const device_scratch&) = delete;
    T* data() const { return data_; }

private:
    T* data_ = nullptr;
    cudaStream_t stream_;
};

}  // namespace mlestar::cuda
