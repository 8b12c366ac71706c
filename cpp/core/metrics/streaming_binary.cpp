#include "metrics/streaming_binary.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "metrics/labels.hpp"
#include "support/error.hpp"
#include "support/loader.hpp"

namespace mlestar::metrics {

namespace {

// The first label in the order of the rows that `wrong` names, in words.
template <class Wrong>
[[noreturn]] void refuse(const vector_view& y_true, const std::string& must, Wrong wrong) {
    double buffer[block_size];
    std::int64_t whole[block_size];
    for (std::int64_t row = 0; row < y_true.size; ++row) {
        bool exact = true;
        const std::int64_t label = *load_i64(y_true, row, 1, whole, exact);
        if (exact && !wrong(label)) continue;
        const std::string shown =
            exact ? std::to_string(label) : text_of(*load_f64(y_true, row, 1, buffer));
        throw argument_error("y_true holds " + shown + " in row " + std::to_string(row) +
                             ", but every label must be " + must);
    }
    throw argument_error("every label of y_true must be " + must);
}

}  // namespace

binary_classes binary_classes::with(const vector_view& y_true, const vector_view& score,
                                    const vector_view& weight) const {
    require_rows("y_pred", score.size, y_true.size);
    if (weight) {
        require_rows("sample_weight", weight.size, y_true.size);
        require_range("sample_weight", as_column(weight), 0.0, std::numeric_limits<double>::max());
    }
    require_finite("y_pred", as_column(score));
    if (score.type == dtype::i64 || score.type == dtype::u64) {
        constexpr std::int64_t limit = std::int64_t{1} << 53;
        const auto range = range_of({score});
        if (!range || range->minimum < -limit || range->maximum > limit)
            throw argument_error(
                "y_pred holds integers beyond 2^53, but scores must be exact as float64");
    }
    const std::int64_t positive = declared_.value_or(1);
    binary_classes result = *this;
    std::int64_t buffer[block_size];
    for (std::int64_t at = 0; at < y_true.size; at += block_size) {
        const std::int64_t count = std::min(block_size, y_true.size - at);
        bool exact = true;
        const std::int64_t* y = load_i64(y_true, at, count, buffer, exact);
        if (!exact) refuse(y_true, "a whole number", [](std::int64_t) { return false; });
        if (!result.negative_) {
            const auto* other = std::find_if(y, y + count, [=](auto x) { return x != positive; });
            if (other == y + count) continue;
            if (!declared_ && *other != 0 && *other != -1)
                refuse(y_true, "0 or 1, or -1 or 1; for others pass pos_label",
                       [](std::int64_t label) { return label < -1 || label > 1; });
            result.negative_ = *other;
        }
        const std::int64_t negative = *result.negative_;
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t is_positive = y[i] == positive ? -1 : 0;
            const std::int64_t is_negative = y[i] == negative ? -1 : 0;
            wrong |= ~(is_positive | is_negative);
        }
        if (wrong != 0)
            refuse(y_true,
                   std::to_string(positive) + " (positive) or " + std::to_string(negative) +
                       (declared_ ? "" : "; for others pass pos_label"),
                   [=](std::int64_t label) { return label != positive && label != negative; });
    }
    return result;
}

binary_classes binary_classes::with(const binary_classes& other) const {
    if (declared_ != other.declared_)
        throw argument_error("other has another positive label than this accumulator");
    binary_classes result = *this;
    if (!result.negative_) result.negative_ = other.negative_;
    if (other.negative_ && *other.negative_ != *result.negative_)
        throw argument_error("other has met the negative label " +
                             std::to_string(*other.negative_) + ", but it must be " +
                             std::to_string(*result.negative_));
    return result;
}

void binary_classes::write(streaming_state& state) const {
    state.integers.push_back(negative_.has_value());
    state.integers.push_back(negative_.value_or(0));
}

void binary_classes::read(state_reader& reader) {
    const bool known = reader.count(0, 1) == 1;
    const std::int64_t negative = reader.integer();
    negative_ = known ? std::optional(negative) : std::nullopt;
}

}  // namespace mlestar::metrics
