#include "model_selection/gather.hpp"

#include <algorithm>
#include <cstring>

#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::model_selection {
namespace {

// A copy whose size the compiler knows is a load and a store.
template <std::int64_t Bytes>
void take_fixed(const std::byte* source, std::int64_t row_stride, const std::int64_t* rows,
                std::int64_t count, std::byte* target) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(target + i * Bytes, source + rows[i] * row_stride, Bytes);
}

void take_any(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
              const std::int64_t* rows, std::int64_t count, std::byte* target) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(target + i * row_bytes, source + rows[i] * row_stride,
                    static_cast<std::size_t>(row_bytes));
}

}  // namespace

bool within(const std::int64_t* rows, std::int64_t count, std::int64_t size) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i)
        wrong |= static_cast<std::uint64_t>(rows[i]) >= static_cast<std::uint64_t>(size) ? 1 : 0;
    return wrong == 0;
}

void take_rows(const std::byte* source, std::int64_t row_stride, std::int64_t row_bytes,
               const std::int64_t* rows, std::int64_t count, std::byte* target) {
    const std::int64_t at_once = std::max<std::int64_t>(1, task_size * 8 / (row_bytes + 8));
    const std::int64_t tasks = (count + at_once - 1) / at_once;
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t first = task * at_once;
            const std::int64_t some = std::min(at_once, count - first);
            std::byte* part = target + first * row_bytes;
            switch (row_bytes) {
                case 1: return take_fixed<1>(source, row_stride, rows + first, some, part);
                case 4: return take_fixed<4>(source, row_stride, rows + first, some, part);
                case 8: return take_fixed<8>(source, row_stride, rows + first, some, part);
                default: return take_any(source, row_stride, row_bytes, rows + first, some, part);
            }
        },
        count * (row_bytes + 8) < serial_below * 8);
}

}  // namespace mlestar::model_selection
