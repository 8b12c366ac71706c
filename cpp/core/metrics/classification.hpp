// Metrics of hard class predictions. Every function returns nothing for input it leaves to
// scikit-learn: labels that are not integers, weights that are not finite, sizes that differ,
// nothing at all.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/labels.hpp"
#include "support/span.hpp"

namespace mlestar::metrics {

// Fraction (or, not normalized, number or weight) of equal labels.
std::optional<double> accuracy(const vector_view& y_true, const vector_view& y_pred,
                               const vector_view& weight, bool normalize);

struct confusion {
    std::vector<std::int64_t> labels;  // sorted, those of both arrays
    std::vector<double> cells;         // row-major, row: true label; whole numbers where unweighted
};

std::optional<confusion> confusion_matrix(const vector_view& y_true, const vector_view& y_pred,
                                          const vector_view& weight);
// For a caller that knows the range of all labels together: they are read once.
std::optional<confusion> confusion_matrix(const vector_view& y_true, const vector_view& y_pred,
                                          const vector_view& weight, const label_range& range);

enum class average { none, binary, micro, macro, weighted };

struct fscore_options {
    double beta = 1.0;
    average mode = average::none;
    std::int64_t positive = 1;  // the label that mode `binary` looks at
    std::optional<std::vector<std::int64_t>>
        labels;  // those to report, in this order; all by default
    double zero_division = 0.0;
};

struct fscores {
    std::vector<double> precision, recall, fscore;  // one value unless mode is `none`
    std::vector<double> support;                    // true weight of each label reported
    // Some denominator was zero before averaging, so that `zero_division` stands in the result.
    bool precision_undefined = false, recall_undefined = false, fscore_undefined = false;
    std::int64_t unseen = 0;  // labels that are predicted, but never true
    std::int64_t terms = 0;   // values before averaging (scikit-learn words its warning by it)
};

// Also nothing when mode is `binary` and there are more than two labels or `positive` is not among
// two.
std::optional<fscores> precision_recall_fscore(const vector_view& y_true, const vector_view& y_pred,
                                               const vector_view& weight,
                                               const fscore_options& options);

}  // namespace mlestar::metrics
