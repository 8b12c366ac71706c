#include "memory/device_upstream.hpp"

#include <cstdlib>

namespace mlestar::memory {

namespace {
constexpr std::size_t device_alignment = 256;
}

host_upstream::~host_upstream() {
    for (const auto& [memory, bytes] : sizes_) std::free(memory);
}

void* host_upstream::allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (refused_ || bytes > total_ - taken_) return nullptr;
    const std::size_t rounded =
        (bytes + device_alignment - 1) / device_alignment * device_alignment;
    void* memory = std::aligned_alloc(device_alignment, rounded);
    if (memory == nullptr) return nullptr;
    sizes_.emplace(memory, bytes);
    taken_ += bytes;
    return memory;
}

void host_upstream::free(void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(memory);
    taken_ -= found->second;
    sizes_.erase(found);
    std::free(memory);
}

std::size_t host_upstream::taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
}

}  // namespace mlestar::memory
