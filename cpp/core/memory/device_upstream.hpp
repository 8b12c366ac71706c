// What a device pool stands on: memory, and the order in which a device's streams work. Two are
// there: CUDA's, and the host's own memory with streams that are always done, for machines without
// a GPU.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace mlestar::memory {

using stream_handle = std::uintptr_t;
using event_handle = void*;

class device_upstream {
public:
    virtual ~device_upstream() = default;
    // Aligned to 256 bytes; nullptr where there is no more. Anything else that fails is thrown.
    virtual void* allocate(std::size_t bytes) = 0;
    virtual void free(void* memory) = 0;

    // A point in a stream's work.
    virtual event_handle make_event() = 0;
    virtual void destroy_event(event_handle event) = 0;
    virtual void record(event_handle event, stream_handle stream) = 0;
    virtual bool done(event_handle event) = 0;
    virtual void wait(stream_handle stream, event_handle event) = 0;  // the stream waits
    virtual void synchronize(event_handle event) = 0;                 // the caller waits
};

// At most `total` bytes of the host's memory.
class host_upstream : public device_upstream {
public:
    explicit host_upstream(std::size_t total) : total_(total) {}
    ~host_upstream() override;
    void* allocate(std::size_t bytes) override;
    void free(void* memory) override;
    event_handle make_event() override { return &total_; }
    void destroy_event(event_handle) override {}
    void record(event_handle, stream_handle) override {}
    bool done(event_handle) override { return true; }
    void wait(stream_handle, event_handle) override {}
    void synchronize(event_handle) override {}

    void refuse(bool refused) { refused_ = refused; }
    std::size_t taken() const;

private:
    mutable std::mutex mutex_;
    std::size_t total_;
    std::size_t taken_ = 0;
    std::atomic<bool> refused_{false};
    std::unordered_map<void*, std::size_t> sizes_;
};

}  // namespace mlestar::memory
