// Log loss, Brier score and hinge loss of rows that come in batches.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/streaming.hpp"

namespace mlestar::metrics {

enum class probability_loss : std::uint8_t { log, brier, hinge };

// Losses of predicted probabilities (hinge: of decision values) of the classes declared.
class probability_sums {
public:
    // `labels` ascending and distinct; none: 0, 1, ... for as many as the first batch has columns.
    // `counted`: the weight of each class is kept too.
    probability_sums(probability_loss loss, std::vector<std::int64_t> labels, bool exact,
                     bool counted);

    // One column is the probability of the greater of two labels.
    probability_sums batch(const vector_view& y_true, const matrix_view& probability,
                           const vector_view& weight) const;
    void merge(const probability_sums& other);
    void reset();

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    bool normalized() const { return normalized_; }  // every row summed to one
    const running_sum& weight() const { return weight_; }
    const running_sum& sum() const { return sum_; }
    // Weights of the classes, where counted and rows were seen.
    const std::vector<running_sum>& by_class() const { return by_class_; }

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    void lose(const std::int32_t* code, const double* rows, std::int64_t columns, double eps,
              std::int64_t count, double* loss) const;

    probability_loss loss_;
    bool counted_;
    std::vector<std::int64_t> declared_;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    bool normalized_ = true;
    running_sum weight_;
    running_sum sum_;
    std::vector<running_sum> by_class_;
};

}  // namespace mlestar::metrics
