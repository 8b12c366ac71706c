// Stores that do not read the line first: for results too large for the caches, where they save a
// third of the traffic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mlestar {

// Results above this are past the caches before anybody reads them.
inline constexpr std::int64_t stream_above = std::int64_t{8} << 20;

#ifdef __SSE2__
// To be followed, once for all calls, by streamed().
static inline void stream(std::byte* target, const std::byte* source, std::int64_t size) {
    const auto ahead = static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(target) & 15U);
    const std::int64_t head = size < ahead ? size : ahead;
    std::memcpy(target, source, static_cast<std::size_t>(head));
    std::int64_t i = head;
    for (; i + 64 <= size; i += 64) {
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
    std::memcpy(target + i, source + i, static_cast<std::size_t>(size - i));
}
static inline void streamed() { _mm_sfence(); }
#else
static inline void stream(std::byte* target, const std::byte* source, std::int64_t size) {
    std::memcpy(target, source, static_cast<std::size_t>(size));
}
static inline void streamed() {}
#endif

// One element of 4 or 8 bytes, to a place on its boundary; its neighbours complete the line.
template <std::int64_t Bytes>
static inline void stream_element(std::byte* target, const std::byte* source) {
    static_assert(Bytes == 4 || Bytes == 8);
#ifdef __x86_64__
    if constexpr (Bytes == 8) {
        long long value;
        std::memcpy(&value, source, sizeof value);
        _mm_stream_si64(reinterpret_cast<long long*>(target), value);
    } else {
        int value;
        std::memcpy(&value, source, sizeof value);
        _mm_stream_si32(reinterpret_cast<int*>(target), value);
    }
#else
    std::memcpy(target, source, Bytes);
#endif
}

}  // namespace mlestar
