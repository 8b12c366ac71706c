#include "metrics/scoring_rules.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "metrics/labels.hpp"
#include "metrics/scoring_rules.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS_AVX512(scoring_rules_kernels)

namespace {

double epsilon_of(dtype type) {
    return type == dtype::f32 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                              : std::numeric_limits<double>::epsilon();
}

std::optional<score> result_of(const std::vector<scoring_partial>& partials, bool normalize) {
    scoring_partial whole;
    for (const scoring_partial& part : partials) {
        whole.loss += part.loss;
        whole.weight += part.weight;
        whole.valid &= part.valid;
        whole.normalized &= part.normalized;
    }
    if (!whole.valid || !std::isfinite(whole.loss) || !std::isfinite(whole.weight) ||
        whole.weight == 0.0)
        return std::nullopt;
    return score{normalize ? whole.loss / whole.weight : whole.loss, whole.normalized};
}

template <class Vector>
bool fits(const vector_view& y_true, const Vector& probability, std::int64_t rows,
          const vector_view& weight) {
    return y_true.size > 0 && y_true.size == rows && (!weight || weight.size == rows) &&
           probability.data != nullptr;
}

// The larger and the smaller of exactly two labels (which the kernel verifies as it goes).
std::optional<label_range> two_labels(const vector_view& y_true, const vector_view& labels) {
    const auto range = labels ? range_of({labels}) : range_of({y_true});
    if (!range || range->minimum == range->maximum || (labels && labels.size != 2))
        return std::nullopt;
    return range;
}

// The labels given, or those of y_true; nothing where y_true holds another one.
std::optional<label_set> all_labels(const vector_view& y_true, const vector_view& labels) {
    if (!labels) return label_set::of({y_true});
    auto both = label_set::of({y_true, labels});
    if (!both || both->size() != labels.size) return std::nullopt;
    return both;
}

// Blocks of rows whose values stay in L1 or L2 whatever the number of columns.
template <class Kernel>
std::optional<score> over_rows(const vector_view& y_true, const matrix_view& probability,
                               const vector_view& weight, const vector_view& given, bool normalize,
                               Kernel kernel) {
    if (!fits(y_true, probability, probability.rows, weight) || probability.columns < 2)
        return std::nullopt;
    const auto labels = all_labels(y_true, given);
    if (!labels || labels->size() != probability.columns) return std::nullopt;
    // numpy.isclose(sum, 1, rtol=sqrt(eps)) with its atol of 1e-8.
    const double tolerance = 1e-8 + std::sqrt(epsilon_of(probability.type));
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, std::min(block_size, 2 * block_size / probability.columns));
    const auto partials = map_blocks(
        y_true.size, scoring_partial{},
        [&](scoring_partial& part, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            scratch_array<double> rows(
                static_cast<std::size_t>(rows_at_once * probability.columns));
            bool exact = true;
            std::int32_t codes[block_size];
            labels->encode(load_i64(y_true, at, count, buffers.a, exact), count, codes);
            const double* w = load_weight(weight, at, count, buffers.w);
            for (std::int64_t done = 0; done < count; done += rows_at_once) {
                const std::int64_t some = std::min(rows_at_once, count - done);
                const double* values = load_rows_f64(probability, at + done, some, rows.data());
                kernel(codes + done, values, w ? w + done : nullptr, some, tolerance, &part);
            }
        });
    return result_of(partials, normalize);
}

}  // namespace

std::optional<score> log_loss(const vector_view& y_true, const vector_view& probability,
                              const vector_view& weight, const vector_view& labels,
                              bool normalize) {
    if (!fits(y_true, probability, probability.size, weight)) return std::nullopt;
    const auto range = two_labels(y_true, labels);
    if (!range) return std::nullopt;
    const double eps = epsilon_of(probability.type);
    return result_of(map_blocks(y_true.size, scoring_partial{},
                                [&](scoring_partial& part, std::int64_t at, std::int64_t count) {
                                    block_buffers buffers;
                                    bool exact = true;
                                    const std::int64_t* y =
                                        load_i64(y_true, at, count, buffers.a, exact);
                                    const double* p = load_f64(probability, at, count, buffers.x);
                                    const double* w = load_weight(weight, at, count, buffers.w);
                                    kernels().binary_log_loss(y, p, w, count, range->maximum,
                                                              range->minimum, eps, &part);
                                }),
                     normalize);
}

std::optional<score> log_loss(const vector_view& y_true, const matrix_view& probability,
                              const vector_view& weight, const vector_view& labels,
                              bool normalize) {
    const double eps = epsilon_of(probability.type);
    return over_rows(y_true, probability, weight, labels, normalize,
                     [&](const std::int32_t* codes, const double* rows, const double* w,
                         std::int64_t count, double tolerance, scoring_partial* part) {
                         kernels().log_loss(codes, rows, w, count, probability.columns, eps,
                                            tolerance, part);
                     });
}

std::optional<score> brier_score(const vector_view& y_true, const vector_view& probability,
                                 const vector_view& weight, std::optional<std::int64_t> positive) {
    if (!fits(y_true, probability, probability.size, weight)) return std::nullopt;
    const auto range = range_of({y_true});
    if (!range) return std::nullopt;
    std::int64_t high = range->maximum;
    std::int64_t low = range->minimum;
    if (positive) {
        if (*positive == low && low != high)
            std::swap(low, high);
        else if (*positive != high)
            return std::nullopt;
    } else if (low == high && high != 1) {
        // One label only: scikit-learn's positive is 1 among {0, 1} and {-1, 1}, else the label
        // itself.
        if (high == 0 || high == -1) high = 1;
    }
    return result_of(map_blocks(y_true.size, scoring_partial{},
                                [&](scoring_partial& part, std::int64_t at, std::int64_t count) {
                                    block_buffers buffers;
                                    bool exact = true;
                                    const std::int64_t* y =
                                        load_i64(y_true, at, count, buffers.a, exact);
                                    const double* p = load_f64(probability, at, count, buffers.x);
                                    const double* w = load_weight(weight, at, count, buffers.w);
                                    kernels().binary_brier(y, p, w, count, high, low, &part);
                                }),
                     true);
}

std::optional<score> brier_score(const vector_view& y_true, const matrix_view& probability,
                                 const vector_view& weight, const vector_view& labels) {
    return over_rows(y_true, probability, weight, labels, true,
                     [&](const std::int32_t* codes, const double* rows, const double* w,
                         std::int64_t count, double tolerance, scoring_partial* part) {
                         kernels().brier(codes, rows, w, count, probability.columns, tolerance,
                                         part);
                     });
}

std::optional<score> indicator_score(rule kind, const matrix_view& y_true,
                                     const matrix_view& probability, const vector_view& weight,
                                     bool normalize) {
    const std::int64_t columns = probability.columns;
    if (y_true.rows == 0 || y_true.rows != probability.rows || y_true.columns != columns ||
        columns < 2 || (weight && weight.size != y_true.rows))
        return std::nullopt;
    const double eps = epsilon_of(probability.type);
    const double tolerance = 1e-8 + std::sqrt(eps);
    const auto kernel =
        kind == rule::log ? kernels().indicator_log_loss : kernels().indicator_brier;
    return result_of(map_blocks(y_true.rows, scoring_partial{},
                                [&](scoring_partial& part, std::int64_t at, std::int64_t count) {
                                    block_buffers buffers;
                                    const double* w = load_weight(weight, at, count, buffers.w);
                                    mlestar::over_rows(
                                        y_true, probability, at, count,
                                        [&](const double* t, const double* p, std::int64_t row,
                                            std::int64_t some) {
                                            kernel(t, p, w ? w + (row - at) : nullptr, some,
                                                   columns, eps, tolerance, &part);
                                            return true;
                                        });
                                }),
                     normalize);
}

std::optional<double> hinge_loss(const vector_view& y_true, const vector_view& decision,
                                 const vector_view& weight) {
    if (!fits(y_true, decision, decision.size, weight)) return std::nullopt;
    const auto range = two_labels(y_true, {});
    if (!range) return std::nullopt;
    const auto found = result_of(
        map_blocks(y_true.size, scoring_partial{},
                   [&](scoring_partial& part, std::int64_t at, std::int64_t count) {
                       block_buffers buffers;
                       bool exact = true;
                       const std::int64_t* y = load_i64(y_true, at, count, buffers.a, exact);
                       const double* d = load_f64(decision, at, count, buffers.x);
                       const double* w = load_weight(weight, at, count, buffers.w);
                       kernels().binary_hinge(y, d, w, count, range->maximum, range->minimum,
                                              &part);
                   }),
        true);
    return found ? std::optional(found->value) : std::nullopt;
}

std::optional<double> hinge_loss(const vector_view& y_true, const matrix_view& decision,
                                 const vector_view& weight, const vector_view& labels) {
    if (decision.columns < 3) return std::nullopt;
    const auto found = over_rows(y_true, decision, weight, labels, true,
                                 [&](const std::int32_t* codes, const double* rows, const double* w,
                                     std::int64_t count, double, scoring_partial* part) {
                                     kernels().hinge(codes, rows, w, count, decision.columns, part);
                                 });
    return found ? std::optional(found->value) : std::nullopt;
}

}  // namespace mlestar::metrics
