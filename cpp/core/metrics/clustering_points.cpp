// The half of clustering.hpp that is about points.
#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/clustering.hpp"
#include "metrics/clustering.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(clustering_kernels)

namespace {

bool enough(std::int64_t points, std::size_t codes, std::int64_t clusters) {
    return points == static_cast<std::int64_t>(codes) && clusters > 1 && clusters < points;
}

std::vector<std::int64_t> sizes_of(const std::vector<std::int32_t>& codes, std::int64_t clusters) {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(clusters), 0);
    for (const std::int32_t code : codes) ++sizes[static_cast<std::size_t>(code)];
    return sizes;
}

// From the sums of a point's distances to every cluster.
double silhouette(const double* sums, const std::vector<std::int64_t>& sizes, std::int32_t own) {
    const std::int64_t others = sizes[static_cast<std::size_t>(own)] - 1;
    if (others == 0) return 0.0;  // by convention
    const double within = sums[own] / static_cast<double>(others);
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < sizes.size(); ++k)
        if (static_cast<std::int32_t>(k) != own)
            nearest = std::min(nearest, sums[k] / static_cast<double>(sizes[k]));
    const double larger = std::max(within, nearest);
    return larger == 0.0 ? 0.0 : (nearest - within) / larger;
}

// Points by cluster, in blocks of eight as the kernel reads them.
struct packed_points {
    std::vector<std::int64_t> first;  // offset of each cluster's first block
    scratch_array<double> blocks;
    bool finite = true;

    packed_points(const matrix_view& points, const std::vector<std::int32_t>& codes,
                  const std::vector<std::int64_t>& sizes)
        : first(offsets(sizes, points.columns)), blocks(static_cast<std::size_t>(first.back())) {
        std::fill_n(blocks.data(), first.back(), 0.0);
        std::vector<std::int64_t> next(sizes.size(), 0);
        scratch_array<double> row(static_cast<std::size_t>(points.columns));
        double all = 0.0;
        for (std::int64_t i = 0; i < points.rows; ++i) {
            const double* x = load_rows_f64(points, i, 1, row.data());
            const auto code = static_cast<std::size_t>(codes[static_cast<std::size_t>(i)]);
            const std::int64_t place = next[code]++;
            double* const block = blocks.data() + first[code] +
                                  place / point_lanes * point_lanes * points.columns +
                                  place % point_lanes;
            for (std::int64_t k = 0; k < points.columns; ++k) {
                block[k * point_lanes] = x[k];
                all += x[k] * 0.0;
            }
        }
        finite = all == 0.0;
    }

    static std::vector<std::int64_t> offsets(const std::vector<std::int64_t>& sizes,
                                             std::int64_t features) {
        std::vector<std::int64_t> result{0};
        for (const std::int64_t size : sizes)
            result.push_back(result.back() +
                             (size + point_lanes - 1) / point_lanes * point_lanes * features);
        return result;
    }
};

}  // namespace

std::optional<std::vector<double>> silhouettes(distance_metric metric, const matrix_view& points,
                                               const std::vector<std::int32_t>& codes,
                                               std::int64_t clusters) {
    if (!enough(points.rows, codes.size(), clusters)) return std::nullopt;
    const auto sizes = sizes_of(codes, clusters);
    const packed_points packed(points, codes, sizes);
    if (!packed.finite) return std::nullopt;
    std::vector<double> result(codes.size());
    const auto distance_sums =
        metric == distance_metric::euclidean ? kernels().euclidean_sums : kernels().manhattan_sums;
    constexpr std::int64_t at_once = 16 * points_at_once;
    const auto width = static_cast<std::size_t>(points.columns);
    parallel_for((points.rows + at_once - 1) / at_once,
                 [&](std::int64_t task) {
                     const std::int64_t last = std::min(points.rows, (task + 1) * at_once);
                     std::vector<double> group(points_at_once * width), buffer(group.size());
                     std::vector<double> sums(static_cast<std::size_t>(clusters * points_at_once));
                     for (std::int64_t at = task * at_once; at < last; at += points_at_once) {
                         const std::int64_t some = std::min(points_at_once, last - at);
                         const double* rows = load_rows_f64(points, at, some, buffer.data());
                         std::copy_n(rows, static_cast<std::size_t>(some) * width, group.data());
                         for (std::int64_t c = 0; c < clusters; ++c) {
                             const auto cluster = static_cast<std::size_t>(c);
                             double part[points_at_once];
                             distance_sums(group.data(),
                                           packed.blocks.data() + packed.first[cluster],
                                           sizes[cluster], points.columns, part);
                             for (std::int64_t p = 0; p < some; ++p)
                                 sums[static_cast<std::size_t>(p * clusters + c)] = part[p];
                         }
                         for (std::int64_t p = 0; p < some; ++p) {
                             const auto i = static_cast<std::size_t>(at + p);
                             result[i] = silhouette(sums.data() + p * clusters, sizes, codes[i]);
                         }
                     }
                 },
                 points.rows * points.rows * points.columns < serial_below * 4);
    return result;
}

std::optional<std::vector<double>> silhouettes_precomputed(const matrix_view& distances,
                                                           const std::vector<std::int32_t>& codes,
                                                           std::int64_t clusters) {
    if (!enough(distances.rows, codes.size(), clusters) || distances.columns != distances.rows)
        return std::nullopt;
    const auto sizes = sizes_of(codes, clusters);
    std::vector<double> result(codes.size());
    constexpr std::int64_t at_once = 16;
    parallel_for((distances.rows + at_once - 1) / at_once,
                 [&](std::int64_t task) {
                     const std::int64_t last = std::min(distances.rows, (task + 1) * at_once);
                     double buffer[block_size];
                     std::vector<double> sums(static_cast<std::size_t>(clusters));
                     for (std::int64_t i = task * at_once; i < last; ++i) {
                         const vector_view row{distances.data + i * distances.row_stride,
                                               distances.type, distances.columns,
                                               distances.column_stride};
                         std::fill(sums.begin(), sums.end(), 0.0);
                         for (std::int64_t at = 0; at < row.size; at += block_size) {
                             const std::int64_t count = std::min(block_size, row.size - at);
                             kernels().sum_by_cluster(load_f64(row, at, count, buffer),
                                                      codes.data() + at, count, sums.data());
                         }
                         const auto k = static_cast<std::size_t>(i);
                         result[k] = silhouette(sums.data(), sizes, codes[k]);
                     }
                 },
                 distances.rows * distances.rows < serial_below);
    for (const double value : result)
        if (!std::isfinite(value)) return std::nullopt;
    return result;
}

std::optional<cluster_spread> spread_of(const matrix_view& points,
                                        const std::vector<std::int32_t>& codes,
                                        std::int64_t clusters) {
    constexpr std::int64_t most_sums = std::int64_t{1} << 18;  // of one task
    if (!enough(points.rows, codes.size(), clusters) || clusters > most_sums / points.columns)
        return std::nullopt;
    const auto k = static_cast<std::size_t>(clusters);
    const auto features = static_cast<std::size_t>(points.columns);
    const std::int64_t at_once = std::max<std::int64_t>(1, 2 * block_size / points.columns);
    // function(partial, rows, codes, count)
    const auto over_rows = [&](const cluster_spread& empty, auto function) {
        return map_blocks(
            points.rows, empty, [&](cluster_spread& part, std::int64_t at, std::int64_t count) {
                scratch_array<double> buffer(static_cast<std::size_t>(at_once) * features);
                for (std::int64_t done = 0; done < count; done += at_once) {
                    const std::int64_t some = std::min(at_once, count - done);
                    const double* rows = load_rows_f64(points, at + done, some, buffer.data());
                    function(part, rows, codes.data() + at + done, some);
                }
            });
    };
    cluster_spread result{std::vector<double>(k * features, 0.0), std::vector<double>(k, 0.0),
                          std::vector<double>(k, 0.0), std::vector<std::int64_t>(k, 0)};
    const auto sums = over_rows(result, [&](cluster_spread& part, const double* rows,
                                            const std::int32_t* code, std::int64_t count) {
        kernels().add_rows(rows, code, count, points.columns, part.centres.data(),
                           part.sizes.data());
    });
    for (const auto& part : sums) {
        for (std::size_t i = 0; i < part.centres.size(); ++i) result.centres[i] += part.centres[i];
        for (std::size_t c = 0; c < k; ++c) result.sizes[c] += part.sizes[c];
    }
    for (std::size_t i = 0; i < result.centres.size(); ++i)
        result.centres[i] /= static_cast<double>(result.sizes[i / features]);
    const cluster_spread empty{{}, std::vector<double>(k, 0.0), std::vector<double>(k, 0.0), {}};
    const auto spreads = over_rows(empty, [&](cluster_spread& part, const double* rows,
                                              const std::int32_t* code, std::int64_t count) {
        kernels().add_spread(rows, code, count, points.columns, result.centres.data(),
                             part.squares.data(), part.distances.data());
    });
    for (const auto& part : spreads) {
        for (std::size_t c = 0; c < k; ++c) {
            result.squares[c] += part.squares[c];
            result.distances[c] += part.distances[c];
        }
    }
    for (std::size_t c = 0; c < k; ++c) {
        result.distances[c] /= static_cast<double>(result.sizes[c]);
        if (!std::isfinite(result.squares[c])) return std::nullopt;
    }
    return result;
}

}  // namespace mlestar::metrics
