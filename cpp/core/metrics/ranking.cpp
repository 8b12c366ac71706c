#include "metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "metrics/labels.hpp"
#include "metrics/ranking.kernels.hpp"
#include "metrics/ranking_partition.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(ranking_kernels)

namespace {

// The weights of every bucket and in all, summed in the order of the rows within it.
template <class Partition>
std::vector<weighted_counts> bucket_weights(Partition& parts, weighted_counts& whole) {
    std::vector<weighted_counts> sums(static_cast<std::size_t>(parts.buckets()));
    for (std::int64_t b = 0; b < parts.buckets(); ++b) {
        const auto part = parts.at(b);
        auto& sum = sums[static_cast<std::size_t>(b)];
        for (std::int64_t i = 0; i < part.count; ++i)
            ((part.items[i] & 1) != 0 ? sum.positive : sum.negative) += part.weights[i];
        whole.positive += sum.positive;
        whole.negative += sum.negative;
    }
    return sums;
}

template <class Score>
std::optional<double> roc_auc_of(const vector_view& y_true, const vector_view& score,
                                 const vector_view& weight, std::int64_t positive,
                                 std::optional<std::int64_t> negative) {
    ranking_partition<Score> parts(y_true, score, weight, positive, negative);
    if (!parts.build()) return std::nullopt;
    // Undefined; the caller says so.
    if (parts.positives() == 0 || parts.negatives() == 0) return std::nan("");
    using key = typename ranking_partition<Score>::key;
    const auto& kernel = of_score<Score>(kernels());
    const auto n = static_cast<std::size_t>(parts.buckets());
    if (!weight) {
        std::vector<std::uint64_t> twice(n);
        over_buckets<key>(parts, parts.largest_bucket(), [&](std::int64_t b, key* scratch) {
            const auto part = parts.at(b);
            twice[static_cast<std::size_t>(b)] = kernel.auc(&part, scratch);
        });
        std::uint64_t sum = 0;
        std::uint64_t below = 0;
        for (std::size_t b = 0; b < n; ++b) {
            const auto at = static_cast<std::int64_t>(b);
            sum += twice[b] + 2 * static_cast<std::uint64_t>(parts.positives_in(at)) * below;
            below += static_cast<std::uint64_t>(parts.negatives_in(at));
        }
        return static_cast<double>(sum) / (2.0 * static_cast<double>(parts.positives()) *
                                           static_cast<double>(parts.negatives()));
    }
    weighted_counts whole;
    const auto sums = bucket_weights(parts, whole);
    if (!(whole.positive > 0.0) || !(whole.negative > 0.0) ||
        !std::isfinite(whole.positive * whole.negative))
        return std::nullopt;
    std::vector<double> areas(n);
    over_buckets<weighted_key>(
        parts, 2 * parts.largest_bucket(), [&](std::int64_t b, weighted_key* scratch) {
            const auto part = parts.at(b);
            areas[static_cast<std::size_t>(b)] = kernel.auc_weighted(&part, scratch);
        });
    double area = 0.0;
    double below = 0.0;
    for (std::size_t b = 0; b < n; ++b) {
        area += areas[b] + sums[b].positive * below;
        below += sums[b].negative;
    }
    return area / (whole.positive * whole.negative);
}

template <class Score>
std::optional<double> average_precision_of(const vector_view& y_true, const vector_view& score,
                                           const vector_view& weight, std::int64_t positive,
                                           std::optional<std::int64_t> negative) {
    ranking_partition<Score> parts(y_true, score, weight, positive, negative);
    if (!parts.build()) return std::nullopt;
    if (parts.positives() == 0) return std::nan("");  // undefined; the caller says so
    using key = typename ranking_partition<Score>::key;
    const auto& kernel = of_score<Score>(kernels());
    const auto n = static_cast<std::size_t>(parts.buckets());
    std::vector<double> terms(n);
    double divisor = static_cast<double>(parts.positives());
    if (!weight) {
        std::vector<std::uint64_t> hits(n + 1, 0), misses(n + 1, 0);  // above bucket b, at b + 1
        for (std::size_t b = n; b-- > 0;) {
            const auto at = static_cast<std::int64_t>(b);
            hits[b] = hits[b + 1] + static_cast<std::uint64_t>(parts.positives_in(at));
            misses[b] = misses[b + 1] + static_cast<std::uint64_t>(parts.negatives_in(at));
        }
        over_buckets<key>(parts, parts.largest_bucket(), [&](std::int64_t b, key* scratch) {
            const auto part = parts.at(b);
            const auto at = static_cast<std::size_t>(b);
            terms[at] = kernel.precision(&part, scratch, hits[at + 1], misses[at + 1]);
        });
    } else {
        weighted_counts whole;
        const auto sums = bucket_weights(parts, whole);
        if (!(whole.positive > 0.0) || !std::isfinite(whole.positive + whole.negative))
            return std::nullopt;
        divisor = whole.positive;
        std::vector<weighted_counts> above(n + 1);
        for (std::size_t b = n; b-- > 0;) {
            above[b].positive = above[b + 1].positive + sums[b].positive;
            above[b].negative = above[b + 1].negative + sums[b].negative;
        }
        over_buckets<weighted_key>(
            parts, 2 * parts.largest_bucket(), [&](std::int64_t b, weighted_key* scratch) {
                const auto part = parts.at(b);
                const auto at = static_cast<std::size_t>(b);
                terms[at] = kernel.precision_weighted(&part, scratch, above[at + 1]);
            });
    }
    double sum = 0.0;
    for (std::size_t b = n; b-- > 0;) sum += terms[b];
    return sum / divisor;
}

}  // namespace

std::optional<double> roc_auc(const vector_view& y_true, const vector_view& score,
                              const vector_view& weight) {
    if (!rankable(y_true, score, weight)) return std::nullopt;
    const auto labels = range_of({y_true});
    if (!labels) return std::nullopt;
    const std::int64_t positive = labels->maximum, negative = labels->minimum;
    return score.type == dtype::f32 ? roc_auc_of<float>(y_true, score, weight, positive, negative)
                                    : roc_auc_of<double>(y_true, score, weight, positive, negative);
}

std::optional<double> one_against_rest(ranking_metric metric, const vector_view& y_true,
                                       const vector_view& score, const vector_view& weight,
                                       std::int64_t positive) {
    if (!rankable(y_true, score, weight)) return std::nullopt;
    const bool single = score.type == dtype::f32;
    if (metric == ranking_metric::roc_auc)
        return single ? roc_auc_of<float>(y_true, score, weight, positive, std::nullopt)
                      : roc_auc_of<double>(y_true, score, weight, positive, std::nullopt);
    return single ? average_precision_of<float>(y_true, score, weight, positive, std::nullopt)
                  : average_precision_of<double>(y_true, score, weight, positive, std::nullopt);
}

namespace {

template <class Score>
bool pair_areas_of(const vector_view& codes, const vector_view& score, std::int64_t positive,
                   std::int64_t classes, double* areas) {
    ranking_partition<Score> parts(codes, score, codes, positive, std::nullopt);
    if (!parts.build()) return false;
    const auto& kernel = of_score<Score>(kernels());
    const auto n = static_cast<std::size_t>(parts.buckets());
    const auto width = static_cast<std::size_t>(classes);
    std::vector<std::uint64_t> twice(n * width, 0), negatives(n * width, 0);
    over_buckets<weighted_key>(
        parts, 2 * parts.largest_bucket(), [&](std::int64_t b, weighted_key* scratch) {
            const auto part = parts.at(b);
            const std::size_t at = static_cast<std::size_t>(b) * width;
            kernel.auc_by_class(&part, scratch, classes, twice.data() + at, negatives.data() + at);
        });
    std::vector<std::uint64_t> sum(width, 0), below(width, 0);
    for (std::size_t b = 0; b < n; ++b) {
        const auto positives =
            static_cast<std::uint64_t>(parts.positives_in(static_cast<std::int64_t>(b)));
        for (std::size_t k = 0; k < width; ++k) {
            sum[k] += twice[b * width + k] + 2 * positives * below[k];
            below[k] += negatives[b * width + k];
        }
    }
    for (std::size_t k = 0; k < width; ++k) {
        const double pairs =
            2.0 * static_cast<double>(parts.positives()) * static_cast<double>(below[k]);
        areas[k] = pairs > 0.0 ? static_cast<double>(sum[k]) / pairs : std::nan("");
    }
    return true;
}

}  // namespace

bool pair_areas(const vector_view& codes, const vector_view& score, std::int64_t positive,
                std::int64_t classes, double* areas) {
    if (!rankable(codes, score, {})) return false;
    return score.type == dtype::f32 ? pair_areas_of<float>(codes, score, positive, classes, areas)
                                    : pair_areas_of<double>(codes, score, positive, classes, areas);
}

std::optional<double> average_precision(const vector_view& y_true, const vector_view& score,
                                        const vector_view& weight, std::int64_t positive) {
    if (!rankable(y_true, score, weight)) return std::nullopt;
    const auto labels = range_of({y_true});
    if (!labels || (positive != labels->minimum && positive != labels->maximum))
        return std::nullopt;
    const std::int64_t negative = positive == labels->maximum ? labels->minimum : labels->maximum;
    return score.type == dtype::f32
               ? average_precision_of<float>(y_true, score, weight, positive, negative)
               : average_precision_of<double>(y_true, score, weight, positive, negative);
}

namespace {

template <class Score>
std::optional<ranking_scores> both_of(const vector_view& y_true, const vector_view& score,
                                      const label_range& labels) {
    ranking_partition<Score> parts(y_true, score, {}, labels.maximum, labels.minimum);
    if (!parts.build()) return std::nullopt;
    using key = typename ranking_partition<Score>::key;
    const auto& kernel = of_score<Score>(kernels());
    const auto n = static_cast<std::size_t>(parts.buckets());
    std::vector<std::uint64_t> twice(n), hits(n + 1, 0), misses(n + 1, 0);
    for (std::size_t b = n; b-- > 0;) {
        const auto at = static_cast<std::int64_t>(b);
        hits[b] = hits[b + 1] + static_cast<std::uint64_t>(parts.positives_in(at));
        misses[b] = misses[b + 1] + static_cast<std::uint64_t>(parts.negatives_in(at));
    }
    std::vector<double> terms(n);
    over_buckets<key>(parts, parts.largest_bucket(), [&](std::int64_t b, key* scratch) {
        const auto part = parts.at(b);
        const auto at = static_cast<std::size_t>(b);
        twice[at] =
            kernel.auc_and_precision(&part, scratch, hits[at + 1], misses[at + 1], &terms[at]);
    });
    std::uint64_t pairs = 0;
    double precision = 0.0;
    for (std::size_t b = n; b-- > 0;) {
        const auto positives =
            static_cast<std::uint64_t>(parts.positives_in(static_cast<std::int64_t>(b)));
        pairs += twice[b] + 2 * positives * (misses[0] - misses[b]);
        precision += terms[b];
    }
    const auto positives = static_cast<double>(parts.positives());
    const auto negatives = static_cast<double>(parts.negatives());
    return ranking_scores{positives * negatives == 0.0
                              ? std::nan("")
                              : static_cast<double>(pairs) / (2.0 * positives * negatives),
                          positives == 0.0 ? std::nan("") : precision / positives};
}

}  // namespace

std::optional<ranking_scores> roc_auc_and_average_precision(const vector_view& y_true,
                                                            const vector_view& score) {
    if (!rankable(y_true, score, {})) return std::nullopt;
    const auto labels = range_of({y_true});
    if (!labels) return std::nullopt;
    return score.type == dtype::f32 ? both_of<float>(y_true, score, *labels)
                                    : both_of<double>(y_true, score, *labels);
}

roc_auc_scorer::roc_auc_scorer(std::vector<std::uint8_t> positive)
    : positive_(std::move(positive)) {
    const auto hits = std::count(positive_.begin(), positive_.end(), std::uint8_t{1});
    pairs_ = static_cast<double>(hits) *
             static_cast<double>(static_cast<std::ptrdiff_t>(positive_.size()) - hits);
}

double roc_auc_scorer::operator()(const double* score, std::vector<std::uint64_t>& scratch) const {
    const auto count = static_cast<std::int64_t>(positive_.size());
    scratch.resize(static_cast<std::size_t>(auc_direct_words(count)));
    const std::uint64_t twice =
        kernels().auc_direct(score, positive_.data(), count, scratch.data());
    return static_cast<double>(twice) / (2.0 * pairs_);
}

}  // namespace mlestar::metrics
