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

// Uniform on [0, max], both ends included, by masked rejection: RandomState's `random_interval`.
inline std::uint64_t random_interval(bit_generator& generator, std::uint64_t max) {
    if (max == 0) return 0;
    const std::uint64_t mask = ~std::uint64_t{0} >> __builtin_clzll(max);
    std::uint64_t value;
    if (max <= 0xFFFFFFFF) {
        while ((value = generator.next_uint32(generator.state) & mask) > max) {
        }
    } else {
        while ((value = generator.next_uint64(generator.state) & mask) > max) {
        }
    }
    return value;
}

// RandomState.shuffle of a one-dimensional array (Fisher-Yates from the end). The draws do not
// depend on the values, so they run ahead of the swaps and fetch what those will touch: each swap
// alone would wait for memory.
template <class T>
void shuffle(bit_generator& generator, T* values, std::int64_t size) {
    constexpr std::int64_t ahead = 64;
    std::uint64_t drawn[ahead];
    for (std::int64_t last = size - 1; last > 0; last -= ahead) {
        const std::int64_t count = last < ahead ? last : ahead;
        for (std::int64_t k = 0; k < count; ++k) {
            drawn[k] = random_interval(generator, static_cast<std::uint64_t>(last - k));
            __builtin_prefetch(values + drawn[k], 1);
        }
        for (std::int64_t k = 0; k < count; ++k) {
            const T kept = values[last - k];
            values[last - k] = values[drawn[k]];
            values[drawn[k]] = kept;
        }
    }
}

}  // namespace mlestar
