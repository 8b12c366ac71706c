// Sorting by integer key without a comparison sort: bins of equal width, each sorted again while it
// is large, and an insertion sort over runs that are nearly all of length 1. Kernels only.
//
// Everything is `static`: an inline function with linkage could be merged across levels by the
// linker.
#pragma once

#include <cstdint>

namespace mlestar {

inline constexpr std::uint64_t sign64 = 0x8000000000000000;

// Floating-point values as integers of the same order; -0.0 and 0.0 are the same.
static inline std::int64_t signed_order(double x) {
    const auto bits = __builtin_bit_cast(std::int64_t, x + 0.0);
    return bits ^ static_cast<std::int64_t>(static_cast<std::uint64_t>(bits >> 63) >> 1);
}

static inline std::int32_t signed_order(float x) {
    const auto bits = __builtin_bit_cast(std::int32_t, x + 0.0f);
    return bits ^ static_cast<std::int32_t>(static_cast<std::uint32_t>(bits >> 31) >> 1);
}

static inline std::uint64_t order_key(double x) {
    return static_cast<std::uint64_t>(signed_order(x)) ^ sign64;
}

static inline std::uint32_t order_key(float x) {
    return static_cast<std::uint32_t>(signed_order(x)) ^ 0x80000000u;
}

struct weighted_key {
    std::uint64_t key;
    double weight;
};

static inline std::uint64_t key_of(std::uint64_t item) { return item; }
static inline std::uint64_t key_of(const weighted_key& item) { return item.key; }

template <class Item>
static void insertion_sort(Item* items, std::int64_t count) {
    for (std::int64_t i = 1; i < count; ++i) {
        const Item item = items[i];
        std::int64_t j = i;
        for (; j > 0 && key_of(items[j - 1]) > key_of(item); --j) items[j] = items[j - 1];
        items[j] = item;
    }
}

// Sorts `items`, with as many `spare` items beside them, and leaves the result in `items`.
template <class Item>
static void sort(Item* items, Item* spare, std::int64_t count) {
    constexpr std::int64_t few = 24;
    constexpr int most_bits = 12;
    if (count <= few) {
        insertion_sort(items, count);
        return;
    }
    std::uint64_t low = key_of(items[0]);
    std::uint64_t high = low;
    for (std::int64_t i = 1; i < count; ++i) {
        const std::uint64_t key = key_of(items[i]);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (low == high) return;
    int bits = 64 - __builtin_clzll(static_cast<std::uint64_t>(count));
    bits = bits > most_bits ? most_bits : bits;
    const int range_bits = 64 - __builtin_clzll(high - low);
    const int shift = range_bits > bits ? range_bits - bits : 0;
    const std::int64_t bins = static_cast<std::int64_t>((high - low) >> shift) + 1;
    std::uint32_t place[(1 << most_bits) + 1];
    for (std::int64_t b = 0; b <= bins; ++b) place[b] = 0;
    for (std::int64_t i = 0; i < count; ++i) ++place[((key_of(items[i]) - low) >> shift) + 1];
    std::uint32_t fullest = 0;
    for (std::int64_t b = 1; b <= bins; ++b) {
        fullest = place[b] > fullest ? place[b] : fullest;
        place[b] += place[b - 1];
    }
    for (std::int64_t i = 0; i < count; ++i)
        spare[place[(key_of(items[i]) - low) >> shift]++] = items[i];
    // Each place has moved on to its bin's end.
    if (shift > 0 && fullest > few) {
        std::int64_t start = 0;
        for (std::int64_t b = 0; b < bins; ++b) {
            const std::int64_t end = place[b];
            if (end - start > few) sort(spare + start, items + start, end - start);
            start = end;
        }
    }
    for (std::int64_t i = 0; i < count; ++i) items[i] = spare[i];
    if (shift > 0) insertion_sort(items, count);
}

}  // namespace mlestar
