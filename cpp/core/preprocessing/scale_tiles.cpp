#include "preprocessing/scale_tiles.hpp"

#include <algorithm>
#include <cstring>

#include "support/parallel.hpp"
#include "support/stream.hpp"

namespace mlestar::preprocessing {

long_rows long_rows_of(std::int64_t columns) {
    constexpr std::int64_t block_elements = 32768;
    const std::int64_t copies = (least_width + columns - 1) / columns;
    const std::int64_t block = std::max<std::int64_t>(1, block_elements / (copies * columns));
    return {copies * columns, block * copies, 2 * block * copies};
}

result_tiles::result_tiles(const matrix_view& x, const result_view& result)
    : x_(x), result_(result) {
    if (result.by_columns) x_ = {x.data, x.type, x.columns, x.rows, x.column_stride, x.row_stride};
    lines_ = x_.rows;
    length_ = x_.columns;
    // Few columns: whole rows, as many as make long rows. Columns, and long rows: parts of one.
    const bool whole = !result.by_columns && long_rows_of(length_).width <= tile_elements;
    const std::int64_t copies = whole ? long_rows_of(length_).width / length_ : 1;
    lines_at_once_ = whole ? tile_elements / (copies * length_) * copies : 0;
    tiles_of_line_ = (length_ + block_size - 1) / block_size;
    const auto item = static_cast<std::int64_t>(size_of(x.type));
    plain_ = x_.column_stride == item && (x_.row_stride == item * length_ || lines_ == 1) &&
             reinterpret_cast<std::uintptr_t>(x.data) % size_of(x.type) == 0;
    streams_ = lines_ * length_ * static_cast<std::int64_t>(size_of(result.type)) >= stream_above;
}

std::int64_t result_tiles::count() const {
    return lines_at_once_ == 0 ? lines_ * tiles_of_line_
                               : (lines_ + lines_at_once_ - 1) / lines_at_once_;
}

tile result_tiles::operator[](std::int64_t number) const {
    if (lines_at_once_ == 0) {
        const std::int64_t line = number / tiles_of_line_;
        const std::int64_t place = number % tiles_of_line_ * block_size;
        return {line * length_ + place, std::min(block_size, length_ - place), line, place};
    }
    const std::int64_t line = number * lines_at_once_;
    const std::int64_t lines = std::min(lines_at_once_, lines_ - line);
    return {line * length_, lines * length_, line, 0};
}

const double* result_tiles::load(const tile& part, double* buffer) const {
    if (plain_ && x_.type == dtype::f64)
        return reinterpret_cast<const double*>(x_.data) + part.offset;
    if (lines_at_once_ != 0) return load_rows_f64(x_, part.line, part.count / length_, buffer);
    const vector_view line{x_.data + part.line * x_.row_stride, x_.type, length_, x_.column_stride};
    return load_f64(line, part.place, part.count, buffer);
}

const float* result_tiles::in_place_f32(const tile& part) const {
    if (!plain_ || x_.type != dtype::f32) return nullptr;
    return reinterpret_cast<const float*>(x_.data) + part.offset;
}

void result_tiles::store(const tile& part, const void* made) const {
    const auto item = static_cast<std::int64_t>(size_of(result_.type));
    std::byte* const target = result_.data + part.offset * item;
    const auto* const source = static_cast<const std::byte*>(made);
    if (streams_)
        stream(target, source, part.count * item);
    else
        std::memcpy(target, source, static_cast<std::size_t>(part.count * item));
}

std::int64_t result_tiles::place_of(const tile& part) const {
    return result_.by_columns ? part.line * least_width : part.place;
}

std::int64_t result_tiles::width_of(const tile& part) const {
    if (result_.by_columns) return least_width;
    return lines_at_once_ == 0 ? part.count : long_rows_of(length_).width;
}

bool result_tiles::run(bool (*body)(const void* context, const tile& part),
                       const void* context) const {
    const std::int64_t at_once = std::max<std::int64_t>(1, task_size / tile_elements);
    const std::int64_t tiles = count();
    const std::int64_t tasks = (tiles + at_once - 1) / at_once;
    std::vector<std::uint8_t> failed(static_cast<std::size_t>(tasks));
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t last = std::min(tiles, (task + 1) * at_once);
            bool good = true;
            for (std::int64_t number = task * at_once; number < last && good; ++number)
                good = body(context, (*this)[number]);
            failed[static_cast<std::size_t>(task)] = good ? 0 : 1;
            streamed();
        },
        lines_ * length_ < serial_below);
    return std::find(failed.begin(), failed.end(), 1) == failed.end();
}

}  // namespace mlestar::preprocessing
