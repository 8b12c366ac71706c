// The CUDA sources on the fake device: the same answers as the host's core, memory given back.
#include <random>
#include <vector>

#include "check.hpp"
#include "cuda/memory_device.hpp"
#include "cuda/metrics_regression.hpp"
#include "cuda_runtime.h"
#include "memory_contract.hpp"
#include "metrics/regression.hpp"

using namespace mlestar;

namespace {

template <class T>
matrix_view matrix(const std::vector<T>& values, dtype type, std::int64_t rows,
                   std::int64_t columns, bool by_column = false) {
    const auto size = static_cast<std::int64_t>(sizeof(T));
    return {reinterpret_cast<const std::byte*>(values.data()),
            type,
            rows,
            columns,
            by_column ? size : columns * size,
            by_column ? rows * size : size};
}

bool close(double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b); }

template <class T>
void compare(dtype type, std::int64_t rows, std::int64_t columns, bool weighted, bool by_column) {
    std::mt19937_64 random(static_cast<std::uint64_t>(rows * 7 + columns));
    std::normal_distribution<double> normal(1e6, 1.0);  // a mean that would eat the digits
    const auto size = static_cast<std::size_t>(rows * columns);
    std::vector<T> y(size), p(size);
    for (std::size_t i = 0; i < size; ++i) {
        y[i] = static_cast<T>(normal(random));
        p[i] = static_cast<T>(normal(random));
    }
    std::vector<double> w(static_cast<std::size_t>(rows));
    for (double& value : w) value = std::uniform_real_distribution<double>(0.0, 2.0)(random);
    const auto t = matrix(y, type, rows, columns, by_column);
    const auto q = matrix(p, type, rows, columns, by_column);
    vector_view weight;
    if (weighted) weight = {reinterpret_cast<const std::byte*>(w.data()), dtype::f64, rows, 8};
    for (const auto kind : {metrics::error_kind::squared, metrics::error_kind::absolute}) {
        const auto host = metrics::mean_error(kind, t, q, weight);
        const auto device = cuda::mean_error(kind, t, q, weight, 0, 0);
        CHECK(host && device && host->size() == device->size());
        for (std::size_t j = 0; j < host->size(); ++j) CHECK(close((*device)[j], (*host)[j]));
    }
    const auto host = metrics::explained(t, q, weight);
    const auto device = cuda::explained(t, q, weight, 0, 0);
    CHECK(host && device);
    for (std::size_t j = 0; j < host->total.size(); ++j) {
        CHECK(close(device->residual[j], host->residual[j]));
        CHECK(close(device->total[j], host->total[j]));
    }
}

void declines_what_is_not_finite() {
    std::vector<double> y = {1.0, 2.0, NAN}, p = {1.0, 2.0, 3.0};
    const auto t = matrix(y, dtype::f64, 3, 1), q = matrix(p, dtype::f64, 3, 1);
    CHECK(!cuda::mean_error(metrics::error_kind::squared, t, q, {}, 0, 0));
    CHECK(!cuda::explained(t, q, {}, 0, 0));
    CHECK(!cuda::explained(t, matrix(p, dtype::f64, 2, 1), {}, 0, 0));
}

void constant_has_no_square() {
    std::vector<double> y(5000, 0.1);
    const auto t = matrix(y, dtype::f64, 5000, 1);
    const auto sums = cuda::explained(t, t, {}, 0, 0);
    CHECK(sums && sums->total[0] == 0.0 && sums->residual[0] == 0.0);
}

void out_of_memory_is_an_error() {
    std::vector<double> y = {1.0, 2.0};
    const auto t = matrix(y, dtype::f64, 2, 1);
    fake_cuda::fail_after = 0;
    CHECK(check::throws<cuda::device_error>([&] { cuda::explained(t, t, {}, 0, 0); },
                                            "out of memory"));
    fake_cuda::fail_after = -1;
}

// The pools over CUDA's memory join the contract of all memory resources.
template <cuda::memory_kind Kind>
struct cuda_resource {
    static constexpr const char* name = Kind == cuda::memory_kind::device ? "device" : "pinned";
    static constexpr std::size_t alignment = memory::device_pool::alignment;
    static constexpr std::size_t unit = std::size_t{2} << 20;

    explicit cuda_resource(std::size_t limit = 0) : pool(cuda::make_pool(0, Kind, {limit})) {}
    void* allocate(std::size_t bytes) { return pool->allocate(bytes, 0); }
    void free(void* block) { pool->free(block, 0); }
    memory::pool_statistics statistics() const { return pool->statistics(); }
    std::size_t trim() { return pool->trim(); }
    void set_limit(std::size_t limit) { pool->set_limit(limit); }
    void refuse(bool refused) { fake_cuda::fail_after = refused ? 0 : -1; }

    std::shared_ptr<memory::device_pool> pool;
};

// What PyTorch calls by name.
void other_libraries_share_the_pool() {
    const auto pool = cuda::shared_pool(0, cuda::memory_kind::device);
    CHECK(pool == cuda::shared_pool(0, cuda::memory_kind::device));
    CHECK(pool != cuda::shared_pool(0, cuda::memory_kind::pinned));
    void* block = mlestar_device_allocate(5000, 0, nullptr);
    CHECK(block != nullptr && pool->statistics().in_use == 5000);
    mlestar_device_free(block, 5000, 0, nullptr);
    mlestar_device_free(block, 5000, 0, nullptr);  // nobody can be told
    CHECK(pool->statistics().in_use == 0 && pool->statistics().frees == 1);
    fake_cuda::fail_after = 0;
    CHECK(mlestar_device_allocate(100 << 20, 0, nullptr) == nullptr);
    CHECK(mlestar_device_allocate(-1, 0, nullptr) == nullptr);
    fake_cuda::fail_after = -1;
    pool->trim();
}

}  // namespace

int main() {
    // One row, a part of a tile, whole tiles, several blocks.
    for (const std::int64_t rows : {1, 5, 255, 2048, 2049, 9001}) {
        compare<double>(dtype::f64, rows, 1, false, false);
        compare<double>(dtype::f64, rows, 1, true, false);
        compare<float>(dtype::f32, rows, 1, false, false);
        compare<std::int32_t>(dtype::i32, rows, 1, true, false);
    }
    compare<double>(dtype::f64, 3000, 3, true, false);
    compare<float>(dtype::f32, 3000, 2, false, true);
    // More tiles than blocks: three blocks of 2 048 rows here, and some.
    compare<double>(dtype::f64, 5 * 2048 + 97, 1, true, false);
    declines_what_is_not_finite();
    constant_has_no_square();
    out_of_memory_is_an_error();
    contract::run<cuda_resource<cuda::memory_kind::device>>();
    contract::run<cuda_resource<cuda::memory_kind::pinned>>();
    other_libraries_share_the_pool();
    CHECK(fake_cuda::allocations == 0);
    return check::finish("cuda");
}
