// Decoding loops: one per stored type and wanted type, contiguous and strided in the same function.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar {

struct loader_kernels {
    // Indexed by dtype; stride in bytes.
    void (*to_f64[11])(const std::byte* source, std::int64_t stride, std::int64_t count,
                       double* target);
    void (*to_f32[11])(const std::byte* source, std::int64_t stride, std::int64_t count,
                       float* target);
    bool (*to_i64[11])(const std::byte* source, std::int64_t stride, std::int64_t count,
                       std::int64_t* target);
};

}  // namespace mlestar

#ifdef MLESTAR_LEVEL
namespace mlestar::MLESTAR_LEVEL {
namespace {

template <class T>
T read(const std::byte* source) {
    T value;
    __builtin_memcpy(&value, source, sizeof value);  // NumPy's arrays need not be aligned
    return value;
}

template <class Source, class Target>
void convert(const std::byte* source, std::int64_t stride, std::int64_t count, Target* target) {
    if (stride == static_cast<std::int64_t>(sizeof(Source))) {
        for (std::int64_t i = 0; i < count; ++i)
            target[i] = static_cast<Target>(read<Source>(source + i * sizeof(Source)));
    } else {
        // Four at a time, all read before the first is written: the fewer instructions between one
        // line of memory and the next, the more lines are on their way.
        std::int64_t i = 0;
        for (; i + 4 <= count; i += 4, source += 4 * stride) {
            const auto first = static_cast<Target>(read<Source>(source));
            const auto second = static_cast<Target>(read<Source>(source + stride));
            const auto third = static_cast<Target>(read<Source>(source + 2 * stride));
            const auto fourth = static_cast<Target>(read<Source>(source + 3 * stride));
            target[i] = first;
            target[i + 1] = second;
            target[i + 2] = third;
            target[i + 3] = fourth;
        }
        for (; i < count; ++i, source += stride)
            target[i] = static_cast<Target>(read<Source>(source));
    }
}

template <class Source>
bool integers(const std::byte* source, std::int64_t stride, std::int64_t count,
              std::int64_t* target) {
    convert<Source, std::int64_t>(source, stride, count, target);
    return true;
}

bool integers_u64(const std::byte* source, std::int64_t stride, std::int64_t count,
                  std::int64_t* target) {
    convert<std::uint64_t, std::int64_t>(source, stride, count, target);
    std::int64_t all = 0;
    for (std::int64_t i = 0; i < count; ++i) all |= target[i];
    return all >= 0;
}

// Through the 1.5 * 2^52 trick, which is exact for |x| <= 2^51 and vectorizes; larger values are
// declined (nobody's labels), as is what is not an integer.
template <class Source>
bool integral_values(const std::byte* source, std::int64_t stride, std::int64_t count,
                     std::int64_t* target) {
    constexpr double shift = 6755399441055744.0;
    constexpr double limit = 2251799813685248.0;
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const double x = static_cast<double>(read<Source>(source + i * stride));
        const double shifted = x + shift;
        const bool integral = (shifted - shift) == x && x <= limit && x >= -limit;
        wrong |= integral ? 0 : 1;
        // Unsigned, since what is declined may be any bits at all.
        target[i] = static_cast<std::int64_t>(__builtin_bit_cast(std::uint64_t, shifted) -
                                              __builtin_bit_cast(std::uint64_t, shift));
    }
    return wrong == 0;
}

}  // namespace

extern const loader_kernels loader_kernels_table;
const loader_kernels loader_kernels_table = {
    {convert<double, double>, convert<float, double>, convert<std::int64_t, double>,
     convert<std::int32_t, double>, convert<std::int16_t, double>, convert<std::int8_t, double>,
     convert<std::uint64_t, double>, convert<std::uint32_t, double>, convert<std::uint16_t, double>,
     convert<std::uint8_t, double>, convert<std::uint8_t, double>},
    {convert<double, float>, convert<float, float>, convert<std::int64_t, float>,
     convert<std::int32_t, float>, convert<std::int16_t, float>, convert<std::int8_t, float>,
     convert<std::uint64_t, float>, convert<std::uint32_t, float>, convert<std::uint16_t, float>,
     convert<std::uint8_t, float>, convert<std::uint8_t, float>},
    {integral_values<double>, integral_values<float>, integers<std::int64_t>,
     integers<std::int32_t>, integers<std::int16_t>, integers<std::int8_t>, integers_u64,
     integers<std::uint32_t>, integers<std::uint16_t>, integers<std::uint8_t>,
     integers<std::uint8_t>},
};

}  // namespace mlestar::MLESTAR_LEVEL
#endif
