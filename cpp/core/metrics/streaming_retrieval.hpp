// Means over rows of how well each row's scores order its items, of rows that come in batches.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/retrieval.hpp"
#include "metrics/streaming.hpp"

namespace mlestar::metrics {

// What is known of a row.
enum class row_value : std::uint8_t {
    coverage,
    average_precision,
    ranking_loss,
    gain,             // discounted
    normalized_gain,  // over that of the best order
    top_k             // whether the true class is among the k highest
};

struct row_plan {
    row_value value = row_value::coverage;
    std::int64_t k = 0;                // gains: 0 counts every rank
    double log_base = 2.0;             // gains
    std::vector<std::int64_t> labels;  // top_k: ascending; none: 0, 1, ...
    bool exact = false;
};

class row_means {
public:
    // Throws for a plan that cannot be.
    explicit row_means(row_plan plan);

    // `y_true` has one column for top_k, else as many as `score`.
    row_means batch(const matrix_view& y_true, const matrix_view& score,
                    const vector_view& weight) const;
    void merge(const row_means& other);
    void reset() { *this = row_means(plan_); }

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    const running_sum& weight() const { return weight_; }
    const running_sum& sum() const { return sum_; }

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    row_plan plan_;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    running_sum weight_;
    running_sum sum_;
};

}  // namespace mlestar::metrics
