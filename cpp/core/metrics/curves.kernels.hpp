// From sorted buckets of scores to the points of a curve: runs of equal scores become groups,
// groups that a curve can do without are left out, the others are written in the curve's own terms.
#pragma once

#include <cstdint>

#include "metrics/ranking_bucket.kernels.hpp"
#include "support/lanes.hpp"
#include "support/sort.hpp"

namespace mlestar::metrics {

// Positive and negative rows of one distinct score.
struct score_group {
    std::int64_t positives = 0;
    std::int64_t negatives = 0;
};

// Which groups between the first and the last are kept: all; those where the next group's counts
// differ (collinear points of a ROC curve go); those where this or the next has a positive.
enum class keep_rule { all, bends, positives };

// What is written of the counts above and at a threshold.
enum class curve_kind { counts, precision_recall };

// A kept group's place is `start + step * k`. Counts are divided by the two totals.
template <class Score>
struct curve_output {
    double* first;   // false positives, or precision
    double* second;  // true positives, or recall
    Score* threshold;
    std::int64_t start, step;
    double negatives, positives;
    curve_kind kind;
};

template <class Score>
struct curve_span {
    score_group above;  // rows of higher buckets
    score_group next;   // the highest group of the next lower bucket
    bool first, last;   // whether the bucket holds the curve's first or last group
    bool non_negative;  // the bucket's scores
    keep_rule rule;
};

template <class Score, class Key>
struct curve_kernels_of {
    // Sorts the bucket in place (its weights too); `scratch` holds as many, twice if weighted.
    void (*sort)(const bucket<Key>* part, Key* scratch);
    void (*sort_weighted)(const bucket<Key>* part, double* weights, weighted_key* scratch);
    score_group (*highest)(const Key* items, std::int64_t count);
    // Kept groups of a sorted bucket, written unless `output` is null; how many there are.
    std::int64_t (*emit)(const Key* items, std::int64_t count, const curve_span<Score>* span,
                         const curve_output<Score>* output);
    Score (*score)(Key item, bool non_negative);
};

struct curve_kernels {
    curve_kernels_of<double, std::uint64_t> f64;
    curve_kernels_of<float, std::uint32_t> f32;
    // Area by the trapezoidal rule; which signs the steps of x have.
    double (*trapezoid)(const double* x, const double* y, std::int64_t count, bool* rises,
                        bool* falls);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t batch = 256;

// The score of an item, whose sign bit made room for the label.
template <class Score, class Key>
Score score_at(Key item, bool non_negative) {
    constexpr Key sign = Key{1} << (8 * sizeof(Key) - 1);
    const Key magnitude = static_cast<Key>(item >> 1);
    // Order keys: the bits themselves from 0 up, their complement below.
    const Key bits = non_negative ? magnitude : static_cast<Key>(~magnitude);
    return __builtin_bit_cast(Score, static_cast<Key>(bits | (non_negative ? 0 : sign)));
}

template <class Key>
void sort(const bucket<Key>* part, Key* scratch) {
    sort_into(part->items, part->count, scratch);
    for (std::int64_t i = 0; i < part->count; ++i) part->items[i] = scratch[i];
}

template <class Key>
void sort_weighted(const bucket<Key>* part, double* weights, weighted_key* scratch) {
    weighted_key* const rows = scratch + part->count;
    for (std::int64_t i = 0; i < part->count; ++i) rows[i] = {part->items[i], part->weights[i]};
    sort_into(rows, part->count, scratch);
    for (std::int64_t i = 0; i < part->count; ++i) {
        part->items[i] = static_cast<Key>(scratch[i].key);
        weights[i] = scratch[i].weight;
    }
}

template <class Key>
score_group highest(const Key* items, std::int64_t count) {
    score_group group;
    for (std::int64_t i = count - 1; i >= 0 && items[i] >> 1 == items[count - 1] >> 1; --i) {
        group.positives += static_cast<std::int64_t>(items[i] & 1);
        group.negatives += static_cast<std::int64_t>(1 - (items[i] & 1));
    }
    return group;
}

// Kept groups on their way out: counts within the bucket, and an item.
template <class Key>
struct kept_groups {
    std::int32_t positives[batch];
    std::int32_t negatives[batch];
    Key item[batch];
};

template <class Score, class Key>
void write(const kept_groups<Key>& kept, std::int64_t count, const curve_span<Score>& span,
           const curve_output<Score>& output, std::int64_t done) {
    double* const first = output.first + output.start + output.step * done;
    double* const second = output.second + output.start + output.step * done;
    Score* const threshold = output.threshold + output.start + output.step * done;
    double hits[batch], misses[batch];
    const auto hits_above = static_cast<double>(span.above.positives);
    const auto misses_above = static_cast<double>(span.above.negatives);
    for (std::int64_t i = 0; i < count; ++i) {
        hits[i] = hits_above + kept.positives[i];
        misses[i] = misses_above + kept.negatives[i];
    }
    if (output.kind == curve_kind::precision_recall) {
        for (std::int64_t i = 0; i < count; ++i) misses[i] = hits[i] / (hits[i] + misses[i]);
    } else {
        for (std::int64_t i = 0; i < count; ++i) misses[i] = misses[i] / output.negatives;
    }
    for (std::int64_t i = 0; i < count; ++i) hits[i] = hits[i] / output.positives;
    for (std::int64_t i = 0; i < count; ++i) {
        first[i * output.step] = misses[i];
        second[i * output.step] = hits[i];
        threshold[i * output.step] = score_at<Score, Key>(kept.item[i], span.non_negative);
    }
}

template <class Score, class Key>
std::int64_t emit(const Key* items, std::int64_t count, const curve_span<Score>* span,
                  const curve_output<Score>* output) {
    kept_groups<Key> kept;
    std::int64_t waiting = 0, done = 0;
    std::int32_t positives = 0, negatives = 0;            // up to and with the group before
    std::int32_t step_positives = 0, step_negatives = 0;  // of the group before
    Key before = 0;
    const auto keep_before = [&](std::int64_t next_positives, std::int64_t next_negatives,
                                 bool always) {
        bool keep = always || span->rule == keep_rule::all;
        if (span->rule == keep_rule::bends)
            keep |= (next_positives != step_positives) | (next_negatives != step_negatives);
        if (span->rule == keep_rule::positives)
            keep |= (next_positives != 0) | (step_positives != 0);
        kept.positives[waiting] = positives;
        kept.negatives[waiting] = negatives;
        kept.item[waiting] = before;
        waiting += keep ? 1 : 0;
        if (waiting < batch) return;
        if (output != nullptr) write(kept, waiting, *span, *output, done);
        done += waiting;
        waiting = 0;
    };
    bool opening = true;  // nothing is kept before the first group
    bool first = span->first;
    for (std::int64_t i = count - 1; i >= 0;) {
        const Key item = items[i];
        std::int32_t group_positives = 0, group_negatives = 0;
        do {
            const auto positive = static_cast<std::int32_t>(items[i] & 1);
            group_positives += positive;
            group_negatives += 1 - positive;
            --i;
        } while (i >= 0 && items[i] >> 1 == item >> 1);
        if (!opening) {
            keep_before(group_positives, group_negatives, first);
            first = false;
        }
        opening = false;
        positives += group_positives;
        negatives += group_negatives;
        step_positives = group_positives;
        step_negatives = group_negatives;
        before = item;
    }
    if (!opening) keep_before(span->next.positives, span->next.negatives, first || span->last);
    if (output != nullptr && waiting > 0) write(kept, waiting, *span, *output, done);
    return done + waiting;
}

double trapezoid(const double* x, const double* y, std::int64_t count, bool* rises, bool* falls) {
    const std::int64_t steps = count - 1;
    std::int64_t up = 0, down = 0;
    for (std::int64_t i = 0; i < steps; ++i) {
        up |= x[i + 1] > x[i] ? 1 : 0;
        down |= x[i + 1] < x[i] ? 1 : 0;
    }
    if (up) *rises = true;
    if (down) *falls = true;
    return lane_sum(steps,
                    [=](std::int64_t i) { return (x[i + 1] - x[i]) * (y[i + 1] + y[i]) / 2.0; });
}

}  // namespace

extern const curve_kernels curve_kernels_table;
const curve_kernels curve_kernels_table = {
    {sort<std::uint64_t>, sort_weighted<std::uint64_t>, highest<std::uint64_t>,
     emit<double, std::uint64_t>, score_at<double, std::uint64_t>},
    {sort<std::uint32_t>, sort_weighted<std::uint32_t>, highest<std::uint32_t>,
     emit<float, std::uint32_t>, score_at<float, std::uint32_t>},
    trapezoid,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
