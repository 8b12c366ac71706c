#include "metrics/streaming_probability.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/streaming.kernels.hpp"
#include "metrics/streaming_codes.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(streaming_kernels)

namespace {

// Of the probabilities' own type, as scikit-learn clips them.
double epsilon_of(dtype type) {
    return type == dtype::f32 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                              : std::numeric_limits<double>::epsilon();
}

// Adds each row's weight to the sum of its class.
void count_classes(const std::int32_t* codes, const double* weight, std::int64_t count,
                   std::vector<running_sum>& sums) {
    for (std::int64_t i = 0; i < count; ++i)
        sums[static_cast<std::size_t>(codes[i])].add(weight == nullptr ? 1.0 : weight[i]);
}

}  // namespace

probability_sums::probability_sums(probability_loss loss, std::vector<std::int64_t> labels,
                                   bool exact, bool counted)
    : loss_(loss), counted_(counted), declared_(std::move(labels)), weight_(exact), sum_(exact) {
    require_labels(declared_);
}

void probability_sums::reset() {
    *this = probability_sums(loss_, declared_, sum_.exact(), counted_);
}

void probability_sums::lose(const std::int32_t* code, const double* rows, std::int64_t columns,
                            double eps, std::int64_t count, double* loss) const {
    switch (loss_) {
        case probability_loss::log:
            if (columns == 1) return kernels().binary_log(code, rows, eps, count, loss);
            return kernels().log(code, rows, columns, eps, count, loss);
        case probability_loss::brier:
            if (columns == 1) return kernels().binary_brier(code, rows, count, loss);
            return kernels().brier(code, rows, columns, count, loss);
        case probability_loss::hinge:
            if (columns == 1) return kernels().binary_hinge(code, rows, count, loss);
            return kernels().hinge(code, rows, columns, count, loss);
    }
}

probability_sums probability_sums::batch(const vector_view& y_true, const matrix_view& probability,
                                         const vector_view& weight) const {
    require_rows("y_pred", probability.rows, y_true.size);
    if (weight) require_rows("sample_weight", weight.size, y_true.size);
    if (rows_ > 0 && probability.columns != columns_)
        throw argument_error("y_pred has " + std::to_string(probability.columns) +
                             " columns, but must have " + std::to_string(columns_) +
                             " as in the batches before");
    probability_sums result(loss_, declared_, sum_.exact(), counted_);
    result.rows_ = y_true.size;
    result.columns_ = probability.columns;
    const std::vector<std::int64_t> labels = labels_of_columns(declared_, probability.columns);
    if (loss_ == probability_loss::hinge && probability.columns == 2)
        throw argument_error(
            "y_pred has 2 columns, but decision values of two classes must have one column");
    const std::size_t classes = counted_ ? labels.size() : 0;
    const label_coder coder(labels);
    const double eps = epsilon_of(probability.type);
    // numpy.isclose(sum, 1, rtol=sqrt(eps)) with its atol of 1e-8, as the batch functions.
    const double tolerance = 1e-8 + std::sqrt(eps);
    result.by_class_.assign(classes, running_sum(sum_.exact()));
    const std::int64_t columns = probability.columns;
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, std::min(block_size, 2 * block_size / columns));
    struct part {
        running_sum sum, weight;
        bool normalized;
        std::vector<running_sum> by_class;
    };
    const part empty{running_sum(sum_.exact()), running_sum(sum_.exact()), true,
                     std::vector<running_sum>(classes, running_sum(sum_.exact()))};
    const auto parts = map_blocks(
        y_true.size, empty,
        [&](part& own, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            std::int32_t codes[block_size];
            coder.encode(y_true, at, count, codes);
            scratch_array<double> rows(
                columns == 1 ? 0 : static_cast<std::size_t>(rows_at_once * columns));
            double* const loss = buffers.y;
            for (std::int64_t done = 0; done < count; done += rows_at_once) {
                const std::int64_t some = std::min(rows_at_once, count - done);
                const double* p = columns == 1
                                      ? load_f64(probability.column(0), at + done, some, buffers.x)
                                      : load_rows_f64(probability, at + done, some, rows.data());
                if (loss_ == probability_loss::hinge) {
                    if (!kernels().finite(p, some * columns)) require_finite("y_pred", probability);
                } else if (!kernels().probabilities(p, some * columns)) {
                    require_range("y_pred", probability, 0.0, 1.0);
                }
                if (columns > 1 && loss_ != probability_loss::hinge &&
                    !kernels().normalized(p, columns, tolerance, some))
                    own.normalized = false;
                lose(codes + done, p, columns, eps, some, loss + done);
            }
            const double* w = load_weight(weight, at, count, buffers.w);
            if (w != nullptr) {
                if (!kernels().finite(w, count)) require_finite("sample_weight", as_column(weight));
                kernels().multiply(loss, w, count, loss);
                own.weight.add(w, count);
            }
            if (!kernels().finite(loss, count))
                throw argument_error(
                    "y_pred or sample_weight is so large that the loss is no finite number");
            if (counted_) count_classes(codes, w, count, own.by_class);
            own.sum.add(loss, count);
        },
        batch_task_size);
    if (!weight) result.weight_.add(static_cast<double>(y_true.size));
    for (const part& own : parts) {
        result.sum_.merge(own.sum);
        result.weight_.merge(own.weight);
        result.normalized_ &= own.normalized;
        for (std::size_t k = 0; k < classes; ++k) result.by_class_[k].merge(own.by_class[k]);
    }
    return result;
}

void probability_sums::merge(const probability_sums& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(probability_sums(other));
    if (loss_ != other.loss_ || declared_ != other.declared_ || counted_ != other.counted_ ||
        sum_.exact() != other.sum_.exact())
        throw argument_error("other keeps other sums than this accumulator");
    if (rows_ == 0) {
        *this = other;
        return;
    }
    if (columns_ != other.columns_)
        throw argument_error("other has seen " + std::to_string(other.columns_) +
                             " columns, but must have seen " + std::to_string(columns_));
    rows_ += other.rows_;
    normalized_ &= other.normalized_;
    weight_.merge(other.weight_);
    sum_.merge(other.sum_);
    for (std::size_t k = 0; k < by_class_.size(); ++k) by_class_[k].merge(other.by_class_[k]);
}

streaming_state probability_sums::state() const {
    streaming_state state;
    state.integers = {rows_, columns_, normalized_};
    weight_.write(state);
    sum_.write(state);
    for (const running_sum& sum : by_class_) sum.write(state);
    return state;
}

void probability_sums::load(const streaming_state& state) {
    state_reader reader(state);
    probability_sums loaded(loss_, declared_, sum_.exact(), counted_);
    loaded.rows_ = reader.count(0, most_rows);
    // A state that counts classes holds a number of each.
    const auto numbers = static_cast<std::int64_t>(state.integers.size() + state.reals.size());
    loaded.columns_ = reader.count(0, counted_ ? numbers : std::int64_t{1} << 31);
    loaded.normalized_ = reader.count(0, 1) == 1;
    loaded.weight_.read(reader);
    loaded.sum_.read(reader);
    if (counted_ && loaded.rows_ > 0) {
        const auto classes = labels_of_columns(declared_, loaded.columns_).size();
        loaded.by_class_.assign(classes, running_sum(sum_.exact()));
        for (running_sum& sum : loaded.by_class_) sum.read(reader);
    }
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
