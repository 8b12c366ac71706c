// Cross-validation splits: which rows are trained on and which are held out, in scikit-learn's
// order and with scikit-learn's draws.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/rng.hpp"
#include "support/span.hpp"

namespace mlestar::model_selection {

// The fold that holds each row out. Sixteen bits: more folds than that are left to scikit-learn.
using fold_id = std::uint16_t;
inline constexpr std::int64_t most_folds = 65535;

struct folds {
    std::vector<fold_id> of_row;
    std::vector<std::int64_t> sizes;  // rows held out by each fold
};

// KFold(shuffle=True): consecutive runs of a shuffled order, the first n % k folds one row longer.
folds shuffled_folds(std::int64_t rows, std::int64_t count, bit_generator& generator);

struct stratified_folds {
    folds assignment;                        // empty where no class has `count` members
    std::vector<std::int64_t> class_counts;  // in the order of the sorted labels
};

// StratifiedKFold: classes dealt round robin in the order of their first row. Shuffled within each
// class where a generator is given. Nothing when a label is not an integer.
std::optional<stratified_folds> stratify(const vector_view& y, std::int64_t count,
                                         bit_generator* generator);

// Rows of one fold: `train` and `test` ascending, with room for rows - sizes[fold] and sizes[fold].
void split(const folds& assignment, std::int64_t fold, std::int64_t* train, std::int64_t* test);

// KFold without shuffling: rows [first, last) are held out.
void split_range(std::int64_t rows, std::int64_t first, std::int64_t last, std::int64_t* train,
                 std::int64_t* test);

// Every row but those of `test`, which must be rows, ascending and distinct; `train` has room for
// the rest.
void leave_out(std::int64_t rows, const std::int64_t* test, std::int64_t count,
               std::int64_t* train);

// RandomState.permutation(size).
void permutation(std::int64_t size, bit_generator& generator, std::int64_t* target);

// Rows grouped by class, for one stratified random split.
struct class_rows {
    std::vector<std::int64_t> counts;  // of each class, in the order of the sorted labels
    std::vector<std::int64_t> rows;    // ascending within each class, classes one after the other
};
std::optional<class_rows> group_by_class(const vector_view& y);

// Rows that such a draw trains and tests on; throws argument_error unless each class has that many.
struct drawn {
    std::int64_t train;
    std::int64_t test;
};
drawn draw_sizes(const class_rows& classes, const std::vector<std::int64_t>& train_counts,
                 const std::vector<std::int64_t>& test_counts);

// StratifiedShuffleSplit's draws: per class a permutation, its head to train, what follows to test;
// then both shuffled. `train` and `test` hold the sums of the counts asked for.
void stratified_draw(const class_rows& classes, const std::vector<std::int64_t>& train_counts,
                     const std::vector<std::int64_t>& test_counts, bit_generator& generator,
                     std::int64_t* train, std::int64_t* test);

}  // namespace mlestar::model_selection
