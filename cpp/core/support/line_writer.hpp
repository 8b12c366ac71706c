// Bytes on their way to memory in whole cache lines, past the caches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "support/stream.hpp"

namespace mlestar {

constexpr std::int64_t line = 64;

inline void prefetch(const std::byte* address) { __builtin_prefetch(address); }

// Writes bytes one after the other. They wait in a buffer in the first cache until they are whole
// lines: a line that is written half past the caches and half through them costs more than either.
class line_writer {
public:
    static constexpr std::int64_t capacity = std::int64_t{12} << 10;

    explicit line_writer(std::byte* target)
        : place_(target - reinterpret_cast<std::uintptr_t>(target) % line),
          first_(target - place_),
          filled_(first_) {}

    // Where the next `size` bytes, at most `capacity`, are to be put; `put` says that they are.
    std::byte* room(std::int64_t size) {
        if (filled_ + size > std::int64_t{sizeof buffer_}) flush();
        return buffer_ + filled_;
    }
    void put(std::int64_t size) { filled_ += size; }

    void append(const std::byte* from, std::int64_t size) {
        if (size >= direct_) {
            const std::int64_t open = std::min(size, -filled_ & (line - 1));
            append(from, open);
            flush();
            const std::int64_t whole = (size - open) & -line;
            stream(place_, from + open, whole);
            place_ += whole;
            from += open + whole;
            size -= open + whole;
        }
        std::memcpy(room(size), from, static_cast<std::size_t>(size));
        put(size);
    }

    // What is left: the last line may be another's too.
    void finish() {
        flush();
        std::memcpy(place_ + first_, buffer_ + first_, static_cast<std::size_t>(filled_ - first_));
        streamed();
    }

private:
    static constexpr std::int64_t direct_ = 4096;

    void flush() {
        const std::int64_t whole = filled_ & -line;
        if (whole == 0) return;
        std::int64_t done = 0;
        if (first_ > 0) {  // the first line begins with what is not ours
            std::memcpy(place_ + first_, buffer_ + first_, static_cast<std::size_t>(line - first_));
            done = line;
            first_ = 0;
        }
        stream(place_ + done, buffer_ + done, whole - done);
        std::memcpy(buffer_, buffer_ + whole, static_cast<std::size_t>(filled_ - whole));
        place_ += whole;
        filled_ -= whole;
    }

    alignas(line) std::byte buffer_[capacity + line];
    std::byte* place_;    // where the buffer's first byte belongs, on a line's boundary
    std::int64_t first_;  // bytes before this are not ours
    std::int64_t filled_;
};

}  // namespace mlestar
