// How rows are taken together (see scale.kernels.hpp) and how a result is cut into parts: by the
// data alone, so that nothing depends on the threads.
#pragma once

#include <cstdint>
#include <vector>

#include "preprocessing/scale.hpp"
#include "support/loader.hpp"

namespace mlestar::preprocessing {

inline constexpr std::int64_t least_width = 64;
// What a map works on at a time: half of a first cache.
inline constexpr std::int64_t tile_elements = 2 * block_size;

struct long_rows {
    std::int64_t width;  // elements of a long row, a multiple of the columns
    std::int64_t block;  // rows that stay in a core's second cache, a whole number of long rows
    std::int64_t task;   // rows that a thread takes at a time
};
long_rows long_rows_of(std::int64_t columns);

// A part of a result in the order in which it lies in memory: some whole lines (rows, or columns of
// a result by columns), or some elements of one.
struct tile {
    std::int64_t offset;  // of its first element in the result
    std::int64_t count;
    std::int64_t line;
    std::int64_t place;  // in the line, of its first element
};

// The tiles of a result, and what a column's number means for each.
class result_tiles {
public:
    result_tiles(const matrix_view& x, const result_view& result);

    std::int64_t count() const;
    tile operator[](std::int64_t number) const;
    // The tile's elements of x: in place where x is of the wanted type and lies as the result does.
    const double* load(const tile& part, double* buffer) const;
    const float* in_place_f32(const tile& part) const;  // null where they are not
    void store(const tile& part, const void* made) const;

    // A value for each column, laid out so that a tile finds those of its elements from
    // values[place_of(tile)] on, repeating after width_of(tile).
    template <class T>
    std::vector<T> spread(const std::vector<double>& of_columns) const {
        const auto columns = of_columns.size();
        const auto rows = static_cast<std::size_t>(long_rows_of(length_).width);
        const auto room =
            result_.by_columns ? static_cast<std::size_t>(lines_ * least_width) : rows;
        std::vector<T> values(room);
        if (columns == 0) return values;  // a map may look at a parameter that it does not use
        for (std::size_t i = 0; i < room; ++i)
            values[i] = static_cast<T>(
                of_columns[result_.by_columns ? i / static_cast<std::size_t>(least_width)
                                              : i % columns]);
        return values;
    }
    std::int64_t place_of(const tile& part) const;
    std::int64_t width_of(const tile& part) const;

    // body(tile) for all of them; false where it is for any.
    template <class Body>
    bool all(const Body& body) const {
        return run([](const void* context,
                      const tile& part) { return (*static_cast<const Body*>(context))(part); },
                   &body);
    }

private:
    bool run(bool (*body)(const void* context, const tile& part), const void* context) const;

    matrix_view x_;  // as the result lies: transposed where that is by columns
    result_view result_;
    std::int64_t lines_, length_, lines_at_once_, tiles_of_line_;
    bool plain_, streams_;
};

}  // namespace mlestar::preprocessing
