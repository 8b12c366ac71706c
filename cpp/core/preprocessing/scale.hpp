// Moments and extremes of columns, and the elementwise maps that scalers apply. NaN is a missing
// value; functions return nothing (or false) for infinity, which they leave to scikit-learn.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/compensated.hpp"
#include "support/span.hpp"

namespace mlestar::preprocessing {

// Of one column: the sum of weights, the weighted sum, and the weighted sum of squares about the
// mean; each in two doubles, so that batches may be cut and merged in any way without a trace of it
// in the results' first 53 bits.
struct column_moments {
    compensated weight;
    compensated sum;
    compensated square;

    void merge(const column_moments& other);  // Chan, Golub and LeVeque, 1983
};

// An empty weight is one of 1 each. Also nothing where a sum overflows.
std::optional<std::vector<column_moments>> moments_of(const matrix_view& x,
                                                      const vector_view& weight);

// Of each column, missing values passed over; infinity and -infinity where all are missing.
struct column_extremes {
    std::vector<double> low;
    std::vector<double> high;
};
std::optional<column_extremes> extremes_of(const matrix_view& x);

// What is done to each element of a column: x - a, x / a, (x - a) / b, x * a, x * a + b, each step
// rounded to the type of the result.
enum class scale_map { subtract, divide, subtract_divide, multiply, multiply_add };

struct scale_plan {
    scale_map map;
    std::vector<double> first;   // a, for each column
    std::vector<double> second;  // b, where there is one
    bool clips = false;
    double low = 0.0, high = 0.0;
};

// A matrix that is written: contiguous, by rows or by columns; float64 or float32. It is apart from
// what is read, or the same elements in the same places.
struct result_view {
    std::byte* data;
    dtype type;
    std::int64_t rows;
    std::int64_t columns;
    bool by_columns;
};

// False where x holds infinity; nothing is written then if the result lies where x does.
bool scale_into(const matrix_view& x, const scale_plan& plan, const result_view& result);

enum class row_norm { l1, l2, max };

// Rows divided by their norms; norms below ten machine epsilons of the result's type count as one.
// False where x holds NaN or infinity, as above.
bool normalize_into(const matrix_view& x, row_norm norm, const result_view& result);

// 1 above the threshold and 0 elsewhere. False where x holds NaN or infinity, as above.
bool binarize_into(const matrix_view& x, double threshold, const result_view& result);

}  // namespace mlestar::preprocessing
