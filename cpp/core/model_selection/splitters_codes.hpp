// Labels as codes, row by row: what every splitter that looks at labels or groups begins with.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/labels.hpp"
#include "support/span.hpp"

namespace mlestar::model_selection {

// The labels, the code (rank of the label) of every row, and the rows of each code. False when a
// label is not an integer. `codes` has room for every row.
bool encode_rows(const vector_view& y, metrics::label_set& labels, std::int32_t* codes,
                 std::vector<std::int64_t>& counts);

}  // namespace mlestar::model_selection
