#include "metrics/retrieval.hpp"

#include <cmath>
#include <vector>

#include "metrics/labels.hpp"
#include "metrics/retrieval.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(retrieval_kernels)

namespace {

struct partial {
    double sum = 0.0, weight = 0.0;
    double minimum = 0.0;
    bool valid = true;
};

// values(first row, count, buffer of values) -> valid; the weighted mean of the values, or the sum.
template <class Values>
std::optional<double> average_rows(std::int64_t rows, std::int64_t columns,
                                   const vector_view& weight, bool normalize, Values values) {
    // Blocks by rows, but no more items at once than a task of a plain vector has.
    const std::int64_t at_once =
        std::max<std::int64_t>(1, std::min(block_size, task_size / columns));
    const std::int64_t blocks = (rows + at_once - 1) / at_once;
    std::vector<partial> partials(static_cast<std::size_t>(blocks));
    parallel_for(
        blocks,
        [&](std::int64_t block) {
            partial& part = partials[static_cast<std::size_t>(block)];
            double value[block_size], buffer[block_size];
            const std::int64_t at = block * at_once;
            const std::int64_t count = std::min(at_once, rows - at);
            part.valid = values(at, count, value);
            const double* w = load_weight(weight, at, count, buffer);
            part.sum = kernels().weighted_sum(value, w, count, &part.weight);
        },
        rows * columns < serial_below / 2);
    partial whole;
    for (const partial& part : partials) {
        whole.sum += part.sum;
        whole.weight += part.weight;
        whole.valid &= part.valid;
    }
    const double result = normalize ? whole.sum / whole.weight : whole.sum;
    if (!whole.valid || !std::isfinite(result) || !std::isfinite(whole.weight)) return std::nullopt;
    return result;
}

bool fits(const matrix_view& truth, const matrix_view& score, const vector_view& weight) {
    return score.rows > 0 && score.columns > 1 && truth.rows == score.rows &&
           truth.columns == score.columns && (!weight || weight.size == score.rows);
}

}  // namespace

bool score_rows_by(retrieval_metric metric, const matrix_view& y_true, const matrix_view& score,
                   std::int64_t at, std::int64_t count, double* value) {
    const std::int64_t items = score.columns;
    const auto kernel = metric == retrieval_metric::coverage            ? kernels().coverage
                        : metric == retrieval_metric::average_precision ? kernels().precision
                                                                        : kernels().misordered;
    return over_rows(y_true, score, at, count,
                     [&](const double* t, const double* s, std::int64_t row, std::int64_t some) {
                         double minimum = 0.0;
                         if (!kernels().indicators(t, some * items) ||
                             !kernels().finite(s, some * items, &minimum))
                             return false;
                         kernel(t, s, some, items, value + (row - at));
                         return true;
                     });
}

bool score_rows_by_gain(const matrix_view& gain, const matrix_view& score,
                        const std::vector<double>& discounts, bool ignore_ties, bool normalized,
                        std::int64_t at, std::int64_t count, double* value) {
    const std::int64_t items = score.columns;
    scratch_array<weighted_key> scratch(2 * static_cast<std::size_t>(items));
    return over_rows(gain, score, at, count,
                     [&](const double* g, const double* s, std::int64_t row, std::int64_t some) {
                         double minimum = 0.0, lowest = 0.0;
                         double* const found = value + (row - at);
                         if (!kernels().finite(s, some * items, &minimum) ||
                             !kernels().finite(g, some * items, &lowest) ||
                             (normalized && lowest < 0.0))
                             return false;
                         if (!kernels().discounted_gain(g, s, some, items, discounts.data(),
                                                        ignore_ties, scratch.data(), found))
                             return false;
                         if (!normalized) return true;
                         double ideal[block_size];
                         kernels().discounted_gain(g, g, some, items, discounts.data(), false,
                                                   scratch.data(), ideal);
                         for (std::int64_t i = 0; i < some; ++i)
                             found[i] = ideal[i] == 0.0 ? 0.0 : found[i] / ideal[i];
                         return true;
                     });
}

bool score_rows_by_place(const std::int32_t* codes, const matrix_view& score, std::int64_t k,
                         std::int64_t at, std::int64_t count, double* value) {
    const std::int64_t items = score.columns;
    const std::int64_t at_once = std::max<std::int64_t>(1, 2 * block_size / items);
    scratch_array<double> rows(static_cast<std::size_t>(std::min(at_once, count) * items));
    for (std::int64_t done = 0; done < count; done += at_once) {
        const std::int64_t some = std::min(at_once, count - done);
        const double* s = load_rows_f64(score, at + done, some, rows.data());
        double minimum = 0.0;
        if (!kernels().finite(s, some * items, &minimum)) return false;
        kernels().among_highest(codes + done, s, some, items, k, value + done);
    }
    return true;
}

std::optional<double> mean_over_rows(retrieval_metric metric, const matrix_view& y_true,
                                     const matrix_view& score, const vector_view& weight) {
    if (!fits(y_true, score, weight)) return std::nullopt;
    return average_rows(score.rows, score.columns, weight, true,
                        [&](std::int64_t at, std::int64_t count, double* value) {
                            return score_rows_by(metric, y_true, score, at, count, value);
                        });
}

std::optional<double> discounted_gain(const matrix_view& gain, const matrix_view& score,
                                      const vector_view& weight, const vector_view& discount,
                                      bool ignore_ties, bool normalized) {
    if (!fits(gain, score, weight) || discount.size != score.columns) return std::nullopt;
    const std::int64_t items = score.columns;
    std::vector<double> discounts(static_cast<std::size_t>(items));
    for (std::int64_t at = 0; at < items; at += block_size) {
        double buffer[block_size];
        const std::int64_t count = std::min(block_size, items - at);
        std::copy_n(load_f64(discount, at, count, buffer), count, discounts.data() + at);
    }
    return average_rows(score.rows, items, weight, true,
                        [&](std::int64_t at, std::int64_t count, double* value) {
                            return score_rows_by_gain(gain, score, discounts, ignore_ties,
                                                      normalized, at, count, value);
                        });
}

std::optional<double> top_k_accuracy(const vector_view& codes, const matrix_view& score,
                                     const vector_view& weight, std::int64_t k, bool normalize) {
    const auto range = range_of({codes});
    if (codes.size != score.rows || !range || range->minimum < 0 ||
        range->maximum >= score.columns || (weight && weight.size != score.rows) || k < 1)
        return std::nullopt;
    return average_rows(score.rows, score.columns, weight, normalize,
                        [&](std::int64_t at, std::int64_t count, double* value) {
                            std::int64_t buffer[block_size];
                            std::int32_t code[block_size];
                            bool exact = true;
                            const std::int64_t* c = load_i64(codes, at, count, buffer, exact);
                            for (std::int64_t i = 0; i < count; ++i)
                                code[i] = static_cast<std::int32_t>(c[i]);
                            return score_rows_by_place(code, score, k, at, count, value);
                        });
}

}  // namespace mlestar::metrics
