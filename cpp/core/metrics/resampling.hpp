// Metrics of many resamples at once: a ranking is sorted once, a loss is computed once, and a
// resample is a pass of its counts over them. Each resample has its own random numbers, and its
// result depends on nothing else, so any number of threads gives the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/ranking.hpp"
#include "metrics/resampling_draws.hpp"

namespace mlestar::metrics {

// Rows with a positive or negative label that models have scored. Every pointer is to `rows`
// elements; sizes below 2^31.
struct model_scores {
    std::int64_t rows;
    const std::uint8_t* positive;            // 1 or 0
    std::vector<const double*> scores;       // of each model, finite
    const double* weight;                    // null: all one
    std::vector<const std::int32_t*> units;  // of each model, the plan's entry of each row; or none
};

// Throw argument_error for a score that is not finite, for a unit that the plan does not have, and
// where rows and units are not as many though `units` is empty. Results are rows of one value a
// model, one row a resample. NaN where a resample lacks a label.
//
// Without `units`, the units are the rows in the order of the first model's scores, negatives
// first: a plan of one stratum, or of two that are the negatives and the positives.
std::vector<double> resample_ranking(ranking_metric metric, const model_scores& data,
                                     const resample_plan& plan, std::int64_t resamples);

// For each model and row, the weight of the rows with the other label that the row is on the right
// side of, ties counting half, times two: a positive is right above a negative. The sum over the
// positives is 2 * AUC * positives * negatives (DeLong's placements, in O(n log n) by Sun and Xu
// 2014).
std::vector<double> placements(const model_scores& data);

// Sums of columns (of one value a unit, in the order of the plan), one row a resample.
std::vector<double> resample_sums(const std::vector<const double*>& columns,
                                  const resample_plan& plan, std::int64_t resamples);

// Tables of cells: the weight of the rows of each cell, one table of `cells` a resample.
std::vector<double> resample_cells(const std::int32_t* cell, const double* weight,
                                   const std::int32_t* unit, std::int64_t rows, std::int64_t cells,
                                   const resample_plan& plan, std::int64_t resamples);

// The counts themselves, of resamples first, first + 1, ...: plan.entries() bytes each.
void resample_counts(const resample_plan& plan, std::int64_t first, std::int64_t resamples,
                     std::uint8_t* counts);

}  // namespace mlestar::metrics
