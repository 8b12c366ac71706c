// Codes of labels that were declared, for accumulators whose columns are classes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

// Throws unless there are none, or at least two, distinct and ascending.
void require_labels(const std::vector<std::int64_t>& labels);

// Those declared, or 0, 1, ... for as many classes as there are columns (two for one column).
// Throws where columns and labels do not match.
std::vector<std::int64_t> labels_of_columns(const std::vector<std::int64_t>& declared,
                                            std::int64_t columns);

class label_coder {
public:
    explicit label_coder(const std::vector<std::int64_t>& labels);

    // The codes of the labels of `y_true` from row `at`; throws for one that is not declared.
    void encode(const vector_view& y_true, std::int64_t at, std::int64_t count,
                std::int32_t* codes) const;

private:
    bool by_distance(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const;
    bool by_search(const std::int64_t* y, std::int64_t count, std::int32_t* codes) const;
    [[noreturn]] void refuse(const vector_view& y_true) const;

    const std::vector<std::int64_t>& labels_;
    bool contiguous_;
};

}  // namespace mlestar::metrics
