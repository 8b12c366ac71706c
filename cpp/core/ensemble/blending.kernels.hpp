// Loops over one block of elements.
#pragma once

#include <cstdint>

namespace mlestar::ensemble {

struct blending_kernels {
    // target = sum of weight[j] * source[j], in the order of j; at least one.
    void (*combine)(const double* const* source, const double* weight, std::int64_t sources,
                    std::int64_t count, double* target);
};

}  // namespace mlestar::ensemble

#ifdef MLESTAR_LEVEL
namespace mlestar::ensemble::MLESTAR_LEVEL {
namespace {

typedef double part __attribute__((vector_size(32), aligned(8), may_alias));

constexpr int line = 8;  // elements of a cache line

inline const part& load(const double* source) { return *reinterpret_cast<const part*>(source); }

// What the next block will read, asked for while this one is summed: the hardware's own prefetching
// starts anew with every block of every source.
constexpr std::int64_t ahead = 1024;

// Four sources at a time: the target is written and read again once for the four.
void combine(const double* const* source, const double* weight, std::int64_t sources,
             std::int64_t count, double* __restrict target) {
    const double* first = source[0];
    const double of_first = weight[0];
    const std::int64_t whole = count - count % line;
    std::int64_t j = 1;
    for (std::int64_t i = 0; i < count; ++i) target[i] = of_first * first[i];
    for (; j + 4 <= sources; j += 4) {
        const double *a = source[j], *b = source[j + 1], *c = source[j + 2], *d = source[j + 3];
        const double wa = weight[j], wb = weight[j + 1], wc = weight[j + 2], wd = weight[j + 3];
        std::int64_t i = 0;
        for (; i < whole; i += line) {
            __builtin_prefetch(a + i + ahead, 0, 2);
            __builtin_prefetch(b + i + ahead, 0, 2);
            __builtin_prefetch(c + i + ahead, 0, 2);
            __builtin_prefetch(d + i + ahead, 0, 2);
            for (int half = 0; half < line; half += 4) {
                const std::int64_t at = i + half;
                part& sum = *reinterpret_cast<part*>(target + at);
                sum = (((sum + wa * load(a + at)) + wb * load(b + at)) + wc * load(c + at)) +
                      wd * load(d + at);
            }
        }
        for (; i < count; ++i)
            target[i] = (((target[i] + wa * a[i]) + wb * b[i]) + wc * c[i]) + wd * d[i];
    }
    for (; j < sources; ++j) {
        const double* a = source[j];
        const double wa = weight[j];
        for (std::int64_t i = 0; i < count; ++i) target[i] += wa * a[i];
    }
}

}  // namespace

extern const blending_kernels blending_kernels_table;
const blending_kernels blending_kernels_table = {combine};

}  // namespace mlestar::ensemble::MLESTAR_LEVEL
#endif
