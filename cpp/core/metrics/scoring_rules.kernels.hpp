// Loss per row into a small buffer, then the fixed sum: the loss loop has no order and vectorizes.
#pragma once

#include <cstdint>

#include "metrics/indicators.kernels.hpp"
#include "support/lanes.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {

struct scoring_partial {
    double loss = 0.0;
    double weight = 0.0;
    bool valid = true;       // probabilities all, and of the labels named
    bool normalized = true;  // every row sums to one
};

struct scoring_rules_kernels {
    // `positive` and `negative` are the only labels allowed; p is the probability of `positive`.
    void (*binary_log_loss)(const std::int64_t* y, const double* p, const double* weight,
                            std::int64_t count, std::int64_t positive, std::int64_t negative,
                            double eps, scoring_partial* partial);
    void (*binary_brier)(const std::int64_t* y, const double* p, const double* weight,
                         std::int64_t count, std::int64_t positive, std::int64_t negative,
                         scoring_partial* partial);
    // Row-major rows of `columns` probabilities; `tolerance` on each row's sum.
    void (*log_loss)(const std::int32_t* code, const double* rows, const double* weight,
                     std::int64_t count, std::int64_t columns, double eps, double tolerance,
                     scoring_partial* partial);
    void (*brier)(const std::int32_t* code, const double* rows, const double* weight,
                  std::int64_t count, std::int64_t columns, double tolerance,
                  scoring_partial* partial);
    // Rows of indicators, 0 and 1, in place of codes.
    void (*indicator_log_loss)(const double* truth, const double* rows, const double* weight,
                               std::int64_t count, std::int64_t columns, double eps,
                               double tolerance, scoring_partial* partial);
    void (*indicator_brier)(const double* truth, const double* rows, const double* weight,
                            std::int64_t count, std::int64_t columns, double eps, double tolerance,
                            scoring_partial* partial);
    // Decision values: of `positive`, or one column a label.
    void (*binary_hinge)(const std::int64_t* y, const double* decision, const double* weight,
                         std::int64_t count, std::int64_t positive, std::int64_t negative,
                         scoring_partial* partial);
    void (*hinge)(const std::int32_t* code, const double* rows, const double* weight,
                  std::int64_t count, std::int64_t columns, scoring_partial* partial);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t longest = 1024;  // a block's rows

void add(const double* loss, const double* weight, std::int64_t count, scoring_partial* partial) {
    if (weight == nullptr) {
        partial->loss += lane_sum(count, [=](std::int64_t i) { return loss[i]; });
        partial->weight += static_cast<double>(count);
    } else {
        partial->loss += lane_sum(count, [=](std::int64_t i) { return loss[i] * weight[i]; });
        partial->weight += lane_sum(count, [=](std::int64_t i) { return weight[i]; });
    }
}

double clip(double p, double eps) {
    const double low = p < eps ? eps : p;
    return low > 1.0 - eps ? 1.0 - eps : low;
}

// As integers, the doubles of [0, 1] are [0, bits of 1]: one subtraction finds the rest by its
// sign, NaN and (harmlessly) -0.0 among them.
bool all_probabilities(const double* p, std::int64_t count) {
    constexpr std::int64_t one = 0x3FF0000000000000;
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto bits = __builtin_bit_cast(std::int64_t, p[i]);
        wrong |= bits | (one - (bits & INT64_MAX));
    }
    return wrong >= 0;
}

bool all_among(const std::int64_t* y, std::int64_t count, std::int64_t a, std::int64_t b) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t is_a = y[i] == a ? -1 : 0;
        const std::int64_t is_b = y[i] == b ? -1 : 0;
        wrong |= ~(is_a | is_b);
    }
    return wrong == 0;
}

void binary_log_loss(const std::int64_t* y, const double* p, const double* weight,
                     std::int64_t count, std::int64_t positive, std::int64_t negative, double eps,
                     scoring_partial* partial) {
    double loss[longest];
    if (!all_probabilities(p, count) || !all_among(y, count, positive, negative))
        partial->valid = false;
    for (std::int64_t i = 0; i < count; ++i) {
        const double q = y[i] == positive ? p[i] : 1.0 - p[i];
        loss[i] = -math::log_normal(clip(q, eps));
    }
    add(loss, weight, count, partial);
}

void binary_brier(const std::int64_t* y, const double* p, const double* weight, std::int64_t count,
                  std::int64_t positive, std::int64_t negative, scoring_partial* partial) {
    double loss[longest];
    if (!all_probabilities(p, count) || !all_among(y, count, positive, negative))
        partial->valid = false;
    for (std::int64_t i = 0; i < count; ++i) {
        const double d = p[i] - (y[i] == positive ? 1.0 : 0.0);
        loss[i] = d * d;
    }
    add(loss, weight, count, partial);
}

void check_sums(const double* rows, std::int64_t count, std::int64_t columns, double tolerance,
                scoring_partial* partial) {
    if (!all_probabilities(rows, count * columns)) partial->valid = false;
    bool wrong = false;
    // The rows that come next are called from memory while these are summed and their logarithms
    // taken; without that, memory rests meanwhile.
    const auto next = reinterpret_cast<std::uintptr_t>(rows + count * columns);
    for (std::int64_t i = 0; i < count; ++i) {
        const double* row = rows + i * columns;
        for (std::int64_t k = 0; k < columns; k += 8)
            __builtin_prefetch(reinterpret_cast<const void*>(
                next + static_cast<std::uintptr_t>(i * columns + k) * sizeof(double)));
        // Four sums at a time: the check has room for a rounding of its own.
        double lane[4] = {};
        std::int64_t k = 0;
        for (; k + 4 <= columns; k += 4)
            for (int l = 0; l < 4; ++l) lane[l] += row[k + l];
        double sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);
        for (; k < columns; ++k) sum += row[k];
        const double gap = sum - 1.0;
        wrong |= (gap > tolerance) | (gap < -tolerance);
    }
    if (wrong) partial->normalized = false;
}

void log_loss(const std::int32_t* code, const double* rows, const double* weight,
              std::int64_t count, std::int64_t columns, double eps, double tolerance,
              scoring_partial* partial) {
    double loss[longest];
    check_sums(rows, count, columns, tolerance, partial);
    for (std::int64_t i = 0; i < count; ++i) loss[i] = clip(rows[i * columns + code[i]], eps);
    for (std::int64_t i = 0; i < count; ++i) loss[i] = -math::log_normal(loss[i]);
    add(loss, weight, count, partial);
}

void brier(const std::int32_t* code, const double* rows, const double* weight, std::int64_t count,
           std::int64_t columns, double tolerance, scoring_partial* partial) {
    double loss[longest];
    check_sums(rows, count, columns, tolerance, partial);
    for (std::int64_t i = 0; i < count; ++i) {
        const double* row = rows + i * columns;
        double sum = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) {
            const double d = row[k] - (k == code[i] ? 1.0 : 0.0);
            sum += d * d;
        }
        loss[i] = sum;
    }
    add(loss, weight, count, partial);
}

void indicator_log_loss(const double* truth, const double* rows, const double* weight,
                        std::int64_t count, std::int64_t columns, double eps, double tolerance,
                        scoring_partial* partial) {
    double loss[longest];
    check_sums(rows, count, columns, tolerance, partial);
    if (!all_indicators(truth, count * columns)) partial->valid = false;
    for (std::int64_t i = 0; i < count; ++i, truth += columns, rows += columns)
        loss[i] = -lane_sum(columns, [=](std::int64_t k) {
            return truth[k] * math::log_normal(clip(rows[k], eps));
        });
    add(loss, weight, count, partial);
}

void indicator_brier(const double* truth, const double* rows, const double* weight,
                     std::int64_t count, std::int64_t columns, double, double tolerance,
                     scoring_partial* partial) {
    double loss[longest];
    check_sums(rows, count, columns, tolerance, partial);
    if (!all_indicators(truth, count * columns)) partial->valid = false;
    for (std::int64_t i = 0; i < count; ++i, truth += columns, rows += columns)
        loss[i] = lane_sum(
            columns, [=](std::int64_t k) { return (rows[k] - truth[k]) * (rows[k] - truth[k]); });
    add(loss, weight, count, partial);
}

// max(0, 1 - margin), but NaN where the margin is not finite.
double hinge_of(double margin) {
    const double loss = 1.0 - margin;
    return (loss > 0.0 ? loss : 0.0) + loss * 0.0;
}

void binary_hinge(const std::int64_t* y, const double* decision, const double* weight,
                  std::int64_t count, std::int64_t positive, std::int64_t negative,
                  scoring_partial* partial) {
    double loss[longest];
    if (!all_among(y, count, positive, negative)) partial->valid = false;
    for (std::int64_t i = 0; i < count; ++i)
        loss[i] = hinge_of(y[i] == positive ? decision[i] : -decision[i]);
    add(loss, weight, count, partial);
}

// The margin: the true label's value over the greatest of the others (Crammer and Singer 2001).
void hinge(const std::int32_t* code, const double* rows, const double* weight, std::int64_t count,
           std::int64_t columns, scoring_partial* partial) {
    double loss[longest];
    for (std::int64_t i = 0; i < count; ++i) {
        const double* row = rows + i * columns;
        double greatest = -__builtin_inf();
        double all = 0.0;
        for (std::int64_t k = 0; k < columns; ++k) {
            const double value = k == code[i] ? -__builtin_inf() : row[k];
            greatest = value > greatest ? value : greatest;
            all += row[k] * 0.0;
        }
        loss[i] = hinge_of(row[code[i]] - greatest) + all;
    }
    add(loss, weight, count, partial);
}

}  // namespace

extern const scoring_rules_kernels scoring_rules_kernels_table;
const scoring_rules_kernels scoring_rules_kernels_table = {
    binary_log_loss,    binary_brier,    log_loss,     brier,
    indicator_log_loss, indicator_brier, binary_hinge, hinge};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
