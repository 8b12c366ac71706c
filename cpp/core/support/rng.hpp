// NumPy's bit generators through their C interface, and the draws that numpy.random.RandomState
// makes from them: the only way to give the same indices as scikit-learn for the same random_state.
#pragma once

#include <cstdint>

namespace mlestar {

// Layout of NumPy's `bitgen_t` (numpy/random/bitgen.h), a stable public interface.
struct bit_generator {
    void* state;
    std::uint64_t (*next_uint64)(void* state);
    std::uint32_t (*next_uint32)(void* state);
    double (*next_double)(void* state);
    std::uint64_t (*next_raw)(void* state);
};

// What numpy.random.RandomState(seed) draws from, the Mersenne Twister, in the same layout
// (Matsumoto and Nishimura, 1998). Neither copied nor moved: its interface holds its address.
class seeded_generator {
public:
    explicit seeded_generator(std::uint32_t seed) : draws_{this, next64, next32, nullptr, nullptr} {
        for (std::uint32_t k = 0; k < size; ++k) {
            key_[k] = seed;
            seed = 1812433253u * (seed ^ (seed >> 30)) + k + 1;
        }
    }
    seeded_generator(const seeded_generator&) = delete;
    seeded_generator& operator=(const seeded_generator&) = delete;

    bit_generator& draws() { return draws_; }

    std::uint32_t next() {
        if (position_ == size) refill();
        return drawn_[position_++];
    }
    static std::uint32_t next32(void* state) {
        return static_cast<seeded_generator*>(state)->next();
    }
    static std::uint64_t next64(void* state) {
        const std::uint64_t high = next32(state);
        return high << 32 | next32(state);
    }

private:
    static constexpr std::uint32_t size = 624, middle = 397;

    static std::uint32_t mix(std::uint32_t upper, std::uint32_t lower) {
        const std::uint32_t y = (upper & 0x80000000u) | (lower & 0x7FFFFFFFu);
        return (y >> 1) ^ ((0u - (y & 1u)) & 0x9908B0DFu);
    }

    // The next 624 values at once: loops without branches, which the compiler vectorizes.
    void refill() {
        std::uint32_t k = 0;
        for (; k < size - middle; ++k) key_[k] = key_[k + middle] ^ mix(key_[k], key_[k + 1]);
        for (; k < size - 1; ++k) key_[k] = key_[k + middle - size] ^ mix(key_[k], key_[k + 1]);
        key_[size - 1] = key_[middle - 1] ^ mix(key_[size - 1], key_[0]);
        for (k = 0; k < size; ++k) {
            std::uint32_t y = key_[k];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9D2C5680u;
            y ^= (y << 15) & 0xEFC60000u;
            drawn_[k] = y ^ (y >> 18);
        }
        position_ = 0;
    }

    std::uint32_t key_[size];
    std::uint32_t drawn_[size];
    std::uint32_t position_ = size;
    bit_generator draws_;
};

namespace detail {

// The two ways to draw: through the interface, or inlined where the generator is ours.
struct draws_through {
    const bit_generator& generator;
    std::uint32_t next32() const { return generator.next_uint32(generator.state); }
    std::uint64_t next64() const { return generator.next_uint64(generator.state); }
};
struct draws_inlined {
    seeded_generator& generator;
    std::uint32_t next32() const { return generator.next(); }
    std::uint64_t next64() const { return seeded_generator::next64(&generator); }
};

// `count` numbers, the k-th uniform on [0, max - k], both ends included, by masked rejection:
// RandomState's `random_interval`. What is rejected is overwritten by what comes next, so that no
// branch depends on the numbers. max - k is at least 1.
template <class Draws>
void random_intervals(const Draws& draws, std::uint64_t max, std::int64_t count,
                      std::uint64_t* drawn) {
    const auto mask = [](std::uint64_t m) { return ~std::uint64_t{0} >> __builtin_clzll(m); };
    for (std::int64_t k = 0; k < count;) {
        const std::uint64_t most = max - static_cast<std::uint64_t>(k);
        const std::uint64_t bits = max <= 0xFFFFFFFF ? draws.next32() : draws.next64();
        drawn[k] = bits & mask(most);
        k += drawn[k] <= most ? 1 : 0;
    }
}

template <class Draws, class T>
void shuffle(const Draws& draws, T* values, std::int64_t size) {
    constexpr std::int64_t ahead = 64;
    std::uint64_t drawn[ahead];
    for (std::int64_t last = size - 1; last > 0;) {
        // Not across the largest number of 32 bits, above which draws have 64.
        constexpr std::int64_t narrow = 0xFFFFFFFF;
        std::int64_t count = last < ahead ? last : ahead;
        if (last > narrow && last - count < narrow) count = last - narrow;
        random_intervals(draws, static_cast<std::uint64_t>(last), count, drawn);
        for (std::int64_t k = 0; k < count; ++k) __builtin_prefetch(values + drawn[k], 1);
        for (std::int64_t k = 0; k < count; ++k) {
            const T kept = values[last - k];
            values[last - k] = values[drawn[k]];
            values[drawn[k]] = kept;
        }
        last -= count;
    }
}

}  // namespace detail

// RandomState.shuffle of a one-dimensional array (Fisher-Yates from the end). The draws do not
// depend on the values, so they run ahead of the swaps and fetch what those will touch: each swap
// alone would wait for memory.
template <class T>
void shuffle(bit_generator& generator, T* values, std::int64_t size) {
    if (generator.next_uint32 == seeded_generator::next32)
        detail::shuffle(detail::draws_inlined{*static_cast<seeded_generator*>(generator.state)},
                        values, size);
    else
        detail::shuffle(detail::draws_through{generator}, values, size);
}

}  // namespace mlestar
