// Loops over points: distances between them and to the centres of their clusters.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar::metrics {

// Points of one cluster are laid out eight at a time: feature by feature, eight values each.
inline constexpr std::int64_t point_lanes = 8;
// Points whose distances are summed at once, so that a block read is used as often.
inline constexpr std::int64_t points_at_once = 4;

struct clustering_kernels {
    // Sums of the distances of `points_at_once` points (row-major) to `count` points of one
    // cluster, laid out in blocks of eight (the last is padded).
    void (*euclidean_sums)(const double* points, const double* blocks, std::int64_t count,
                           std::int64_t features, double* sums);
    void (*manhattan_sums)(const double* points, const double* blocks, std::int64_t count,
                           std::int64_t features, double* sums);
    // Adds each row of distances to the sums of its columns' clusters.
    void (*sum_by_cluster)(const double* distance, const std::int32_t* code, std::int64_t count,
                           double* sums);
    // Adds rows to the sums of their clusters (clusters x features) and counts them.
    void (*add_rows)(const double* rows, const std::int32_t* code, std::int64_t count,
                     std::int64_t features, double* sums, std::int64_t* counts);
    // Adds squared and plain distances of rows to their clusters' centres.
    void (*add_spread)(const double* rows, const std::int32_t* code, std::int64_t count,
                       std::int64_t features, const double* centres, double* squares,
                       double* distances);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

// Four doubles at a time, as one AVX2 register or two of SSE2; the arithmetic is the same.
using four = double __attribute__((vector_size(32), aligned(8), may_alias));

struct euclidean {
    static void add(four& sum, const four& d) { sum += d * d; }
    static double distance(double sum) { return __builtin_sqrt(sum); }
};

struct manhattan {
    static void add(four& sum, const four& d) { sum += d < 0.0 ? -d : d; }
    static double distance(double sum) { return sum; }
};

template <class Metric>
void distance_sums(const double* points, const double* blocks, std::int64_t count,
                   std::int64_t features, double* sums) {
    double lane[points_at_once][point_lanes] = {};
    for (std::int64_t at = 0; at < count; at += point_lanes) {
        four low[points_at_once] = {};
        four high[points_at_once] = {};
        for (std::int64_t k = 0; k < features; ++k) {
            const four x = *reinterpret_cast<const four*>(blocks + k * point_lanes);
            const four y = *reinterpret_cast<const four*>(blocks + k * point_lanes + 4);
            for (std::int64_t p = 0; p < points_at_once; ++p) {
                const four a = x - points[p * features + k];
                const four b = y - points[p * features + k];
                Metric::add(low[p], a);
                Metric::add(high[p], b);
            }
        }
        blocks += features * point_lanes;
        double distance[points_at_once][point_lanes];
        for (std::int64_t p = 0; p < points_at_once; ++p) {
            for (int l = 0; l < 4; ++l) distance[p][l] = low[p][l];
            for (int l = 0; l < 4; ++l) distance[p][4 + l] = high[p][l];
            for (int l = 0; l < point_lanes; ++l) distance[p][l] = Metric::distance(distance[p][l]);
        }
        const std::int64_t some = count - at < point_lanes ? count - at : point_lanes;
        for (std::int64_t p = 0; p < points_at_once; ++p) {
            if (some == point_lanes)
                for (int l = 0; l < point_lanes; ++l) lane[p][l] += distance[p][l];
            else
                for (std::int64_t l = 0; l < some; ++l) lane[p][l] += distance[p][l];
        }
    }
    for (std::int64_t p = 0; p < points_at_once; ++p) sums[p] = combine_lanes(lane[p]);
}

void sum_by_cluster(const double* distance, const std::int32_t* code, std::int64_t count,
                    double* sums) {
    for (std::int64_t i = 0; i < count; ++i) sums[code[i]] += distance[i];
}

void add_rows(const double* rows, const std::int32_t* code, std::int64_t count,
              std::int64_t features, double* sums, std::int64_t* counts) {
    for (std::int64_t i = 0; i < count; ++i) {
        double* const sum = sums + code[i] * features;
        const double* const row = rows + i * features;
        for (std::int64_t k = 0; k < features; ++k) sum[k] += row[k];
        ++counts[code[i]];
    }
}

void add_spread(const double* rows, const std::int32_t* code, std::int64_t count,
                std::int64_t features, const double* centres, double* squares, double* distances) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double* const centre = centres + code[i] * features;
        const double* const row = rows + i * features;
        const double square = lane_sum(
            features, [=](std::int64_t k) { return (row[k] - centre[k]) * (row[k] - centre[k]); });
        squares[code[i]] += square;
        distances[code[i]] += __builtin_sqrt(square);
    }
}

}  // namespace

extern const clustering_kernels clustering_kernels_table;
const clustering_kernels clustering_kernels_table = {
    distance_sums<euclidean>, distance_sums<manhattan>, sum_by_cluster, add_rows, add_spread};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
