#include "metrics/regression.hpp"

#include "metrics/regression.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(regression_kernels)

namespace {

// Adds the block's moments to those before it (Chan, Golub and LeVeque 1979).
void merge(moments& whole, const moments& block) {
    const double weight = whole.weight + block.weight;
    whole.residual += block.residual;
    if (weight != 0.0) {
        const double delta = block.mean - whole.mean;
        whole.square += block.square + delta * delta * (whole.weight * block.weight / weight);
        whole.mean += delta * (block.weight / weight);
    }
    whole.weight = weight;
}

// function(moments of one output so far, its number, y, p, w, count) for each block and output.
template <class Function>
std::vector<moments> reduce(const matrix_view& y_true, const matrix_view& y_pred,
                            const vector_view& weight, Function function) {
    const auto outputs = static_cast<std::size_t>(y_true.columns);
    const auto partials =
        map_blocks(y_true.rows, std::vector<moments>(outputs),
                   [&](std::vector<moments>& part, std::int64_t at, std::int64_t count) {
                       block_buffers buffers;
                       const double* w = load_weight(weight, at, count, buffers.w);
                       for (std::size_t j = 0; j < outputs; ++j) {
                           const auto column = static_cast<std::int64_t>(j);
                           const double* y = load_f64(y_true.column(column), at, count, buffers.x);
                           const double* p = load_f64(y_pred.column(column), at, count, buffers.y);
                           function(part[j], j, y, p, w, count);
                       }
                   });
    std::vector<moments> whole(outputs);
    for (const auto& part : partials)
        for (std::size_t j = 0; j < outputs; ++j) merge(whole[j], part[j]);
    return whole;
}

}  // namespace

std::optional<std::vector<double>> mean_error(error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred,
                                              const vector_view& weight) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    const auto error = kind == error_kind::squared ? kernels().squared : kernels().absolute;
    const auto whole = reduce(y_true, y_pred, weight,
                              [&](moments& part, std::size_t, const double* y, const double* p,
                                  const double* w, std::int64_t count) {
                                  part.residual += error(y, p, w, count);
                                  part.weight +=
                                      w ? kernels().total(w, count) : static_cast<double>(count);
                              });
    return mean_error_of(whole);
}

std::optional<explained_sums> explained(const matrix_view& y_true, const matrix_view& y_pred,
                                        const vector_view& weight) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    std::vector<double> origins;
    for (std::int64_t j = 0; j < y_true.columns; ++j) {
        double buffer[block_size];
        const std::int64_t count = std::min(y_true.rows, block_size);
        origins.push_back(kernels().origin(load_f64(y_true.column(j), 0, count, buffer), count));
    }
    const auto whole = reduce(y_true, y_pred, weight,
                              [&](moments& part, std::size_t output, const double* y,
                                  const double* p, const double* w, std::int64_t count) {
                                  const double origin = origins[output];
                                  merge(part, kernels().explained(y, p, w, count, origin));
                              });
    return explained_of(whole);
}

}  // namespace mlestar::metrics
