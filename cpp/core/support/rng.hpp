// NumPy's bit generators through their C interface, and the draws that numpy.random.RandomState
// makes from them: the only way to give the same indices as scikit-learn for the same random_state.
#pragma once

#include <cstdint>
#include <random>

namespace mlestar {

// Layout of NumPy's `bitgen_t` (numpy/random/bitgen.h), a stable public interface.
struct bit_generator {
    void* state;
    std::uint64_t (*next_uint64)(void* state);
    std::uint32_t (*next_uint32)(void* state);
    double (*next_double)(void* state);
    std::uint64_t (*next_raw)(void* state);
};

// What numpy.random.RandomState(seed) draws from, in the same layout. Neither copied nor moved: it
// holds its own address.
class seeded_generator {
public:
    explicit seeded_generator(std::uint32_t seed)
        : engine_(seed), draws_{&engine_, next64, next32, nullptr, nullptr} {}
    seeded_generator(const seeded_generator&) = delete;
    seeded_generator& operator=(const seeded_generator&) = delete;

    bit_generator& draws() { return draws_; }

    static std::uint32_t next32(void* state) {
        return static_cast<std::uint32_t>((*static_cast<std::mt19937*>(state))());
    }
    static std::uint64_t next64(void* state) {
        const std::uint64_t high = next32(state);
        return high << 32 | next32(state);
    }

private:
    std::mt19937 engine_;
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
    void* state;
    std::uint32_t next32() const { return seeded_generator::next32(state); }
    std::uint64_t next64() const { return seeded_generator::next64(state); }
};

// Uniform on [0, max], both ends included, by masked rejection: RandomState's `random_interval`.
template <class Draws>
std::uint64_t random_interval(const Draws& draws, std::uint64_t max) {
    if (max == 0) return 0;
    const std::uint64_t mask = ~std::uint64_t{0} >> __builtin_clzll(max);
    std::uint64_t value;
    if (max <= 0xFFFFFFFF) {
        while ((value = draws.next32() & mask) > max) {
        }
    } else {
        while ((value = draws.next64() & mask) > max) {
        }
    }
    return value;
}

template <class Draws, class T>
void shuffle(const Draws& draws, T* values, std::int64_t size) {
    constexpr std::int64_t ahead = 64;
    std::uint64_t drawn[ahead];
    for (std::int64_t last = size - 1; last > 0; last -= ahead) {
        const std::int64_t count = last < ahead ? last : ahead;
        for (std::int64_t k = 0; k < count; ++k) {
            drawn[k] = random_interval(draws, static_cast<std::uint64_t>(last - k));
            __builtin_prefetch(values + drawn[k], 1);
        }
        for (std::int64_t k = 0; k < count; ++k) {
            const T kept = values[last - k];
            values[last - k] = values[drawn[k]];
            values[drawn[k]] = kept;
        }
    }
}

}  // namespace detail

// RandomState.shuffle of a one-dimensional array (Fisher-Yates from the end). The draws do not
// depend on the values, so they run ahead of the swaps and fetch what those will touch: each swap
// alone would wait for memory.
template <class T>
void shuffle(bit_generator& generator, T* values, std::int64_t size) {
    if (generator.next_uint32 == seeded_generator::next32)
        detail::shuffle(detail::draws_inlined{generator.state}, values, size);
    else
        detail::shuffle(detail::draws_through{generator}, values, size);
}

}  // namespace mlestar
