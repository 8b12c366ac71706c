// What a target is like in each category of columns of codes, fold by fold.
#pragma once

#include <cstdint>
#include <vector>

namespace mlestar::preprocessing {

// Codes of one column after the other, `rows` for each; those of column j are below categories[j].
struct code_table {
    const std::int32_t* codes;
    std::int64_t rows;
    std::vector<std::int64_t> categories;
};

// The fold of each row, below `count`; null where there is one.
struct row_folds {
    const std::int32_t* of_rows;
    std::int64_t count;
};

// For each column, rows by category, fold and label (in that order of axes): labels are below
// `classes`.
std::vector<std::vector<std::int64_t>> label_counts(const code_table& table, const row_folds& folds,
                                                    const std::int32_t* labels,
                                                    std::int64_t classes);

// Of one column: for each category a number near its mean, and for each category and fold, rows and
// the sums of the differences from that number and of their squares.
struct target_moments {
    std::vector<double> centers;
    std::vector<std::int64_t> counts;
    std::vector<double> sums;
    std::vector<double> squares;
};
std::vector<target_moments> moments_of_target(const code_table& table, const row_folds& folds,
                                              const double* y);

// Row-major results, `parts` for each column: tables[column * parts + part][code * folds + fold].
void target_encodings_into(const code_table& table, const row_folds& folds, std::int64_t parts,
                           const std::vector<const double*>& tables, double* result);

}  // namespace mlestar::preprocessing
