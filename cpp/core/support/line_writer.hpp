// Bytes on their way to memory in whole cache lines: for results that are past the caches before
// anybody reads them, stores that do not read the line first save a third of the traffic.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mlestar {

constexpr std::int64_t line = 64;

// Whole lines past the caches; both ends of `target` on a line's boundary.
inline void stream_lines(std::byte* target, const std::byte* source, std::int64_t size) {
#ifdef __SSE2__
    for (std::int64_t i = 0; i < size; i += line) {
        const auto* from = reinterpret_cast<const __m128i*>(source + i);
        auto* to = reinterpret_cast<__m128i*>(target + i);
        const __m128i a = _mm_loadu_si128(from);
        const __m128i b = _mm_loadu_si128(from + 1);
        const __m128i c = _mm_loadu_si128(from + 2);
        const __m128i d = _mm_loadu_si128(from + 3);
        _mm_stream_si128(to, a);
        _mm_stream_si128(to + 1, b);
        _mm_stream_si128(to + 2, c);
        _mm_stream_si128(to + 3, d);
    }
#else
    std::memcpy(target, source, static_cast<std::size_t>(size));
#endif
}

inline void streamed() {
#ifdef __SSE2__
    _mm_sfence();
#endif
}

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
            stream_lines(place_, from + open, whole);
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
        stream_lines(place_ + done, buffer_ + done, whole - done);
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
