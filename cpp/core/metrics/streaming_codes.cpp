#include "metrics/streaming_codes.hpp"

#include <algorithm>

#include "metrics/streaming.hpp"
#include "support/error.hpp"
#include "support/loader.hpp"

namespace mlestar::metrics {

namespace {

std::string list_of(const std::vector<std::int64_t>& labels) {
    std::string text;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (i == 10) return text + ", ...";
        text += (i == 0 ? "" : ", ") + std::to_string(labels[i]);
    }
    return text;
}

}  // namespace

void require_labels(const std::vector<std::int64_t>& labels) {
    if (labels.size() == 1)
        throw argument_error("labels holds one label, but must hold at least two");
    for (std::size_t i = 1; i < labels.size(); ++i)
        if (labels[i - 1] >= labels[i])
            throw argument_error("labels must be distinct and ascending, but " +
                                 std::to_string(labels[i]) + " follows " +
                                 std::to_string(labels[i - 1]));
}

std::vector<std::int64_t> labels_of_columns(const std::vector<std::int64_t>& declared,
                                            std::int64_t columns) {
    const std::int64_t classes = std::max<std::int64_t>(2, columns);
    std::vector<std::int64_t> labels = declared;
    if (labels.empty())
        for (std::int64_t k = 0; k < classes; ++k) labels.push_back(k);
    if (static_cast<std::int64_t>(labels.size()) != classes)
        throw argument_error("y_pred has " + std::to_string(columns) +
                             " columns, but must have one for each of the " +
                             std::to_string(labels.size()) + " labels" +
                             (labels.size() == 2 ? " or a single one" : ""));
    return labels;
}

label_coder::label_coder(const std::vector<std::int64_t>& labels)
    : labels_(labels),
      contiguous_(static_cast<std::uint64_t>(labels.back()) -
                      static_cast<std::uint64_t>(labels.front()) ==
                  labels.size() - 1) {}

void label_coder::encode(const vector_view& y_true, std::int64_t at, std::int64_t count,
                         std::int32_t* codes) const {
    std::int64_t buffer[block_size];
    bool exact = true;
    const std::int64_t* y = load_i64(y_true, at, count, buffer, exact);
    if (!exact || !(contiguous_ ? by_distance(y, count, codes) : by_search(y, count, codes)))
        refuse(y_true);
}

bool label_coder::by_distance(const std::int64_t* y, std::int64_t count,
                              std::int32_t* codes) const {
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

bool label_coder::by_search(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto found = std::lower_bound(labels_.begin(), labels_.end(), y[i]);
        if (found == labels_.end() || *found != y[i]) return false;
        codes[i] = static_cast<std::int32_t>(found - labels_.begin());
    }
    return true;
}

void label_coder::refuse(const vector_view& y_true) const {
    double buffer[block_size];
    std::int64_t whole[block_size];
    for (std::int64_t row = 0; row < y_true.size; ++row) {
        bool exact = true;
        const std::int64_t label = *load_i64(y_true, row, 1, whole, exact);
        if (exact && std::binary_search(labels_.begin(), labels_.end(), label)) continue;
        const double value = *load_f64(y_true, row, 1, buffer);
        throw argument_error("y_true holds " + (exact ? std::to_string(label) : text_of(value)) +
                             " in row " + std::to_string(row) +
                             ", but every value must be one of the labels " + list_of(labels_) +
                             "; others are declared by labels=");
    }
    throw argument_error("y_true must hold the labels " + list_of(labels_));
}

}  // namespace mlestar::metrics
