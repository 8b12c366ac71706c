#include "metrics/streaming_probability.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/streaming.kernels.hpp"
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

// Labels to codes; false for one that is not declared.
class label_coder {
public:
    explicit label_coder(const std::vector<std::int64_t>& labels)
        : labels_(labels),
          contiguous_(static_cast<std::uint64_t>(labels.back()) -
                          static_cast<std::uint64_t>(labels.front()) ==
                      labels.size() - 1) {}

    bool encode(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const {
        return contiguous_ ? by_distance(y, count, codes) : by_search(y, count, codes);
    }

private:
    bool by_distance(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const {
        const std::int64_t first = labels_.front();
        const std::int64_t last = labels_.back();
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            wrong |= y[i] < first || y[i] > last ? 1 : 0;
            codes[i] = static_cast<std::int32_t>(static_cast<std::uint64_t>(y[i]) -
                                                 static_cast<std::uint64_t>(first));
        }
        return wrong == 0;
    }

    bool by_search(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto found = std::lower_bound(labels_.begin(), labels_.end(), y[i]);
            if (found == labels_.end() || *found != y[i]) return false;
            codes[i] = static_cast<std::int32_t>(found - labels_.begin());
        }
        return true;
    }

    const std::vector<std::int64_t>& labels_;
    bool contiguous_;
};

std::string list_of(const std::vector<std::int64_t>& labels) {
    std::string text;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (i == 10) return text + ", ...";
        text += (i == 0 ? "" : ", ") + std::to_string(labels[i]);
    }
    return text;
}

[[noreturn]] void refuse_labels(const vector_view& y_true,
                                const std::vector<std::int64_t>& labels) {
    double buffer[block_size];
    std::int64_t whole[block_size];
    for (std::int64_t row = 0; row < y_true.size; ++row) {
        bool exact = true;
        const std::int64_t label = *load_i64(y_true, row, 1, whole, exact);
        if (exact && std::binary_search(labels.begin(), labels.end(), label)) continue;
        const double value = *load_f64(y_true, row, 1, buffer);
        throw argument_error("y_true holds " + (exact ? std::to_string(label) : text_of(value)) +
                             " in row " + std::to_string(row) +
                             ", but every value must be one of the labels " + list_of(labels) +
                             "; others are declared by labels=");
    }
    throw argument_error("y_true must hold the labels " + list_of(labels));
}

}  // namespace

probability_sums::probability_sums(probability_loss loss, std::vector<std::int64_t> labels,
                                   bool exact)
    : loss_(loss), declared_(std::move(labels)), weight_(exact), sum_(exact) {
    if (declared_.size() == 1)
        throw argument_error("labels holds one label, but must hold at least two");
    for (std::size_t i = 1; i < declared_.size(); ++i)
        if (declared_[i - 1] >= declared_[i])
            throw argument_error("labels must be distinct and ascending, but " +
                                 std::to_string(declared_[i]) + " follows " +
                                 std::to_string(declared_[i - 1]));
}

void probability_sums::reset() { *this = probability_sums(loss_, declared_, sum_.exact()); }

probability_sums probability_sums::batch(const vector_view& y_true, const matrix_view& probability,
                                         const vector_view& weight) const {
    require_rows("y_pred", probability.rows, y_true.size);
    if (weight) require_rows("sample_weight", weight.size, y_true.size);
    if (rows_ > 0 && probability.columns != columns_)
        throw argument_error("y_pred has " + std::to_string(probability.columns) +
                             " columns, but must have " + std::to_string(columns_) +
                             " as in the batches before");
    probability_sums result(loss_, declared_, sum_.exact());
    result.rows_ = y_true.size;
    result.columns_ = probability.columns;
    const std::int64_t classes = std::max<std::int64_t>(2, probability.columns);
    std::vector<std::int64_t> labels = declared_;
    if (labels.empty())
        for (std::int64_t k = 0; k < classes; ++k) labels.push_back(k);
    if (static_cast<std::int64_t>(labels.size()) != classes)
        throw argument_error("y_pred has " + std::to_string(probability.columns) +
                             " columns, but must have one for each of the " +
                             std::to_string(labels.size()) + " labels" +
                             (labels.size() == 2 ? " or a single one" : ""));
    const label_coder coder(labels);
    const double eps = epsilon_of(probability.type);
    // numpy.isclose(sum, 1, rtol=sqrt(eps)) with its atol of 1e-8, as the batch functions.
    const double tolerance = 1e-8 + std::sqrt(eps);
    const std::int64_t columns = probability.columns;
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, std::min(block_size, 2 * block_size / columns));
    struct part {
        running_sum sum, weight;
        bool normalized = true;
    };
    const part empty{running_sum(sum_.exact()), running_sum(sum_.exact()), true};
    const auto parts = map_blocks(
        y_true.size, empty,
        [&](part& own, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            std::int32_t codes[block_size];
            bool exact = true;
            const std::int64_t* y = load_i64(y_true, at, count, buffers.a, exact);
            if (!exact || !coder.encode(y, count, codes)) refuse_labels(y_true, labels);
            scratch_array<double> rows(
                columns == 1 ? 0 : static_cast<std::size_t>(rows_at_once * columns));
            double* const loss = buffers.y;
            for (std::int64_t done = 0; done < count; done += rows_at_once) {
                const std::int64_t some = std::min(rows_at_once, count - done);
                const double* p = columns == 1
                                      ? load_f64(probability.column(0), at + done, some, buffers.x)
                                      : load_rows_f64(probability, at + done, some, rows.data());
                if (!kernels().probabilities(p, some * columns))
                    require_range("y_pred", probability, 0.0, 1.0);
                const std::int32_t* code = codes + done;
                double* out = loss + done;
                if (columns == 1) {
                    if (loss_ == probability_loss::log)
                        kernels().binary_log(code, p, eps, some, out);
                    else
                        kernels().binary_brier(code, p, some, out);
                    continue;
                }
                if (!kernels().normalized(p, columns, tolerance, some)) own.normalized = false;
                if (loss_ == probability_loss::log)
                    kernels().log(code, p, columns, eps, some, out);
                else
                    kernels().brier(code, p, columns, some, out);
            }
            if (weight) {
                const double* w = load_f64(weight, at, count, buffers.w);
                if (!kernels().finite(w, count)) require_finite("sample_weight", as_column(weight));
                kernels().multiply(loss, w, count, loss);
                own.weight.add(w, count);
            }
            own.sum.add(loss, count);
        },
        batch_task_size);
    if (!weight) result.weight_.add(static_cast<double>(y_true.size));
    for (const part& own : parts) {
        result.sum_.merge(own.sum);
        result.weight_.merge(own.weight);
        result.normalized_ &= own.normalized;
    }
    return result;
}

void probability_sums::merge(const probability_sums& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(probability_sums(other));
    if (loss_ != other.loss_ || declared_ != other.declared_ || sum_.exact() != other.sum_.exact())
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
}

streaming_state probability_sums::state() const {
    streaming_state state;
    state.integers = {rows_, columns_, normalized_};
    weight_.write(state);
    sum_.write(state);
    return state;
}

void probability_sums::load(const streaming_state& state) {
    state_reader reader(state);
    probability_sums loaded(loss_, declared_, sum_.exact());
    loaded.rows_ = reader.count(0, most_rows);
    loaded.columns_ = reader.count(0, std::int64_t{1} << 31);
    loaded.normalized_ = reader.count(0, 1) == 1;
    loaded.weight_.read(reader);
    loaded.sum_.read(reader);
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
