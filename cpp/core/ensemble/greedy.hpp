// Greedy ensemble selection with replacement (Caruana et al., ICML 2004): the error of the ensemble
// with each candidate added, kept up to date as members join. Which candidate joins is the caller's
// rule.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/ranking.hpp"
#include "support/scratch.hpp"
#include "support/span.hpp"

namespace mlestar::ensemble {

enum class greedy_metric { log_loss, rmse, mse, brier, roc_auc, average_precision };

class greedy_selection {
public:
    // Predictions of each model, one matrix a model: one column, except for log loss and Brier's
    // score, where the columns may be the classes. They are read block by block whenever they are
    // needed, so they may be larger than memory, and must outlive the selection. `y`: the target;
    // for these two the class's column; for metrics of rankings and one column 0 or 1. Log loss
    // keeps the probabilities of the true classes where those take at most `most_kept` bytes.
    // Throws argument_error naming the model whose predictions are not usable.
    greedy_selection(greedy_metric metric, std::vector<matrix_view> predictions,
                     const vector_view& y, const vector_view& weight,
                     std::int64_t most_kept = std::int64_t{1} << 30);

    // Elements that candidate_errors() reads, for the caller to judge what it costs.
    std::int64_t work() const;

    // Errors (lower is better; 1 - the metric for those of rankings) of the ensemble with one more
    // member, for each model.
    std::vector<double> candidate_errors() const;

    void add(std::int64_t model);

private:
    void read_target(const vector_view& y);
    void read_weight(const vector_view& weight);
    void read_predictions();
    bool read_block(std::int64_t j, std::int64_t row, std::int64_t count, double* values,
                    double* sums) const;
    bool read_true_class(std::int64_t j, std::int64_t row, std::int64_t count, double* values,
                         double* sums) const;
    bool read_residuals(std::int64_t j, std::int64_t k, std::int64_t row, std::int64_t count,
                        double* values) const;
    bool squares() const;
    bool probabilities() const;
    void build_gram();
    std::vector<double> log_losses() const;
    std::vector<double> squared_errors() const;
    std::vector<double> ranking_errors() const;

    // A block of a model's values, kept or read into the buffers; `sums` is null unless rows are
    // divided by their sum.
    struct block {
        const double* values;
        const double* sums;
    };
    block block_of(std::int64_t j, std::int64_t row, std::int64_t count, double* values,
                   double* sums) const;

    greedy_metric metric_;
    std::vector<matrix_view> predictions_;
    std::int64_t models_;
    std::int64_t rows_;
    std::int64_t members_ = 0;
    bool one_column_;
    bool kept_;     // the values, for log loss
    bool divided_;  // some rows do not sum to one: the average is divided by its own sum
    std::vector<std::int64_t> label_;
    std::vector<double> target_;
    std::vector<double> weight_;
    double total_weight_ = 0.0;
    // Where kept, per model and row: the true class's probability, and the row's sum.
    scratch_array<double> values_;
    std::optional<scratch_array<double>> row_sums_;
    std::vector<double> mean_;      // of the members' values
    std::vector<double> mean_sum_;  // of the members' row sums
    std::vector<double> gram_;      // of the residuals, divided by the total weight
    std::vector<double> gram_sum_;  // sum over members of the Gram matrix's rows
    double gram_square_ = 0.0;
    std::optional<metrics::roc_auc_scorer> scorer_;
};

}  // namespace mlestar::ensemble
