#include "metrics/regression.hpp"

#include <algorithm>

#include "metrics/regression.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS_AVX512(regression_kernels)

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
    whole.valid &= block.valid;
}

// function(sums of one output so far, its number, y, p, w, count) for each block and output;
// join(sums, those of the next task).
template <class Sums, class Function, class Join>
std::vector<Sums> reduce(const matrix_view& y_true, const matrix_view& y_pred,
                         const vector_view& weight, Function function, Join join) {
    const auto outputs = static_cast<std::size_t>(y_true.columns);
    const auto partials =
        map_blocks(y_true.rows, std::vector<Sums>(outputs),
                   [&](std::vector<Sums>& part, std::int64_t at, std::int64_t count) {
                       block_buffers buffers;
                       const double* w = load_weight(weight, at, count, buffers.w);
                       for (std::size_t j = 0; j < outputs; ++j) {
                           const auto column = static_cast<std::int64_t>(j);
                           const double* y = load_f64(y_true.column(column), at, count, buffers.x);
                           const double* p = load_f64(y_pred.column(column), at, count, buffers.y);
                           function(part[j], j, y, p, w, count);
                       }
                   });
    std::vector<Sums> whole(outputs);
    for (const auto& part : partials)
        for (std::size_t j = 0; j < outputs; ++j) join(whole[j], part[j]);
    return whole;
}

error_kernel kernel_of(error_kind kind, double parameter) {
    switch (kind) {
        case error_kind::squared: return kernels().squared;
        case error_kind::absolute: return kernels().absolute;
        case error_kind::squared_log: return kernels().squared_log;
        case error_kind::percentage: return kernels().percentage;
        case error_kind::pinball: return kernels().pinball;
        case error_kind::tweedie: break;
    }
    if (parameter == 0.0) return kernels().squared;
    if (parameter == 1.0) return kernels().poisson;
    if (parameter == 2.0) return kernels().gamma;
    return parameter < 0.0 ? kernels().tweedie_below_zero : kernels().tweedie_above_one;
}

// A value near those of each output's first block.
std::vector<double> origins_of(const matrix_view& y, const matrix_view* minus) {
    std::vector<double> origins;
    for (std::int64_t j = 0; j < y.columns; ++j) {
        block_buffers buffers;
        const std::int64_t count = std::min(y.rows, block_size);
        const double* values = load_f64(y.column(j), 0, count, buffers.x);
        if (minus != nullptr) {
            const double* p = load_f64(minus->column(j), 0, count, buffers.y);
            kernels().difference(values, p, count, buffers.w);
            values = buffers.w;
        }
        origins.push_back(kernels().origin(values, count));
    }
    return origins;
}

}  // namespace

std::optional<std::vector<double>> mean_error(error_kind kind, const matrix_view& y_true,
                                              const matrix_view& y_pred, const vector_view& weight,
                                              double parameter) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    const auto error = kernel_of(kind, parameter);
    const auto whole = reduce<moments>(
        y_true, y_pred, weight,
        [&](moments& part, std::size_t, const double* y, const double* p, const double* w,
            std::int64_t count) {
            part.residual += error(y, p, w, count, parameter, &part.valid);
            part.weight += w ? kernels().total(w, count) : static_cast<double>(count);
        },
        merge);
    for (const moments& output : whole)
        if (!output.valid) return std::nullopt;
    return mean_error_of(whole);
}

std::optional<double> tweedie_of_mean(const vector_view& y, const vector_view& weight,
                                      double power) {
    const matrix_view column{y.data, y.type, y.size, 1, y.stride, 0};
    const auto sums = explained(column, column, weight);
    if (!sums) return std::nullopt;
    const double mean = sums->mean.front();
    const bool general = power != 0.0 && power != 1.0 && power != 2.0;
    const auto error = kernel_of(error_kind::tweedie, power);
    const auto partials =
        map_blocks(y.size, moments(), [&](moments& part, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            const double* w = load_weight(weight, at, count, buffers.w);
            const double* values = load_f64(y, at, count, buffers.x);
            part.weight += w ? kernels().total(w, count) : static_cast<double>(count);
            if (general) {
                part.residual += kernels().tweedie_constant(values, mean, w, count, power);
            } else {
                std::fill_n(buffers.y, count, mean);
                part.residual += error(values, buffers.y, w, count, power, &part.valid);
            }
        });
    moments whole;
    for (const moments& part : partials) merge(whole, part);
    const auto means = mean_error_of(std::vector<moments>{whole});
    return whole.valid && means ? std::optional(means->front()) : std::nullopt;
}

std::optional<error_means> mean_errors(const std::vector<error_request>& requests, bool with_r2,
                                       const matrix_view& y_true, const matrix_view& y_pred,
                                       const vector_view& weight) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    const auto outputs = static_cast<std::size_t>(y_true.columns);
    const std::size_t each = requests.size() + 1;  // sums of one output, the last those of R^2
    const auto origins = origins_of(y_true, nullptr);
    const auto partials = map_blocks(
        y_true.rows, std::vector<moments>(outputs * each),
        [&](std::vector<moments>& part, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            const double* w = load_weight(weight, at, count, buffers.w);
            const double all = w ? kernels().total(w, count) : static_cast<double>(count);
            for (std::size_t j = 0; j < outputs; ++j) {
                const auto column = static_cast<std::int64_t>(j);
                const double* y = load_f64(y_true.column(column), at, count, buffers.x);
                const double* p = load_f64(y_pred.column(column), at, count, buffers.y);
                for (std::size_t k = 0; k < requests.size(); ++k) {
                    moments& sum = part[j * each + k];
                    const double parameter = requests[k].parameter;
                    sum.residual += kernel_of(requests[k].kind, parameter)(y, p, w, count,
                                                                           parameter, &sum.valid);
                    sum.weight += all;
                }
                if (with_r2)
                    merge(part[j * each + requests.size()],
                          kernels().explained(y, p, w, count, origins[j]));
            }
        });
    std::vector<moments> whole(outputs * each);
    for (const auto& part : partials)
        for (std::size_t i = 0; i < whole.size(); ++i) merge(whole[i], part[i]);
    error_means result;
    for (std::size_t k = 0; k < each; ++k) {
        std::vector<moments> sums;
        for (std::size_t j = 0; j < outputs; ++j) sums.push_back(whole[j * each + k]);
        if (k < requests.size()) {
            const bool valid =
                std::all_of(sums.begin(), sums.end(), [](const moments& sum) { return sum.valid; });
            auto means = valid ? mean_error_of(sums) : std::nullopt;
            if (!means) return std::nullopt;
            result.means.push_back(std::move(*means));
        } else if (with_r2) {
            const auto sums_of = explained_of(sums);
            if (!sums_of) return std::nullopt;
            result.residual = sums_of->residual;
            result.total = sums_of->total;
        }
    }
    return result;
}

std::optional<double> max_error(const vector_view& y_true, const vector_view& y_pred) {
    if (y_true.size == 0 || y_true.size != y_pred.size) return std::nullopt;
    const auto partials =
        map_blocks(y_true.size, 0.0, [&](double& part, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            const double* y = load_f64(y_true, at, count, buffers.x);
            const double here = kernels().largest(y, load_f64(y_pred, at, count, buffers.y), count);
            part = here <= part ? part : here + 0.0 * part;  // NaN stays
        });
    double whole = 0.0;
    for (const double part : partials) whole = part <= whole ? whole : part + 0.0 * whole;
    if (!std::isfinite(whole)) return std::nullopt;
    return whole;
}

std::optional<explained_sums> explained(const matrix_view& y_true, const matrix_view& y_pred,
                                        const vector_view& weight, bool centred) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    struct both {
        moments of_y;
        moments of_error;  // y - p, about its mean
    };
    const auto origins = origins_of(y_true, nullptr);
    const auto errors = centred ? origins_of(y_true, &y_pred) : origins;
    const auto whole = reduce<both>(
        y_true, y_pred, weight,
        [&](both& part, std::size_t j, const double* y, const double* p, const double* w,
            std::int64_t count) {
            merge(part.of_y, kernels().explained(y, p, w, count, origins[j]));
            if (!centred) return;
            double error[block_size];
            kernels().difference(y, p, count, error);
            merge(part.of_error, kernels().explained(error, error, w, count, errors[j]));
        },
        [](both& sum, const both& part) {
            merge(sum.of_y, part.of_y);
            merge(sum.of_error, part.of_error);
        });
    std::vector<moments> of_y;
    for (const both& output : whole) of_y.push_back(output.of_y);
    auto result = explained_of(of_y);
    if (!result) return std::nullopt;
    for (std::size_t j = 0; j < whole.size(); ++j) {
        result->mean.push_back(origins[j] + of_y[j].mean);
        if (centred) result->residual[j] = whole[j].of_error.square;
    }
    return result;
}

}  // namespace mlestar::metrics
