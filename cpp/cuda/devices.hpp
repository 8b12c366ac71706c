// GPUs and what can go wrong with them. No CUDA header: bindings include this.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace mlestar::cuda {

// The runtime refused: out of memory, a kernel that failed, a device that is gone. RuntimeError in
// Python.
class device_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A cudaStream_t as the array interfaces carry it.
using stream_handle = std::uintptr_t;

// Names of the GPUs in the driver's order; empty without a driver or a GPU.
std::vector<std::string> device_names();

// Why device_names() is empty, in the runtime's words; empty where it is not.
std::string why_no_device();

int runtime_version();  // as the runtime gives it: 13000 for 13.0
int driver_version();   // 0 without a driver

// The device that owns the memory, or -1 for memory of the host.
int device_of(const void* pointer);

void synchronize(stream_handle stream);

}  // namespace mlestar::cuda
