#include "cuda/devices.hpp"

#include "cuda/runtime.hpp"

namespace mlestar::cuda {

void check(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // the error is reported here; the next call starts clean
    throw device_error(std::string("CUDA failed in ") + doing + ": " + cudaGetErrorString(status));
}

std::vector<std::string> device_names() {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess) {
        cudaGetLastError();
        return {};
    }
    std::vector<std::string> names;
    for (int device = 0; device < count; ++device) {
        cudaDeviceProp properties;
        check(cudaGetDeviceProperties(&properties, device), "reading a device's properties");
        names.emplace_back(properties.name);
    }
    return names;
}

std::string why_no_device() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (status != cudaSuccess) return cudaGetErrorString(status);
    return count == 0 ? "no device" : "";
}

int runtime_version() {
    int version = 0;
    cudaRuntimeGetVersion(&version);
    return version;
}

int driver_version() {
    int version = 0;
    cudaDriverGetVersion(&version);
    return version;
}

int device_of(const void* pointer) {
    cudaPointerAttributes attributes;
    check(cudaPointerGetAttributes(&attributes, pointer), "asking where an array is");
    const bool on_device =
        attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
    return on_device ? attributes.device : -1;
}

void synchronize(stream_handle stream) {
    check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for a stream");
}

}  // namespace mlestar::cuda
