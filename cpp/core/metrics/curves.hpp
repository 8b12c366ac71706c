// Counts at every distinct threshold: what ROC, precision-recall and detection error curves are of.
//
// Functions return nothing (null) for input they leave to scikit-learn: sizes that differ, labels
// that are not integers or not two, scores or weights that are not finite, negative weights.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "support/span.hpp"

namespace mlestar::metrics {

enum class keep_rule;
enum class curve_kind;

// Rows sorted by score, asked twice: how many points there are, then for the points. Thresholds
// descend. Memory: one key a row (and two weights).
class threshold_counts {
public:
    virtual ~threshold_counts() = default;

    virtual std::int64_t size() const = 0;  // points
    virtual double positives() const = 0;   // in all
    virtual double negatives() const = 0;

    // Writes false positives (or precision) to `first`, true positives (or recall) to `second`, the
    // thresholds as the scores' own type (float where they are float32, else double) to
    // `threshold`. Point k goes to start + step * k. Counts are divided by the two divisors.
    virtual void write(double* first, double* second, void* threshold, std::int64_t start,
                       std::int64_t step, double negatives, double positives, curve_kind kind) = 0;
};

// `positive` is the positive label; by default 1 of {0, 1} or {-1, 1}.
std::unique_ptr<threshold_counts> count_at_thresholds(const vector_view& y_true,
                                                      const vector_view& score,
                                                      const vector_view& weight,
                                                      std::optional<std::int64_t> positive,
                                                      keep_rule rule);

// Area under the points by the trapezoidal rule, positive whichever way x runs; nothing where x
// goes both ways, a value is not finite or there are fewer than two points.
std::optional<double> trapezoid_area(const vector_view& x, const vector_view& y);

}  // namespace mlestar::metrics
