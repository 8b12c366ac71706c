// Counts over rows of label indicators, decoded to doubles of 0 and 1.
#pragma once

#include <cstdint>

#include "metrics/indicators.kernels.hpp"

namespace mlestar::metrics {

struct multilabel_kernels {
    // Adds each row's (weight of a) hit, predicted and true label to the sums of its column, and of
    // rows without a wrong label to `exact`. False when a value is neither 0 nor 1.
    bool (*by_label)(const double* truth, const double* predicted, const double* weight,
                     std::int64_t count, std::int64_t labels, double* hit, double* predicted_sum,
                     double* truth_sum, double* exact);
    bool (*by_sample)(const double* truth, const double* predicted, std::int64_t count,
                      std::int64_t labels, double* hit, double* predicted_sum, double* truth_sum);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

bool by_label(const double* truth, const double* predicted, const double* weight,
              std::int64_t count, std::int64_t labels, double* hit, double* predicted_sum,
              double* truth_sum, double* exact) {
    if (!all_indicators(truth, count * labels) || !all_indicators(predicted, count * labels))
        return false;
    for (std::int64_t i = 0; i < count; ++i) {
        const double* const t = truth + i * labels;
        const double* const p = predicted + i * labels;
        const double w = weight ? weight[i] : 1.0;
        std::int64_t wrong = 0;
        for (std::int64_t k = 0; k < labels; ++k) {
            hit[k] += w * (t[k] * p[k]);
            predicted_sum[k] += w * p[k];
            truth_sum[k] += w * t[k];
            wrong |= t[k] == p[k] ? 0 : 1;
        }
        *exact += wrong ? 0.0 : w;
    }
    return true;
}

bool by_sample(const double* truth, const double* predicted, std::int64_t count,
               std::int64_t labels, double* hit, double* predicted_sum, double* truth_sum) {
    if (!all_indicators(truth, count * labels) || !all_indicators(predicted, count * labels))
        return false;
    for (std::int64_t i = 0; i < count; ++i) {
        const double* const t = truth + i * labels;
        const double* const p = predicted + i * labels;
        double both = 0.0, said = 0.0, are = 0.0;
        for (std::int64_t k = 0; k < labels; ++k) {  // whole numbers: any order gives the same
            both += t[k] * p[k];
            said += p[k];
            are += t[k];
        }
        hit[i] = both;
        predicted_sum[i] = said;
        truth_sum[i] = are;
    }
    return true;
}

}  // namespace

extern const multilabel_kernels multilabel_kernels_table;
const multilabel_kernels multilabel_kernels_table = {by_label, by_sample};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
