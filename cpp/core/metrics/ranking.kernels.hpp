// What a bucket of scores adds to ROC AUC and average precision: sort it in L1, walk its distinct
// values.
#pragma once

#include <cstdint>

#include "metrics/ranking_bucket.kernels.hpp"
#include "support/lanes.hpp"
#include "support/sort.hpp"

namespace mlestar::metrics {

struct weighted_counts {
    double positive = 0.0;
    double negative = 0.0;
};

template <class Key>
struct ranking_kernels_of {
    // All of them use up the bucket's items; `scratch` holds as many, twice as many if weighted.
    // Twice the number of (positive, negative) pairs in order, ties counting one.
    std::uint64_t (*auc)(const bucket<Key>* part, Key* scratch);
    double (*auc_weighted)(const bucket<Key>* part, weighted_key* scratch);
    // Sum of (positives of a threshold) * precision, given what lies above the bucket.
    double (*precision)(const bucket<Key>* part, Key* scratch, std::uint64_t positives_above,
                        std::uint64_t negatives_above);
    double (*precision_weighted)(const bucket<Key>* part, weighted_key* scratch,
                                 weighted_counts above);
    // Both unweighted ones from one sort.
    std::uint64_t (*auc_and_precision)(const bucket<Key>* part, Key* scratch,
                                       std::uint64_t positives_above, std::uint64_t negatives_above,
                                       double* precision);
    // For each class k: twice the ordered pairs of a positive and a negative of class k, and the
    // negatives. A row's weight is its class.
    void (*auc_by_class)(const bucket<Key>* part, weighted_key* scratch, std::int64_t classes,
                         std::uint64_t* twice, std::uint64_t* negatives);
};

struct ranking_kernels {
    ranking_kernels_of<std::uint64_t> f64;
    ranking_kernels_of<std::uint32_t> f32;
    std::uint64_t (*auc_direct)(const double* score, const std::uint8_t* positive,
                                std::int64_t count, std::uint64_t* scratch);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t batch = 256;

// The rows with their weights, sorted; the upper half of `scratch` is for the way there.
template <class Key>
const weighted_key* sort_weighted(const bucket<Key>& part, weighted_key* scratch) {
    weighted_key* const rows = scratch + part.count;
    for (std::int64_t i = 0; i < part.count; ++i) rows[i] = {part.items[i], part.weights[i]};
    sort_into(rows, part.count, scratch);
    return scratch;
}

template <class Key>
std::uint64_t tally_auc(const Key* items, std::int64_t count) {
    std::uint64_t twice = 0;
    std::uint64_t below = 0;
    for (std::int64_t i = 0; i < count;) {
        const Key value = items[i] >> 1;
        std::uint64_t positives = 0;
        std::uint64_t negatives = 0;
        do {
            positives += items[i] & 1;
            negatives += 1 - (items[i] & 1);
            ++i;
        } while (i < count && items[i] >> 1 == value);
        twice += positives * (2 * below + negatives);
        below += negatives;
    }
    return twice;
}

template <class Key>
std::uint64_t auc(const bucket<Key>* part, Key* scratch) {
    if (part->positives == 0 || part->positives == part->count) return 0;
    sort_into(part->items, part->count, scratch);
    return tally_auc(scratch, part->count);
}

template <class Key>
double auc_weighted(const bucket<Key>* part, weighted_key* scratch) {
    if (part->positives == 0 || part->positives == part->count) return 0.0;
    const weighted_key* const rows = sort_weighted(*part, scratch);
    double area = 0.0;
    double below = 0.0;
    for (std::int64_t i = 0; i < part->count;) {
        const std::uint64_t value = rows[i].key >> 1;
        double positives = 0.0;
        double negatives = 0.0;
        do {
            const bool positive = rows[i].key & 1;
            positives += positive ? rows[i].weight : 0.0;
            negatives += positive ? 0.0 : rows[i].weight;
            ++i;
        } while (i < part->count && rows[i].key >> 1 == value);
        area += positives * (below + 0.5 * negatives);
        below += negatives;
    }
    return area;
}

template <class Key>
void auc_by_class(const bucket<Key>* part, weighted_key* scratch, std::int64_t classes,
                  std::uint64_t* twice, std::uint64_t* negatives) {
    if (part->positives == 0) {  // no order needed
        for (std::int64_t i = 0; i < part->count; ++i)
            ++negatives[static_cast<std::int64_t>(part->weights[i])];
        return;
    }
    const weighted_key* const rows = sort_weighted(*part, scratch);
    for (std::int64_t i = 0; i < part->count;) {
        const std::uint64_t value = rows[i].key >> 1;
        std::int64_t end = i;
        std::uint64_t positives = 0;
        do positives += rows[end++].key & 1;
        while (end < part->count && rows[end].key >> 1 == value);
        if (positives > 0)
            for (std::int64_t k = 0; k < classes; ++k) twice[k] += 2 * positives * negatives[k];
        for (; i < end; ++i) {
            const auto k = static_cast<std::int64_t>(rows[i].weight);
            const std::uint64_t negative = 1 - (rows[i].key & 1);
            twice[k] += negative * positives;
            negatives[k] += negative;
        }
    }
}

// Row by row without a branch (labels are as good as random): a threshold's positives stand at its
// last row, zero at the others; the divisions are then a loop of their own.
template <class Key>
double tally_precision(const Key* sorted, std::int64_t count, std::uint64_t positives_above,
                       std::uint64_t negatives_above) {
    const auto hits_above = static_cast<double>(positives_above);
    const auto all_above = static_cast<double>(positives_above + negatives_above);
    std::int32_t at_threshold[batch];
    std::int32_t hits[batch];
    std::int32_t group = 0;
    std::int32_t found = 0;
    double sum = 0.0;
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        const Key* const last = sorted + (count - 1 - done);
        for (std::int64_t i = 0; i < some; ++i) {
            const Key item = last[-i];
            const auto positive = static_cast<std::int32_t>(item & 1);
            group += positive;
            found += positive;
            const bool ends = done + i + 1 == count || (item ^ last[-i - 1]) > 1;
            at_threshold[i] = ends ? group : 0;
            group = ends ? 0 : group;
            hits[i] = found;
        }
        const double all = all_above + static_cast<double>(done + 1);
        sum += lane_sum(some, [=, &at_threshold, &hits](std::int64_t i) {
            return at_threshold[i] * ((hits_above + hits[i]) / (all + static_cast<double>(i)));
        });
    }
    return sum;
}

template <class Key>
double precision(const bucket<Key>* part, Key* scratch, std::uint64_t positives_above,
                 std::uint64_t negatives_above) {
    if (part->positives == 0) return 0.0;
    sort_into(part->items, part->count, scratch);
    return tally_precision(scratch, part->count, positives_above, negatives_above);
}

template <class Key>
std::uint64_t auc_and_precision(const bucket<Key>* part, Key* scratch,
                                std::uint64_t positives_above, std::uint64_t negatives_above,
                                double* precision) {
    *precision = 0.0;
    if (part->positives == 0) return 0;
    sort_into(part->items, part->count, scratch);
    *precision = tally_precision(scratch, part->count, positives_above, negatives_above);
    return part->positives == part->count ? 0 : tally_auc(scratch, part->count);
}

template <class Key>
double precision_weighted(const bucket<Key>* part, weighted_key* scratch, weighted_counts above) {
    if (part->positives == 0) return 0.0;
    const weighted_key* const rows = sort_weighted(*part, scratch);
    double sum = 0.0;
    double hits = above.positive;
    double misses = above.negative;
    for (std::int64_t i = part->count - 1; i >= 0;) {
        const std::uint64_t value = rows[i].key >> 1;
        double positives = 0.0;
        do {
            const bool positive = rows[i].key & 1;
            positives += positive ? rows[i].weight : 0.0;
            misses += positive ? 0.0 : rows[i].weight;
            --i;
        } while (i >= 0 && rows[i].key >> 1 == value);
        hits += positives;
        if (positives > 0.0) sum += positives * (hits / (hits + misses));
    }
    return sum;
}

void sort_in_place(std::uint64_t* items, std::int64_t count, std::uint64_t* spare) {
    if (count == 0) return;
    sort_into(items, count, spare);
    for (std::int64_t i = 0; i < count; ++i) items[i] = spare[i];
}

// Bins of equal width between the smallest and the largest score.
constexpr std::int64_t direct_bins = 4096;

void bins_of(const double* score, std::int64_t count, double low, double scale,
             std::int32_t* bins) {
    for (std::int64_t i = 0; i < count; ++i)
        bins[i] = static_cast<std::int32_t>((score[i] - low) * scale);
}

// Packs keys and labels into `items`, already in the order of their bins, and sorts them.
void sort_by_bins(const double* score, const std::uint8_t* positive, std::int64_t count, double low,
                  double scale, std::uint64_t origin, std::uint64_t* items, std::uint64_t* spare) {
    std::uint32_t place[direct_bins + 1];
    std::int32_t bins[batch];
    for (std::int64_t b = 0; b <= direct_bins; ++b) place[b] = 0;
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        bins_of(score + done, some, low, scale, bins);
        for (std::int64_t i = 0; i < some; ++i) ++place[bins[i] + 1];
    }
    for (std::int64_t b = 1; b <= direct_bins; ++b) place[b] += place[b - 1];
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        bins_of(score + done, some, low, scale, bins);
        for (std::int64_t i = 0; i < some; ++i)
            items[place[bins[i]]++] =
                (order_key(score[done + i]) - origin) << 1 | positive[done + i];
    }
    std::int64_t start = 0;
    for (std::int64_t b = 0; b < direct_bins; ++b) {
        const std::int64_t end = place[b];
        if (end - start > few_items) sort_in_place(items + start, end - start, spare);
        start = end;
    }
    insertion_sort(items, count);
}

std::uint64_t auc_direct(const double* score, const std::uint8_t* positive, std::int64_t count,
                         std::uint64_t* scratch) {
    double lowest = score[0];
    double highest = score[0];
    for (std::int64_t i = 0; i < count; ++i) {
        lowest = score[i] < lowest ? score[i] : lowest;
        highest = score[i] > highest ? score[i] : highest;
    }
    const std::uint64_t low = order_key(lowest);
    const std::uint64_t high = order_key(highest);
    const double scale = static_cast<double>(direct_bins - 1) / (highest - lowest);
    if (high - low < sign64) {
        if (scale < 1e300 && count > 256) {
            sort_by_bins(score, positive, count, lowest, scale, low, scratch, scratch + count);
        } else {
            for (std::int64_t i = 0; i < count; ++i)
                scratch[i] = (order_key(score[i]) - low) << 1 | positive[i];
            sort_in_place(scratch, count, scratch + count);
        }
        return tally_auc(scratch, count);
    }
    // Both signs and magnitudes too large for the shift: the negative scores, then the others.
    std::int64_t first = 0;
    std::uint64_t below = 0;
    std::uint64_t twice = 0;
    for (int pass = 0; pass < 2; ++pass) {
        const std::uint64_t origin = pass == 0 ? low : sign64;
        std::int64_t size = 0;
        std::uint64_t positives = 0;
        std::uint64_t negatives = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::uint64_t key = order_key(score[i]);
            if ((key >= sign64) != (pass == 1)) continue;
            scratch[first + size++] = (key - origin) << 1 | positive[i];
            positives += positive[i];
            negatives += 1u - positive[i];
        }
        sort_in_place(scratch + first, size, scratch + count);
        twice += tally_auc(scratch + first, size) + 2 * positives * below;
        below += negatives;
        first += size;
    }
    return twice;
}

}  // namespace

extern const ranking_kernels ranking_kernels_table;
const ranking_kernels ranking_kernels_table = {
    {auc<std::uint64_t>, auc_weighted<std::uint64_t>, precision<std::uint64_t>,
     precision_weighted<std::uint64_t>, auc_and_precision<std::uint64_t>,
     auc_by_class<std::uint64_t>},
    {auc<std::uint32_t>, auc_weighted<std::uint32_t>, precision<std::uint32_t>,
     precision_weighted<std::uint32_t>, auc_and_precision<std::uint32_t>,
     auc_by_class<std::uint32_t>},
    auc_direct,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
