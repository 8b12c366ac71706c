#include "support/loader.hpp"

#include "support/levels.hpp"
#include "support/loader.kernels.hpp"

namespace mlestar {

MLESTAR_SELECT_KERNELS(loader_kernels)

namespace {

bool aligned(const std::byte* data, std::size_t size) {
    return reinterpret_cast<std::uintptr_t>(data) % size == 0;
}

template <class T>
bool in_place(const vector_view& view, dtype wanted) {
    return view.type == wanted && view.contiguous() && aligned(view.data, sizeof(T));
}

}  // namespace

const double* load_f64(const vector_view& view, std::int64_t first, std::int64_t count,
                       double* buffer) {
    const std::byte* source = view.data + first * view.stride;
    if (in_place<double>(view, dtype::f64)) return reinterpret_cast<const double*>(source);
    kernels().to_f64[static_cast<int>(view.type)](source, view.stride, count, buffer);
    return buffer;
}

const float* load_f32(const vector_view& view, std::int64_t first, std::int64_t count,
                      float* buffer) {
    const std::byte* source = view.data + first * view.stride;
    if (in_place<float>(view, dtype::f32)) return reinterpret_cast<const float*>(source);
    kernels().to_f32[static_cast<int>(view.type)](source, view.stride, count, buffer);
    return buffer;
}

const std::int64_t* load_i64(const vector_view& view, std::int64_t first, std::int64_t count,
                             std::int64_t* buffer, bool& exact) {
    const std::byte* source = view.data + first * view.stride;
    if (in_place<std::int64_t>(view, dtype::i64))
        return reinterpret_cast<const std::int64_t*>(source);
    if (!kernels().to_i64[static_cast<int>(view.type)](source, view.stride, count, buffer))
        exact = false;
    return buffer;
}

const double* load_rows_f64(const matrix_view& view, std::int64_t first, std::int64_t count,
                            double* buffer) {
    const std::byte* source = view.data + first * view.row_stride;
    const auto item = static_cast<std::int64_t>(size_of(view.type));
    const bool row_contiguous = view.column_stride == item || view.columns == 1;
    const auto decode = kernels().to_f64[static_cast<int>(view.type)];
    if (row_contiguous && (view.row_stride == item * view.columns || view.rows == 1)) {
        if (view.type == dtype::f64 && aligned(view.data, sizeof(double)))
            return reinterpret_cast<const double*>(source);
        decode(source, item, count * view.columns, buffer);
    } else if (view.columns <= count) {
        // A column at a time (Fortran order): read along the rows, write across the buffer in L1.
        double column[block_size];
        for (std::int64_t j = 0; j < view.columns; ++j) {
            for (std::int64_t done = 0; done < count; done += block_size) {
                const std::int64_t part = count - done < block_size ? count - done : block_size;
                decode(source + j * view.column_stride + done * view.row_stride, view.row_stride,
                       part, column);
                for (std::int64_t i = 0; i < part; ++i)
                    buffer[(done + i) * view.columns + j] = column[i];
            }
        }
    } else {
        for (std::int64_t i = 0; i < count; ++i)
            decode(source + i * view.row_stride, view.column_stride, view.columns,
                   buffer + i * view.columns);
    }
    return buffer;
}

}  // namespace mlestar
