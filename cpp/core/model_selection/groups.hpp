// Splits that keep the rows of a group together.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model_selection/splitters.hpp"
#include "support/span.hpp"

namespace mlestar::model_selection {

// The code (rank among the sorted labels) of every row, and how many rows each code has.
struct row_codes {
    std::vector<std::int32_t> of_row;
    std::vector<std::int64_t> counts;
};
std::optional<row_codes> encode_groups(const vector_view& groups);

// Folds of rows from those of groups: one value for each group, each below `count`.
folds folds_of_groups(const row_codes& groups, const std::int64_t* fold_of_group,
                      std::int64_t count);

// Rows of each group (row-major) and class.
std::vector<double> count_classes(const row_codes& groups, const row_codes& classes);

// Groups in the order given, each into the fold with the fewest rows so far (the first of those).
std::vector<std::int64_t> into_lightest(const std::int64_t* sizes, const std::int64_t* order,
                                        std::int64_t groups, std::int64_t count);

// StratifiedGroupKFold's rule, to the bit: groups in the order given, each into the fold where the
// classes' shares then deviate least between the folds; of folds that are close to equal in that,
// the one with the fewest rows. `table` holds the classes (at most `most_balanced_classes`) of each
// group, `totals` those of all. With `fill`, a fold that would stay empty is served first.
inline constexpr std::int64_t most_balanced_classes = 128;
std::vector<std::int64_t> into_balanced(const double* table, const double* totals,
                                        const std::int64_t* order, std::int64_t groups,
                                        std::int64_t classes, std::int64_t count, bool fill);

}  // namespace mlestar::model_selection
