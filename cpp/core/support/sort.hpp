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

// The inverse.
static inline double score_of_order(std::int64_t key) {
    return __builtin_bit_cast(
        double, key ^ static_cast<std::int64_t>(static_cast<std::uint64_t>(key >> 63) >> 1));
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
static inline std::uint64_t key_of(std::uint32_t item) { return item; }
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

constexpr std::int64_t few_items = 24;
constexpr int most_bin_bits = 12;

// Bins of equal width between the smallest and the largest key, and where each starts.
struct sort_bins {
    std::uint64_t low;
    int shift;  // 0: every bin holds one key
    std::int64_t count;
    std::uint32_t fullest;
    std::uint32_t place[(1 << most_bin_bits) + 1];
};

static inline std::uint64_t bin_of(const sort_bins& bins, std::uint64_t key) {
    return (key - bins.low) >> bins.shift;
}

template <class Item>
static inline void find_bins(const Item* items, std::int64_t count, sort_bins& bins) {
    std::uint64_t low = key_of(items[0]);
    std::uint64_t high = low;
    for (std::int64_t i = 1; i < count; ++i) {
        const std::uint64_t key = key_of(items[i]);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    int bits = 64 - __builtin_clzll(static_cast<std::uint64_t>(count));
    bits = bits > most_bin_bits ? most_bin_bits : bits;
    const int range_bits = low == high ? 0 : 64 - __builtin_clzll(high - low);
    bins.low = low;
    bins.shift = range_bits > bits ? range_bits - bits : 0;
    bins.count = static_cast<std::int64_t>((high - low) >> bins.shift) + 1;
    for (std::int64_t b = 0; b <= bins.count; ++b) bins.place[b] = 0;
    for (std::int64_t i = 0; i < count; ++i) ++bins.place[bin_of(bins, key_of(items[i])) + 1];
    bins.fullest = 0;
    for (std::int64_t b = 1; b <= bins.count; ++b) {
        bins.fullest = bins.place[b] > bins.fullest ? bins.place[b] : bins.fullest;
        bins.place[b] += bins.place[b - 1];
    }
}

// Sorts `items` into `sorted`, which lies elsewhere; `items` is used up.
template <class Item>
static void sort_into(Item* items, std::int64_t count, Item* sorted) {
    if (count <= few_items) {
        for (std::int64_t i = 0; i < count; ++i) sorted[i] = items[i];
        insertion_sort(sorted, count);
        return;
    }
    sort_bins bins;
    find_bins(items, count, bins);
    for (std::int64_t i = 0; i < count; ++i)
        sorted[bins.place[bin_of(bins, key_of(items[i]))]++] = items[i];
    if (bins.shift == 0) return;
    // Each place has moved on to its bin's end.
    if (bins.fullest > few_items) {
        std::int64_t start = 0;
        for (std::int64_t b = 0; b < bins.count; ++b) {
            const std::int64_t end = bins.place[b];
            if (end - start > few_items) {
                sort_into(sorted + start, end - start, items + start);
                for (std::int64_t i = start; i < end; ++i) sorted[i] = items[i];
            }
            start = end;
        }
    }
    insertion_sort(sorted, count);
}

}  // namespace mlestar
