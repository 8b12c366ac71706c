// A ranking of all rows: kept in memory as they come, and in sorted runs on disk above a limit.
// What is asked of rows in memory is answered by the batch functions; runs are merged as they are
// read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "metrics/streaming_binary.hpp"
#include "metrics/streaming_runs.hpp"

namespace mlestar::metrics {

// Rows of a ranking, for other processes and files.
struct scored_rows {
    std::vector<double> score;
    std::vector<std::uint8_t> positive;
    std::vector<double> weight;  // empty where no row had one
};

class score_rows {
public:
    // `memory_limit` in bytes, 0 for none; runs are written to nameless files in `folder`.
    score_rows(std::optional<std::int64_t> positive, std::int64_t memory_limit, std::string folder);

    // Adds rows; throws argument_error or io_error, nothing changed.
    void add(const vector_view& y_true, const vector_view& score, const vector_view& weight);
    // Shares the other's runs and copies its rows in memory.
    void merge(const score_rows& other);
    // No rows, but the same classes.
    score_rows empty() const;
    void reset() { *this = score_rows(declared_, memory_limit_, folder_); }

    std::int64_t rows() const;
    std::int64_t rows_in_memory() const {
        return static_cast<std::int64_t>(store_->positive.size());
    }
    std::int64_t runs() const { return static_cast<std::int64_t>(runs_.size()); }
    std::int64_t bytes_in_memory() const;

    // Not a number where a class has no weight.
    double roc_auc() const;
    // 0 where the positive class has no weight.
    double average_precision() const;

    scored_rows all_rows() const;
    streaming_state state() const;  // what the rows do not tell
    void load(const streaming_state& state, const scored_rows& rows);

private:
    // Rows in memory. Copies share them until one of the copies changes.
    struct row_store {
        std::vector<float> narrow;  // scores, as long as all are of float32
        std::vector<double> wide;
        std::vector<std::uint8_t> positive;
        std::vector<double> weight;  // empty while no row has one
    };

    std::int64_t capacity(bool with_weight) const;
    bool narrow() const { return store_->wide.empty(); }
    bool weighted() const { return !store_->weight.empty(); }
    row_store& own();
    void append(const binary_classes& classes, const vector_view& y_true, const vector_view& score,
                const vector_view& weight, std::int64_t first, std::int64_t last);
    void spill();
    sorted_side sort_side(bool positive) const;
    void make_weights();
    void widen();
    // function(positive weight, negative weight, positive rows, negative rows) for each distinct
    // score, ascending.
    template <class Function>
    void walk(Function function) const;
    vector_view score_view() const;
    vector_view weight_view() const;
    vector_view label_view() const;

    binary_classes classes_;
    std::optional<std::int64_t> declared_;
    std::int64_t memory_limit_;
    std::string folder_;
    std::vector<scored_run> runs_;
    std::shared_ptr<row_store> store_ = std::make_shared<row_store>();
};

}  // namespace mlestar::metrics
