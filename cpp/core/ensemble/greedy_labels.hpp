// Greedy ensemble selection by metrics of predicted classes: for each candidate the table of true
// and predicted classes, from which accuracy, balanced accuracy, F and Matthews' coefficient
// follow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/loader.hpp"
#include "support/span.hpp"

namespace mlestar::ensemble {

class label_selection {
public:
    // Predictions of each model, one matrix a model: one column, the probability of class 1, or a
    // column a class. `y`: the class's number. Throws argument_error naming the model whose
    // predictions are not usable. They are read block by block whenever they are needed, and must
    // outlive the selection.
    label_selection(std::vector<matrix_view> predictions, const vector_view& y,
                    const vector_view& weight);

    std::int64_t models() const { return models_; }
    std::int64_t classes() const { return classes_; }
    std::int64_t work() const { return models_ * rows_ * columns_; }

    // The weight of the rows of true class a and predicted class b, at [model][a][b], for the
    // ensemble with one more member. The predicted class is the first of the largest mean; of one
    // column, 1 where it is above a half.
    std::vector<double> candidate_tables() const;

    void add(std::int64_t model);

private:
    void read(const vector_view& y, const vector_view& weight);
    void count(std::int64_t model, double* table) const;
    std::int64_t rows_at_once() const { return std::max<std::int64_t>(1, block_size / columns_); }

    std::vector<matrix_view> predictions_;
    std::int64_t models_;
    std::int64_t rows_;
    std::int64_t columns_;
    std::int64_t classes_;
    std::int64_t members_ = 0;
    std::vector<std::int64_t> label_;
    std::vector<double> weight_;
    std::vector<double> mean_;  // of the members, [row][column]
};

}  // namespace mlestar::ensemble
