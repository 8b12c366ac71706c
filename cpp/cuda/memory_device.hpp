// Pools of a GPU's memory and of pinned host memory: memory/device over CUDA. One of each kind and
// device is the process's own, which PyTorch, CuPy and Numba share.
#pragma once

#include <cstddef>
#include <memory>

#include "cuda/devices.hpp"
#include "memory/device.hpp"

namespace mlestar::cuda {

// On the device, or on the host where the device reads and writes it by itself.
enum class memory_kind { device, pinned };

std::shared_ptr<memory::device_pool> make_pool(int device, memory_kind kind,
                                               memory::device_pool_options options = {});

// Made at first need, and never destroyed: other libraries free into it until the process ends.
std::shared_ptr<memory::device_pool> shared_pool(int device, memory_kind kind);

}  // namespace mlestar::cuda

struct CUstream_st;

// The shared pool of a device for PyTorch's pluggable allocator, which looks the names up.
extern "C" {
void* mlestar_device_allocate(std::ptrdiff_t bytes, int device, CUstream_st* stream);
void mlestar_device_free(void* block, std::ptrdiff_t bytes, int device, CUstream_st* stream);
}
