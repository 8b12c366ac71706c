#include "cuda/metrics_regression.hpp"

#include <cmath>
#include <cstdint>

#include "cuda/runtime.hpp"

namespace mlestar::cuda {
namespace {

// The shape of every sum is fixed by the number of rows alone, so that each GPU gives the same
// bits.
constexpr int threads = 256;
constexpr int per_thread = 8;  // independent loads in flight, and one division for so many rows
constexpr std::int64_t tile = threads * per_thread;
#ifdef MLESTAR_MOST_BLOCKS  // few on the fake device, where a block is slow
constexpr std::int64_t most_blocks = MLESTAR_MOST_BLOCKS;
#else
constexpr std::int64_t most_blocks = 1024;
#endif

struct moments {
    double residual;  // sum w (y - p)^2, or w |y - p|
    double weight;    // sum w
    double mean;      // weighted mean of y - origin
    double square;    // sum w (y - mean)^2
};

enum class sum_kind { squared, absolute, explained };

// Element i of a column as a double. Contiguous floats are what training loops hold; the rest goes
// by stride and type.
template <class T>
struct contiguous {
    const T* data;
    __device__ double operator[](std::int64_t i) const { return static_cast<double>(data[i]); }
};

struct strided {
    const std::byte* data;
    std::int64_t stride;
    dtype type;

    template <class T>
    __device__ double as(std::int64_t i) const {
        return static_cast<double>(*reinterpret_cast<const T*>(data + i * stride));
    }
    __device__ double operator[](std::int64_t i) const {
        switch (type) {
            case dtype::f64: return as<double>(i);
            case dtype::f32: return as<float>(i);
            case dtype::i64: return as<std::int64_t>(i);
            case dtype::i32: return as<std::int32_t>(i);
            case dtype::i16: return as<std::int16_t>(i);
            case dtype::i8: return as<std::int8_t>(i);
            case dtype::u64: return as<std::uint64_t>(i);
            case dtype::u32: return as<std::uint32_t>(i);
            case dtype::u16: return as<std::uint16_t>(i);
            case dtype::u8: return as<std::uint8_t>(i);
            case dtype::boolean: return as<std::uint8_t>(i) != 0 ? 1.0 : 0.0;
        }
        return 0.0;
    }
};

// Chan, Golub and LeVeque 1979.
__device__ void merge(moments& whole, const moments& part) {
    const double weight = whole.weight + part.weight;
    whole.residual += part.residual;
    if (weight != 0.0) {
        const double delta = part.mean - whole.mean;
        whole.square += part.square + delta * delta * (whole.weight * part.weight / weight);
        whole.mean += delta * (part.weight / weight);
    }
    whole.weight = weight;
}

// Rows of one tile that a thread holds: a coalesced load for each, then sums in registers.
template <sum_kind Kind, class Values>
__device__ moments tile_moments(const Values& y_true, const Values& y_pred, const strided& weight,
                                double origin, std::int64_t first, std::int64_t rows) {
    double y[per_thread], p[per_thread], w[per_thread];
    for (int k = 0; k < per_thread; ++k) {
        const std::int64_t row = first + k * threads;
        const bool inside = row < rows;
        y[k] = inside ? y_true[row] : 0.0;
        p[k] = inside ? y_pred[row] : 0.0;
        w[k] = !inside ? 0.0 : weight.data != nullptr ? weight[row] : 1.0;
    }
    moments part = {0.0, 0.0, 0.0, 0.0};
    for (int k = 0; k < per_thread; ++k) {
        const double error = y[k] - p[k];
        part.residual += (Kind == sum_kind::absolute ? fabs(error) : error * error) * w[k];
        part.weight += w[k];
    }
    if (Kind == sum_kind::explained && part.weight != 0.0) {
        double sum = 0.0;
        for (int k = 0; k < per_thread; ++k) sum += (y[k] - origin) * w[k];
        part.mean = sum / part.weight;
        for (int k = 0; k < per_thread; ++k) {
            const double distance = (y[k] - origin) - part.mean;
            part.square += distance * distance * w[k];
        }
    }
    return part;
}

// Merges the threads' moments by a tree; the block's are thread 0's.
__device__ moments block_moments(const moments& mine) {
    __shared__ moments part[threads];
    part[threadIdx.x] = mine;
    __syncthreads();
    for (unsigned half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) merge(part[threadIdx.x], part[threadIdx.x + half]);
        __syncthreads();
    }
    return part[0];
}

// About the mean: of the first tile, taken from its first row, so that a constant column's is that
// constant. Means are kept as distances from it, or a large mean would eat the digits of their
// differences.
template <class Values>
__global__ void find_origin(Values y_true, std::int64_t rows, moments* result) {
    const double first = y_true[0];
    moments mine = {0.0, 0.0, 0.0, 0.0};
    for (std::int64_t row = threadIdx.x; row < tile && row < rows; row += threads) {
        mine.residual += y_true[row] - first;
        mine.weight += 1.0;
    }
    const moments whole = block_moments(mine);
    if (threadIdx.x == 0) result->mean = first + whole.residual / whole.weight;
}

template <sum_kind Kind, class Values>
__global__ void reduce_rows(Values y_true, Values y_pred, strided weight, const moments* about,
                            std::int64_t rows, moments* partials) {
    const double origin = Kind == sum_kind::explained ? about->mean : 0.0;
    moments mine = {0.0, 0.0, 0.0, 0.0};
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * tile;
    for (std::int64_t at = blockIdx.x * tile; at < rows; at += step)
        merge(mine, tile_moments<Kind>(y_true, y_pred, weight, origin, at + threadIdx.x, rows));
    const moments whole = block_moments(mine);
    if (threadIdx.x == 0) partials[blockIdx.x] = whole;
}

__global__ void reduce_partials(const moments* partials, std::int64_t count, moments* result) {
    moments mine = {0.0, 0.0, 0.0, 0.0};
    for (std::int64_t i = threadIdx.x; i < count; i += threads) merge(mine, partials[i]);
    const moments whole = block_moments(mine);
    if (threadIdx.x == 0) *result = whole;
}

strided as_strided(const vector_view& view) { return {view.data, view.stride, view.type}; }

template <class T>
contiguous<T> as_contiguous(const vector_view& view) {
    return {reinterpret_cast<const T*>(view.data)};
}

// One output's moments, at `result`; `scratch` holds one for each block and one more.
template <sum_kind Kind, class Values>
void reduce_output(const Values& y, const Values& p, const strided& weight, std::int64_t rows,
                   unsigned blocks, moments* scratch, moments* result, cudaStream_t stream) {
    moments* const origin = scratch + blocks;
    if (Kind == sum_kind::explained) {
        MLESTAR_LAUNCH(find_origin<Values>, 1u, threads, stream, y, rows, origin);
        check(cudaGetLastError(), "finding the mean's neighbourhood");
    }
    MLESTAR_LAUNCH((reduce_rows<Kind, Values>), blocks, threads, stream, y, p, weight, origin, rows,
                   scratch);
    check(cudaGetLastError(), "summing errors");
    MLESTAR_LAUNCH(reduce_partials, 1u, threads, stream, scratch, static_cast<std::int64_t>(blocks),
                   result);
    check(cudaGetLastError(), "adding the blocks' sums");
}

// Moments of each output; the stream has been waited for.
template <sum_kind Kind>
std::vector<moments> reduce(const matrix_view& y_true, const matrix_view& y_pred,
                            const vector_view& weight, int device, stream_handle handle) {
    const device_guard guard(device);
    const auto stream = reinterpret_cast<cudaStream_t>(handle);
    const std::int64_t tiles = (y_true.rows + tile - 1) / tile;
    const auto blocks = static_cast<unsigned>(tiles < most_blocks ? tiles : most_blocks);
    const auto outputs = static_cast<std::size_t>(y_true.columns);
    const device_scratch<moments> scratch(blocks + 1 + outputs, stream);
    moments* const results = scratch.data() + blocks + 1;
    const auto run = [&](const auto& y, const auto& p, std::size_t output) {
        reduce_output<Kind>(y, p, as_strided(weight), y_true.rows, blocks, scratch.data(),
                            results + output, stream);
    };
    for (std::size_t j = 0; j < outputs; ++j) {
        const vector_view y = y_true.column(static_cast<std::int64_t>(j));
        const vector_view p = y_pred.column(static_cast<std::int64_t>(j));
        const bool plain = y.contiguous() && p.contiguous() && y.type == p.type;
        if (plain && y.type == dtype::f64)
            run(as_contiguous<double>(y), as_contiguous<double>(p), j);
        else if (plain && y.type == dtype::f32)
            run(as_contiguous<float>(y), as_contiguous<float>(p), j);
        else
            run(as_strided(y), as_strided(p), j);
    }
    std::vector<moments> whole(outputs);
    check(cudaMemcpyAsync(whole.data(), results, outputs * sizeof(moments), cudaMemcpyDeviceToHost,
                          stream),
          "copying the sums");
    check(cudaStreamSynchronize(stream), "waiting for the sums");
    return whole;
}

}  // namespace

std::optional<std::vector<double>> mean_error(metrics::error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred, const vector_view& weight,
                                              int device, stream_handle stream) {
    if (!metrics::fits(y_true, y_pred, weight)) return std::nullopt;
    return metrics::mean_error_of(
        kind == metrics::error_kind::squared
            ? reduce<sum_kind::squared>(y_true, y_pred, weight, device, stream)
            : reduce<sum_kind::absolute>(y_true, y_pred, weight, device, stream));
}

std::optional<metrics::explained_sums> explained(const matrix_view& y_true,
                                                 const matrix_view& y_pred,
                                                 const vector_view& weight, int device,
                                                 stream_handle stream) {
    if (!metrics::fits(y_true, y_pred, weight)) return std::nullopt;
    return metrics::explained_of(
        reduce<sum_kind::explained>(y_true, y_pred, weight, device, stream));
}

}  // namespace mlestar::cuda
