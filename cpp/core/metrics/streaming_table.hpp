// A confusion table that grows with the labels it meets: what every metric of labels is a function
// of. Counts are integers, so a table is the same for any batching and any order of merges.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "metrics/labels.hpp"
#include "metrics/streaming.hpp"

namespace mlestar::metrics {

// The pairs that occurred, sorted by true, then by predicted label.
struct table_cells {
    std::vector<std::int64_t> labels;   // sorted; the places in `names` where labels are strings
    std::vector<std::u32string> names;  // sorted by code point
    std::vector<std::int64_t> row;      // places in the labels
    std::vector<std::int64_t> column;
    std::vector<std::int64_t> count;  // rows without a weight
    std::vector<double> weight;       // sum of the weights of the others
};

class label_table {
public:
    explicit label_table(bool exact) : exact_(exact) {}

    // Adds rows; throws argument_error, nothing changed, for what cannot be used.
    void add(const vector_view& y_true, const vector_view& y_pred, const vector_view& weight);
    void add(const string_array& y_true, const string_array& y_pred, const vector_view& weight);
    void merge(const label_table& other);
    label_table empty() const { return label_table(exact_); }
    void reset() { *this = empty(); }

    std::int64_t rows() const { return rows_; }
    // Whether any rows had weights, and whether those were of a floating type.
    bool weighted() const { return weighted_; }
    bool fractional() const { return fractional_; }
    bool strings() const { return kind_ == kind::strings; }
    table_cells cells() const;

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    enum class kind : std::uint8_t { nothing, integers, strings };
    using pair = std::uint64_t;  // codes of the true and the predicted label

    void require_kind(kind wanted) const;
    std::int32_t code_of(std::int64_t label);
    std::int64_t id_of(const std::u32string& name);
    void count(std::int32_t truth, std::int32_t predicted, std::int64_t rows);
    void widen(std::size_t labels);
    std::int32_t& weight_place(std::int32_t truth, std::int32_t predicted);
    running_sum& weight_at(std::int32_t truth, std::int32_t predicted);
    void add_codes(const std::int64_t* truth, const std::int64_t* predicted, const double* weight,
                   std::int64_t count);
    void add_rows(const vector_view& y_true, const vector_view& y_pred, const vector_view& weight);
    template <class Function>
    void each_count(Function function) const;

    bool exact_;
    kind kind_ = kind::nothing;
    bool weighted_ = false;
    bool fractional_ = false;
    std::int64_t rows_ = 0;
    std::vector<std::int64_t> labels_;  // by code, in the order in which they came
    std::vector<std::int32_t> window_;  // code of a small label, -1 where there is none
    std::unordered_map<std::int64_t, std::int32_t> codes_;  // of the others
    std::vector<std::u32string> names_;
    std::unordered_map<std::u32string, std::int64_t> ids_;
    std::size_t stride_ = 0;
    std::vector<std::int64_t> square_;                  // counts while labels are few
    std::unordered_map<pair, std::int64_t> scattered_;  // counts once they are many
    // Sums of weights by the order in which their pairs came, and where each pair's is.
    std::vector<std::pair<pair, running_sum>> weights_;
    std::vector<std::int32_t> weight_square_;  // beside `square_`, -1 where there is none
    std::unordered_map<pair, std::int32_t> weight_places_;
};

}  // namespace mlestar::metrics
