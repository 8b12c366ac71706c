// Log loss and Brier score of rows that come in batches.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/streaming.hpp"

namespace mlestar::metrics {

enum class probability_loss : std::uint8_t { log, brier };

// Losses of predicted probabilities of the classes declared.
class probability_sums {
public:
    // `labels` ascending and distinct; none: 0, 1, ... for as many as the first batch has columns.
    probability_sums(probability_loss loss, std::vector<std::int64_t> labels, bool exact);

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

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    probability_loss loss_;
    std::vector<std::int64_t> declared_;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    bool normalized_ = true;
    running_sum weight_;
    running_sum sum_;
};

}  // namespace mlestar::metrics
