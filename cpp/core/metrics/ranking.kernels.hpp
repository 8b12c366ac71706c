// What a bucket of scores adds to ROC AUC and average precision: sort it in L1, walk its distinct
// values.
#pragma once

#include <cstdint>

#include "support/sort.hpp"

namespace mlestar::metrics {

// A bucket after the partition: the positives' keys, then the negatives'.
template <class Key>
struct bucket {
    const Key* positive;
    const Key* negative;
    std::int64_t positives;
    std::int64_t negatives;
    const double* positive_weight;  // null where unweighted
    const double* negative_weight;
};

struct weighted_counts {
    double positive = 0.0;
    double negative = 0.0;
};

template <class Key>
struct ranking_kernels_of {
    // Twice the number of (positive, negative) pairs in order, ties counting one.
    std::uint64_t (*auc)(const bucket<Key>* part, std::uint64_t* scratch);
    double (*auc_weighted)(const bucket<Key>* part, weighted_key* scratch);
    // Sum of (positives of a threshold) * precision, given what lies above the bucket.
    double (*precision)(const bucket<Key>* part, std::uint64_t* scratch,
                        std::uint64_t positives_above, std::uint64_t negatives_above);
    double (*precision_weighted)(const bucket<Key>* part, weighted_key* scratch,
                                 weighted_counts above);
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

// The bucket's keys above its smallest, shifted left by one, with the label as the lowest bit (1:
// positive). A bucket holds one sign only, so the shift loses nothing.
template <class Key>
void pack(const bucket<Key>& part, std::uint64_t* items) {
    Key low = part.positive[0];
    for (std::int64_t i = 0; i < part.positives; ++i)
        low = part.positive[i] < low ? part.positive[i] : low;
    for (std::int64_t i = 0; i < part.negatives; ++i)
        low = part.negative[i] < low ? part.negative[i] : low;
    for (std::int64_t i = 0; i < part.positives; ++i)
        items[i] = static_cast<std::uint64_t>(part.positive[i] - low) << 1 | 1;
    for (std::int64_t i = 0; i < part.negatives; ++i)
        items[part.positives + i] = static_cast<std::uint64_t>(part.negative[i] - low) << 1;
}

template <class Key>
void pack(const bucket<Key>& part, weighted_key* items) {
    for (std::int64_t i = 0; i < part.positives; ++i)
        items[i] = {static_cast<std::uint64_t>(part.positive[i]), part.positive_weight[i]};
    for (std::int64_t i = 0; i < part.negatives; ++i)
        items[part.positives + i] = {static_cast<std::uint64_t>(part.negative[i]),
                                     part.negative_weight[i]};
    std::uint64_t low = items[0].key;
    const std::int64_t count = part.positives + part.negatives;
    for (std::int64_t i = 0; i < count; ++i) low = items[i].key < low ? items[i].key : low;
    for (std::int64_t i = 0; i < count; ++i)
        items[i].key = (items[i].key - low) << 1 | (i < part.positives ? 1u : 0u);
}

std::uint64_t tally_auc(const std::uint64_t* items, std::int64_t count) {
    std::uint64_t twice = 0;
    std::uint64_t below = 0;
    for (std::int64_t i = 0; i < count;) {
        const std::uint64_t value = items[i] >> 1;
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
std::uint64_t auc(const bucket<Key>* part, std::uint64_t* scratch) {
    if (part->positives == 0 || part->negatives == 0) return 0;
    const std::int64_t count = part->positives + part->negatives;
    pack(*part, scratch);
    sort(scratch, scratch + count, count);
    return tally_auc(scratch, count);
}

template <class Key>
double auc_weighted(const bucket<Key>* part, weighted_key* scratch) {
    if (part->positives == 0 || part->negatives == 0) return 0.0;
    const std::int64_t count = part->positives + part->negatives;
    pack(*part, scratch);
    sort(scratch, scratch + count, count);
    double area = 0.0;
    double below = 0.0;
    for (std::int64_t i = 0; i < count;) {
        const std::uint64_t value = scratch[i].key >> 1;
        double positives = 0.0;
        double negatives = 0.0;
        do {
            const bool positive = scratch[i].key & 1;
            positives += positive ? scratch[i].weight : 0.0;
            negatives += positive ? 0.0 : scratch[i].weight;
            ++i;
        } while (i < count && scratch[i].key >> 1 == value);
        area += positives * (below + 0.5 * negatives);
        below += negatives;
    }
    return area;
}

template <class Key>
double precision(const bucket<Key>* part, std::uint64_t* scratch, std::uint64_t positives_above,
                 std::uint64_t negatives_above) {
    if (part->positives == 0) return 0.0;
    const std::int64_t count = part->positives + part->negatives;
    pack(*part, scratch);
    sort(scratch, scratch + count, count);
    double sum = 0.0;
    std::uint64_t hits = positives_above;
    std::uint64_t all = positives_above + negatives_above;
    for (std::int64_t i = count - 1; i >= 0;) {
        const std::uint64_t value = scratch[i] >> 1;
        std::uint64_t positives = 0;
        do {
            positives += scratch[i] & 1;
            ++all;
            --i;
        } while (i >= 0 && scratch[i] >> 1 == value);
        if (positives == 0) continue;
        hits += positives;
        sum +=
            static_cast<double>(positives) * (static_cast<double>(hits) / static_cast<double>(all));
    }
    return sum;
}

template <class Key>
double precision_weighted(const bucket<Key>* part, weighted_key* scratch, weighted_counts above) {
    if (part->positives == 0) return 0.0;
    const std::int64_t count = part->positives + part->negatives;
    pack(*part, scratch);
    sort(scratch, scratch + count, count);
    double sum = 0.0;
    double hits = above.positive;
    double misses = above.negative;
    for (std::int64_t i = count - 1; i >= 0;) {
        const std::uint64_t value = scratch[i].key >> 1;
        double positives = 0.0;
        do {
            const bool positive = scratch[i].key & 1;
            positives += positive ? scratch[i].weight : 0.0;
            misses += positive ? 0.0 : scratch[i].weight;
            --i;
        } while (i >= 0 && scratch[i].key >> 1 == value);
        hits += positives;
        if (positives > 0.0) sum += positives * (hits / (hits + misses));
    }
    return sum;
}

constexpr std::int64_t batch = 256;

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
        if (end - start > 24) sort(items + start, spare, end - start);
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
            sort(scratch, scratch + count, count);
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
        sort(scratch + first, scratch + count, size);
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
     precision_weighted<std::uint64_t>},
    {auc<std::uint32_t>, auc_weighted<std::uint32_t>, precision<std::uint32_t>,
     precision_weighted<std::uint32_t>},
    auc_direct,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
