#include "metrics/streaming_retrieval.hpp"

#include <limits>

#include "metrics/streaming.kernels.hpp"
#include "metrics/streaming_codes.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(streaming_kernels)

namespace {

// Of each rank, zero where ranks no longer count.
std::vector<double> discounts_of(const row_plan& plan, std::int64_t items) {
    std::vector<double> discounts(static_cast<std::size_t>(items), 0.0);
    for (std::int64_t rank = 0; rank < items && (plan.k == 0 || rank < plan.k); ++rank)
        discounts[static_cast<std::size_t>(rank)] =
            1.0 / (math::log(static_cast<double>(rank + 2)) / math::log(plan.log_base));
    return discounts;
}

bool is_gain(row_value value) {
    return value == row_value::gain || value == row_value::normalized_gain;
}

retrieval_metric metric_of(row_value value) {
    return value == row_value::coverage            ? retrieval_metric::coverage
           : value == row_value::average_precision ? retrieval_metric::average_precision
                                                   : retrieval_metric::ranking_loss;
}

// Throws for what a row's value could not be made of.
[[noreturn]] void refuse_rows(row_value value, const matrix_view& y_true,
                              const matrix_view& score) {
    require_finite("y_pred", score);
    if (is_gain(value)) {
        require_finite("y_true", y_true);
        require_range("y_true", y_true, 0.0, std::numeric_limits<double>::max());
    }
    require_indicators("y_true", y_true);
    throw argument_error("y_true cannot be used");  // not reached: one of these has thrown
}

}  // namespace

row_means::row_means(row_plan plan)
    : plan_(std::move(plan)), weight_(plan_.exact), sum_(plan_.exact) {
    const bool top = plan_.value == row_value::top_k;
    if (plan_.k < (top ? 1 : 0))
        throw argument_error("k is " + std::to_string(plan_.k) + ", but must be at least 1");
    if (!(plan_.log_base > 0.0) || plan_.log_base == 1.0 ||
        plan_.log_base > std::numeric_limits<double>::max())
        throw argument_error("log_base is " + text_of(plan_.log_base) +
                             ", but must be positive, finite and not 1");
    if (!top && !plan_.labels.empty())
        throw argument_error("labels are given, but only top_k has labels");
    require_labels(plan_.labels);
}

row_means row_means::batch(const matrix_view& y_true, const matrix_view& score,
                           const vector_view& weight) const {
    require_rows("y_pred", score.rows, y_true.rows);
    if (weight) require_rows("sample_weight", weight.size, y_true.rows);
    if (score.columns < 2)
        throw argument_error("y_pred has one column, but must have one for each of several items");
    const bool top = plan_.value == row_value::top_k;
    const std::int64_t width = top ? 1 : score.columns;
    if (y_true.columns != width)
        throw argument_error("y_true has " + std::to_string(y_true.columns) +
                             " columns, but must have " + std::to_string(width) +
                             (top ? "" : " as y_pred"));
    if (rows_ > 0 && score.columns != columns_)
        throw argument_error("y_pred has " + std::to_string(score.columns) +
                             " columns, but must have " + std::to_string(columns_) +
                             " as in the batches before");
    std::vector<std::int64_t> labels;
    std::vector<double> discounts;
    if (top) labels = labels_of_columns(plan_.labels, score.columns);
    if (is_gain(plan_.value)) discounts = discounts_of(plan_, score.columns);
    const auto values = [&](std::int64_t at, std::int64_t count, double* value) {
        if (top) {
            std::int32_t codes[block_size];
            label_coder(labels).encode(y_true.column(0), at, count, codes);
            return score_rows_by_place(codes, score, plan_.k, at, count, value);
        }
        if (!is_gain(plan_.value))
            return score_rows_by(metric_of(plan_.value), y_true, score, at, count, value);
        return score_rows_by_gain(y_true, score, discounts, false,
                                  plan_.value == row_value::normalized_gain, at, count, value);
    };
    row_means result(plan_);
    result.rows_ = y_true.rows;
    result.columns_ = score.columns;
    struct part {
        running_sum sum, weight;
    };
    const auto parts = map_blocks(
        y_true.rows, part{running_sum(plan_.exact), running_sum(plan_.exact)},
        [&](part& own, std::int64_t at, std::int64_t count) {
            double value[block_size], buffer[block_size];
            if (!values(at, count, value)) refuse_rows(plan_.value, y_true, score);
            const double* w = load_weight(weight, at, count, buffer);
            if (w != nullptr) {
                if (!kernels().finite(w, count)) require_finite("sample_weight", as_column(weight));
                kernels().multiply(value, w, count, value);
                own.weight.add(w, count);
            }
            if (!kernels().finite(value, count))
                throw argument_error(
                    "y_true or sample_weight is so large that the sum is no finite number");
            own.sum.add(value, count);
        },
        block_size);
    if (!weight) result.weight_.add(static_cast<double>(y_true.rows));
    for (const part& own : parts) {
        result.sum_.merge(own.sum);
        result.weight_.merge(own.weight);
    }
    return result;
}

void row_means::merge(const row_means& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(row_means(other));
    if (plan_.value != other.plan_.value || plan_.k != other.plan_.k ||
        plan_.log_base != other.plan_.log_base || plan_.labels != other.plan_.labels ||
        plan_.exact != other.plan_.exact)
        throw argument_error("other keeps other sums than this accumulator");
    if (rows_ > 0 && columns_ != other.columns_)
        throw argument_error("other has seen " + std::to_string(other.columns_) +
                             " columns, but must have seen " + std::to_string(columns_));
    rows_ += other.rows_;
    columns_ = other.columns_;
    weight_.merge(other.weight_);
    sum_.merge(other.sum_);
}

streaming_state row_means::state() const {
    streaming_state state;
    state.integers = {rows_, columns_};
    weight_.write(state);
    sum_.write(state);
    return state;
}

void row_means::load(const streaming_state& state) {
    state_reader reader(state);
    row_means loaded(plan_);
    loaded.rows_ = reader.count(0, most_rows);
    loaded.columns_ = reader.count(0, std::int64_t{1} << 31);
    loaded.weight_.read(reader);
    loaded.sum_.read(reader);
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
