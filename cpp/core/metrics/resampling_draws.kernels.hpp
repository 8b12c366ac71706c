// Random counts of a resample: integers only, so that every level draws the same.
//
// The counts of n draws with replacement from n rows are multinomial. Independent Poisson counts
// are multinomial too once their sum is given, so a resample is drawn as Poisson counts of a mean
// a little below one, a few compares of 16 random bits each and no memory access out of order, and
// completed to n by single draws (about 4 sqrt(n) of them). A sum above n is drawn again, which
// changes nothing: the counts are multinomial whatever the sum, and the sum is then made n.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar::metrics {

// Eight xoshiro256++ generators side by side (Blackman and Vigna 2021).
struct random_lanes {
    alignas(64) std::uint64_t s[4][8];
};

// A Poisson distribution as 2^16 equally likely cells. Outcome k < 8 owns the whole cells of its
// probability; the few cells left over (outcome 8) stand for what the whole cells leave out, drawn
// anew from 64 bits.
inline constexpr int whole_outcomes = 8;
inline constexpr int most_outcomes = 32;
struct poisson_table {
    std::int16_t last[whole_outcomes];      // last cell of outcomes 0..k, minus 2^15
    std::uint64_t residual[most_outcomes];  // cumulative probability of outcomes 0..k, of 2^64
};

struct resampling_draws_kernels {
    // The generators of one stream: any two streams of a seed are as good as independent.
    void (*seed)(random_lanes* lanes, std::uint64_t seed, std::uint64_t stream);
    // Independent Poisson counts; returns their sum.
    std::int64_t (*poisson)(random_lanes* lanes, const poisson_table* table, std::uint8_t* counts,
                            std::int64_t size);
    // Adds `draws` uniform draws from [0, size).
    void (*add_uniform)(random_lanes* lanes, std::uint8_t* counts, std::int64_t size,
                        std::int64_t draws);
    // Fair coins, and their complements behind them.
    void (*coins)(random_lanes* lanes, std::uint8_t* coins, std::int64_t size);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

__extension__ typedef unsigned __int128 uint128;  // NOLINT: -Wpedantic knows no other spelling

std::uint64_t split_mix(std::uint64_t& state) {
    state += 0x9E3779B97F4A7C15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

void seed_lanes(random_lanes* lanes, std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t state = seed;
    state = split_mix(state) + stream * 0xD1342543DE82EF95;
    state = split_mix(state);
    for (int word = 0; word < 4; ++word)
        for (int l = 0; l < 8; ++l) lanes->s[word][l] = split_mix(state);
}

// `steps` times 64 random bytes.
void fill(random_lanes* lanes, void* bytes, std::int64_t steps) {
    // Eight numbers a vector whatever the level: the compiler cuts it into registers.
    typedef std::uint64_t vector __attribute__((vector_size(64), may_alias));
    auto* const state = reinterpret_cast<vector*>(lanes->s);
    vector s0 = state[0];
    vector s1 = state[1];
    vector s2 = state[2];
    vector s3 = state[3];
    auto* const target = static_cast<vector*>(bytes);
    for (std::int64_t i = 0; i < steps; ++i) {
        const vector sum = s0 + s3;
        target[i] = (sum << 23 | sum >> 41) + s0;
        const vector shifted = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = s3 << 45 | s3 >> 19;
    }
    state[0] = s0;
    state[1] = s1;
    state[2] = s2;
    state[3] = s3;
}

constexpr std::int64_t chunk_rows = 512;
constexpr std::int64_t chunk_steps = chunk_rows * 2 / 64;

// An outcome of what the whole cells leave out.
std::uint8_t draw_residual(random_lanes* lanes, const poisson_table* table) {
    alignas(64) std::uint64_t numbers[8];
    fill(lanes, numbers, 1);
    int outcome = 0;
    while (outcome < most_outcomes - 1 && numbers[0] >= table->residual[outcome]) ++outcome;
    return static_cast<std::uint8_t>(outcome);
}

#ifdef __AVX2__
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

// The outcomes of a chunk of cells (which they take the place of) and their sum; true where one is
// left to draw_residual. Vectors by hand: GCC 12 widens the compares of a plain loop to 32 bits.
bool look_up(std::int16_t* cells, const std::int16_t* last, std::uint8_t* counts,
             std::int64_t* sum) {
    constexpr int lanes = register_bytes / 2;
    typedef std::int16_t vector __attribute__((vector_size(register_bytes), may_alias));
    auto* const rows = reinterpret_cast<vector*>(cells);
    vector bound[whole_outcomes];
    for (int k = 0; k < whole_outcomes; ++k) bound[k] = vector{} + last[k];
    vector left = {};
    vector total = {};
    for (std::int64_t i = 0; i < chunk_rows / lanes; ++i) {
        const vector x = rows[i];
        const vector beyond = x > bound[7];  // minus one where it is
        const vector count =
            -(((x > bound[0]) + (x > bound[1])) + ((x > bound[2]) + (x > bound[3])) +
              ((x > bound[4]) + (x > bound[5])) + ((x > bound[6]) + beyond));
        left |= beyond;
        total += count;
        rows[i] = count;
    }
    for (std::int64_t i = 0; i < chunk_rows; ++i) counts[i] = static_cast<std::uint8_t>(cells[i]);
    std::int32_t any = 0;
    std::int64_t all = 0;
    for (int l = 0; l < lanes; ++l) {
        any |= left[l];
        all += total[l];
    }
    *sum = all;
    return any != 0;
}

std::int64_t poisson(random_lanes* lanes, const poisson_table* table, std::uint8_t* counts,
                     std::int64_t size) {
    alignas(64) std::int16_t cells[chunk_rows];
    alignas(64) std::uint8_t drawn[chunk_rows];
    std::int64_t sum = 0;
    for (std::int64_t done = 0; done < size; done += chunk_rows) {
        const std::int64_t some = size - done < chunk_rows ? size - done : chunk_rows;
        fill(lanes, cells, chunk_steps);
        std::int64_t chunk_sum = 0;
        const bool left = look_up(cells, table->last, drawn, &chunk_sum);
        if (left || some < chunk_rows) {
            chunk_sum = 0;
            for (std::int64_t i = 0; i < some; ++i) {
                if (drawn[i] == whole_outcomes) drawn[i] = draw_residual(lanes, table);
                chunk_sum += drawn[i];
            }
        }
        __builtin_memcpy(counts + done, drawn, static_cast<std::size_t>(some));
        sum += chunk_sum;
    }
    return sum;
}

void add_uniform(random_lanes* lanes, std::uint8_t* counts, std::int64_t size, std::int64_t draws) {
    alignas(64) std::uint64_t numbers[256];
    for (std::int64_t done = 0; done < draws; done += 256) {
        const std::int64_t some = draws - done < 256 ? draws - done : 256;
        fill(lanes, numbers, (some + 7) / 8);
        // The upper half of a product is uniform to one part in 2^64 / size.
        for (std::int64_t i = 0; i < some; ++i)
            ++counts[static_cast<std::uint64_t>(
                static_cast<uint128>(numbers[i]) * static_cast<std::uint64_t>(size) >> 64)];
    }
}

void coins(random_lanes* lanes, std::uint8_t* coins, std::int64_t size) {
    alignas(64) std::uint8_t bytes[2048];
    for (std::int64_t done = 0; done < size; done += 2048) {
        const std::int64_t some = size - done < 2048 ? size - done : 2048;
        fill(lanes, bytes, 32);
        std::uint8_t* const heads = coins + done;
        std::uint8_t* const tails = coins + size + done;
        for (std::int64_t i = 0; i < some; ++i) {
            heads[i] = bytes[i] & 1;
            tails[i] = (bytes[i] & 1) ^ 1;
        }
    }
}

}  // namespace

extern const resampling_draws_kernels resampling_draws_kernels_table;
const resampling_draws_kernels resampling_draws_kernels_table = {seed_lanes, poisson, add_uniform,
                                                                 coins};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
