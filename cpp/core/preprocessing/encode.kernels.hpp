// Loops over a block of one column: values to codes, codes to what is written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar::preprocessing {

// Open addressing: a free slot has the code of what is unknown.
struct category_slot {
    std::uint64_t key;
    std::int32_t code;
    std::int32_t used;
};

// Strings of fixed width, and their hashes' slots.
struct string_slots {
    const category_slot* slots;
    std::uint64_t mask;
    const char32_t* values;       // `width` characters for each code, zero padded
    const std::int64_t* lengths;  // for each code
    std::int64_t width;
};

struct encode_kernels {
    // table[x - low] where that is below span, else table[span].
    void (*direct)(const std::int64_t* x, std::int64_t count, std::int64_t low, std::uint64_t span,
                   const std::int32_t* table, std::int32_t* codes);
    // The same of doubles: table[span] for what is no integer, table[span + 1] for NaN. True where
    // there is infinity.
    bool (*direct_real)(const double* x, std::int64_t count, std::int64_t low, std::int64_t span,
                        const std::int32_t* table, std::int32_t* codes);
    // Bits by which equal doubles are equal, NaN too. True where there is infinity.
    bool (*keys)(const double* x, std::int64_t count, std::uint64_t* keys);
    void (*hashed)(const std::uint64_t* keys, std::int64_t count, const category_slot* slots,
                   std::uint64_t mask, std::int32_t* codes);
    void (*hash_strings)(const std::byte* x, std::int64_t stride, std::int64_t characters,
                         std::int64_t count, std::uint64_t* hashes);
    void (*strings)(const std::byte* x, std::int64_t stride, std::int64_t characters,
                    std::int64_t count, const std::uint64_t* hashes, const string_slots& table,
                    std::int32_t* codes);
    bool (*holds)(const std::int32_t* codes, std::int64_t count, std::int32_t code);
    // By the size of an element, 1, 2, 4 or 8 (index 0 to 3): result[i * step] = values[codes[i]].
    void (*place[4])(const std::int32_t* codes, std::int64_t count, const std::byte* values,
                     std::byte* result, std::int64_t step);
    // result[i * width + places[codes[i]]] = *one, where that place is not negative.
    void (*mark[4])(const std::int32_t* codes, std::int64_t count, const std::int32_t* places,
                    const std::byte* one, std::byte* result, std::int64_t width);
    void (*fill[4])(const std::byte* value, std::int64_t count, std::byte* result);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

void direct(const std::int64_t* x, std::int64_t count, std::int64_t low, std::uint64_t span,
            const std::int32_t* table, std::int32_t* codes) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint64_t place =
            static_cast<std::uint64_t>(x[i]) - static_cast<std::uint64_t>(low);
        codes[i] = table[place < span ? place : span];
    }
}

inline std::uint64_t without_sign(double x) {
    return __builtin_bit_cast(std::uint64_t, x) << 1 >> 1;
}

constexpr std::uint64_t infinite = 0x7FF0000000000000;

// Whether x is low + place is asked of these sums, which are exact, and not of x - low.
bool direct_real(const double* x, std::int64_t count, std::int64_t low, std::int64_t span,
                 const std::int32_t* table, std::int32_t* codes) {
    const auto first = static_cast<double>(low);
    const auto end = static_cast<double>(span);
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const double value = x[i];
        found |= (without_sign(value) ^ infinite) - 1;
        const double from_low = value - first;
        const bool inside = from_low >= 0.0 && from_low < end;
        const auto whole = static_cast<std::int32_t>(inside ? from_low : 0.0);
        const bool same = inside && first + static_cast<double>(whole) == value;
        std::int64_t place = same ? whole : span;
        place = value == value ? place : span + 1;
        codes[i] = table[place];
    }
    return found >> 63 != 0;
}

bool keys(const double* x, std::int64_t count, std::uint64_t* result) {
    constexpr std::uint64_t nan = 0x7FF8000000000000;
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        found |= (without_sign(x[i]) ^ infinite) - 1;
        const auto bits = __builtin_bit_cast(std::uint64_t, x[i] + 0.0);  // zeros of either sign
        result[i] = x[i] == x[i] ? bits : nan;
    }
    return found >> 63 != 0;
}

inline std::uint64_t mixed(std::uint64_t key) {
    const std::uint64_t x = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
    return x ^ (x >> 32);
}

void hashed(const std::uint64_t* x, std::int64_t count, const category_slot* slots,
            std::uint64_t mask, std::int32_t* codes) {
    for (std::int64_t i = 0; i < count; ++i) {
        std::uint64_t at = mixed(x[i]) & mask;
        while (slots[at].used != 0 && slots[at].key != x[i]) at = (at + 1) & mask;
        codes[i] = slots[at].code;
    }
}

inline std::uint64_t two_characters(const std::byte* x) {
    std::uint64_t value;
    __builtin_memcpy(&value, x, sizeof value);
    return value;
}

// A sum over pairs of characters, each by an odd number of its own: padding adds nothing, so that a
// string has one hash at any width.
void hash_strings(const std::byte* x, std::int64_t stride, std::int64_t characters,
                  std::int64_t count, std::uint64_t* hashes) {
    for (std::int64_t i = 0; i < count; ++i) {
        const std::byte* const text = x + i * stride;
        std::uint64_t sum = 0, factor = 0x9E3779B97F4A7C15;
        std::int64_t c = 0;
        for (; c + 2 <= characters; c += 2) {
            const std::uint64_t pair = two_characters(text + 4 * c);
            sum += (pair ^ (pair >> 29)) * factor;
            factor += 0xC2B2AE3D27D4EB4E;  // even: it stays odd
        }
        if (c < characters) {
            std::uint32_t last;
            __builtin_memcpy(&last, text + 4 * c, sizeof last);
            const std::uint64_t pair = last;
            sum += (pair ^ (pair >> 29)) * factor;
        }
        sum ^= sum >> 32;
        sum *= 0xD6E8FEB86659FD93;
        hashes[i] = sum ^ (sum >> 32);
    }
}

inline bool padding_from(const std::byte* text, std::int64_t from, std::int64_t characters) {
    std::uint32_t any = 0;
    for (std::int64_t c = from; c < characters; ++c) {
        std::uint32_t one;
        __builtin_memcpy(&one, text + 4 * c, sizeof one);
        any |= one;
    }
    return any == 0;
}

inline bool same_characters(const std::byte* a, const std::byte* b, std::int64_t characters) {
    std::uint64_t differ = 0;
    std::int64_t c = 0;
    for (; c + 2 <= characters; c += 2)
        differ |= two_characters(a + 4 * c) ^ two_characters(b + 4 * c);
    if (c < characters) {
        std::uint32_t one, other;
        __builtin_memcpy(&one, a + 4 * c, sizeof one);
        __builtin_memcpy(&other, b + 4 * c, sizeof other);
        differ |= one ^ other;
    }
    return differ == 0;
}

void strings(const std::byte* x, std::int64_t stride, std::int64_t characters, std::int64_t count,
             const std::uint64_t* hashes, const string_slots& table, std::int32_t* codes) {
    const std::int64_t both = characters < table.width ? characters : table.width;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::byte* const text = x + i * stride;
        std::uint64_t at = hashes[i] & table.mask;
        for (; table.slots[at].used != 0; at = (at + 1) & table.mask) {
            if (table.slots[at].key != hashes[i]) continue;
            const std::int32_t code = table.slots[at].code;
            const auto* value =
                reinterpret_cast<const std::byte*>(table.values + code * table.width);
            if (table.lengths[code] <= characters && same_characters(text, value, both) &&
                padding_from(text, both, characters))
                break;
        }
        codes[i] = table.slots[at].code;
    }
}

bool holds(const std::int32_t* codes, std::int64_t count, std::int32_t code) {
    std::int32_t found = 0;
    for (std::int64_t i = 0; i < count; ++i) found |= codes[i] == code ? 1 : 0;
    return found != 0;
}

// Elements are moved as bits: their meaning is the caller's.
template <class T>
void place(const std::int32_t* codes, std::int64_t count, const std::byte* values,
           std::byte* result, std::int64_t step) {
    const auto* const from = reinterpret_cast<const T*>(values);
    auto* const to = reinterpret_cast<T*>(result);
    for (std::int64_t i = 0; i < count; ++i) to[i * step] = from[codes[i]];
}

template <class T>
void mark(const std::int32_t* codes, std::int64_t count, const std::int32_t* places,
          const std::byte* one, std::byte* result, std::int64_t width) {
    const T value = *reinterpret_cast<const T*>(one);
    auto* const to = reinterpret_cast<T*>(result);
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t at = places[codes[i]];
        if (at >= 0) to[i * width + at] = value;
    }
}

template <class T>
void fill(const std::byte* value, std::int64_t count, std::byte* result) {
    const T one = *reinterpret_cast<const T*>(value);
    auto* const to = reinterpret_cast<T*>(result);
    for (std::int64_t i = 0; i < count; ++i) to[i] = one;
}

}  // namespace

extern const encode_kernels encode_kernels_table;
const encode_kernels encode_kernels_table = {
    direct,
    direct_real,
    keys,
    hashed,
    hash_strings,
    strings,
    holds,
    {place<std::uint8_t>, place<std::uint16_t>, place<std::uint32_t>, place<std::uint64_t>},
    {mark<std::uint8_t>, mark<std::uint16_t>, mark<std::uint32_t>, mark<std::uint64_t>},
    {fill<std::uint8_t>, fill<std::uint16_t>, fill<std::uint32_t>, fill<std::uint64_t>}};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
