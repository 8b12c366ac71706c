// Agreement of two clusterings, and how well one separates its points.
//
// Functions return nothing for input they leave to scikit-learn: sizes that differ, labels that are
// not integers, points that are not finite, fewer than two clusters or as many as points.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

// Points of each pair of a true and a predicted cluster, the pairs that occur only, and in all.
struct contingency {
    std::vector<std::int64_t> rows, columns, counts;  // one entry a pair, sorted by row and column
    std::vector<std::int64_t> row_sums, column_sums;
    std::int64_t points = 0;
};

std::optional<contingency> contingency_table(const vector_view& labels_true,
                                             const vector_view& labels_pred);

// From the counts of pairs of clusters, each pair once.
std::optional<contingency> contingency_of(const vector_view& rows, const vector_view& columns,
                                          const vector_view& counts);

// As a double: exact below 2^53, where scikit-learn's integers still are.
double sum_of_squares(const std::vector<std::int64_t>& counts);

// Mutual information of the table, in nats, and the entropy of a clustering from its sizes.
double mutual_information(const contingency& table);
double entropy(const std::vector<std::int64_t>& sizes);

// Mutual information expected of two random clusterings of these sizes (Vinh, Epps and Bailey
// 2010, by the hypergeometric model). Terms too small to count are left out.
double expected_mutual_information(const std::vector<std::int64_t>& row_sums,
                                   const std::vector<std::int64_t>& column_sums,
                                   std::int64_t points);

enum class distance_metric { euclidean, manhattan };

// Silhouette of each point (Rousseeuw 1987); `codes` in [0, clusters).
std::optional<std::vector<double>> silhouettes(distance_metric metric, const matrix_view& points,
                                               const std::vector<std::int32_t>& codes,
                                               std::int64_t clusters);

// The same from a square matrix of distances.
std::optional<std::vector<double>> silhouettes_precomputed(const matrix_view& distances,
                                                           const std::vector<std::int32_t>& codes,
                                                           std::int64_t clusters);

struct cluster_spread {
    std::vector<double> centres;    // clusters x features
    std::vector<double> squares;    // sum of squared distances to the centre, one a cluster
    std::vector<double> distances;  // mean distance to the centre
    std::vector<std::int64_t> sizes;
};

std::optional<cluster_spread> spread_of(const matrix_view& points,
                                        const std::vector<std::int32_t>& codes,
                                        std::int64_t clusters);

}  // namespace mlestar::metrics
