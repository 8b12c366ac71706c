// Metrics of the order that scores put binary labels in: ROC AUC and average precision.
//
// Functions return nothing for input they leave to scikit-learn: sizes that differ, labels that are
// not integers, more than two labels, one class only, scores or weights that are not finite,
// negative weights.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

// Probability that a positive scores above a negative, ties counting half. The larger label is
// positive. Unweighted: an exact integer count divided once. Extra memory: one key a row (and one
// weight).
std::optional<double> roc_auc(const vector_view& y_true, const vector_view& score,
                              const vector_view& weight);

// Sum over distinct thresholds of (recall step) * precision. `positive` must be one of the labels;
// NaN where no row has it.
std::optional<double> average_precision(const vector_view& y_true, const vector_view& score,
                                        const vector_view& weight, std::int64_t positive);

// Both of unweighted scores, from one sort; the larger label is positive.
struct ranking_scores {
    double roc_auc, average_precision;  // NaN where undefined
};
std::optional<ranking_scores> roc_auc_and_average_precision(const vector_view& y_true,
                                                            const vector_view& score);

enum class ranking_metric { roc_auc, average_precision };

// Of one label against all others; NaN where it is undefined: no positive or, for ROC AUC, no
// negative.
std::optional<double> one_against_rest(ranking_metric metric, const vector_view& y_true,
                                       const vector_view& score, const vector_view& weight,
                                       std::int64_t positive);

// ROC AUC of the class `positive` against every class by itself, all from one sort; NaN against
// itself and against a class without rows. `codes` are in [0, classes). False to decline.
bool pair_areas(const vector_view& codes, const vector_view& score, std::int64_t positive,
                std::int64_t classes, double* areas);

// ROC AUC of many score columns against the same labels, one thread each: no checks, scores finite,
// positive[i] is 0 or 1 and both occur. The scratch grows to 16 bytes a row and is reused.
class roc_auc_scorer {
public:
    explicit roc_auc_scorer(std::vector<std::uint8_t> positive);
    double operator()(const double* score, std::vector<std::uint64_t>& scratch) const;

private:
    std::vector<std::uint8_t> positive_;
    double pairs_ = 0.0;
};

}  // namespace mlestar::metrics
