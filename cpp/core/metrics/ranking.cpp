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

// function(bucket number, scratch) for every bucket, several to a task.
template <class Item, class Partition, class Function>
void over_buckets(const Partition& parts, std::size_t room_per_row, Function function) {
    constexpr std::int64_t at_once = 16;
    const auto room = room_per_row * static_cast<std::size_t>(parts.largest_bucket());
    const std::int64_t tasks = (parts.buckets() + at_once - 1) / at_once;
    const auto rows = static_cast<std::int64_t>(parts.positives() + parts.negatives());
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            scratch_array<Item> scratch(room);
            const std::int64_t last = std::min(parts.buckets(), (task + 1) * at_once);
            for (std::int64_t b = task * at_once; b < last; ++b) function(b, scratch.data());
        },
        rows < serial_below / 4);
}

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
                                 const vector_view& weight, const label_range& labels) {
    ranking_partition<Score> parts(y_true, score, weight, labels.maximum, labels.minimum);
    if (!parts.build()) return std::nullopt;
    if (labels.minimum == labels.maximum) return std::nan("");  // undefined; the caller says so
    using key = typename ranking_partition<Score>::key;
    const auto& kernel = of_score<Score>(kernels());
    const auto n = static_cast<std::size_t>(parts.buckets());
    if (!weight) {
        std::vector<std::uint64_t> twice(n);
        over_buckets<key>(parts, 1, [&](std::int64_t b, key* scratch) {
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
    over_buckets<weighted_key>(parts, 2, [&](std::int64_t b, weighted_key* scratch) {
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
                                           std::int64_t negative) {
    ranking_partition<Score> parts(y_true, score, weight, positive, negative);
    if (!parts.build() || parts.positives() == 0) return std::nullopt;
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
        over_buckets<key>(parts, 1, [&](std::int64_t b, key* scratch) {
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
        over_buckets<weighted_key>(parts, 2, [&](std::int64_t b, weighted_key* scratch) {
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
    return score.type == dtype::f32 ? roc_auc_of<float>(y_true, score, weight, *labels)
                                    : roc_auc_of<double>(y_true, score, weight, *labels);
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

roc_auc_scorer::roc_auc_scorer(std::vector<std::uint8_t> positive)
    : positive_(std::move(positive)) {
    const auto hits = std::count(positive_.begin(), positive_.end(), std::uint8_t{1});
    pairs_ = static_cast<double>(hits) *
             static_cast<double>(static_cast<std::ptrdiff_t>(positive_.size()) - hits);
}

double roc_auc_scorer::operator()(const double* score, std::vector<std::uint64_t>& scratch) const {
    scratch.resize(2 * positive_.size());
    const std::uint64_t twice = kernels().auc_direct(
        score, positive_.data(), static_cast<std::int64_t>(positive_.size()), scratch.data());
    return static_cast<double>(twice) / (2.0 * pairs_);
}

}  // namespace mlestar::metrics
