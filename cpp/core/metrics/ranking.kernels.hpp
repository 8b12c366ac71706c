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

// How auc_direct bins its rows, and the 64-bit words that it works in.
static inline std::int64_t auc_direct_bins(std::int64_t count) {
    std::int64_t bins = 512;
    while (4 * bins < 3 * count && bins < std::int64_t{1} << 17) bins *= 2;
    return bins;
}

static inline std::int64_t auc_direct_words(std::int64_t count) {
    return 4 * count + 8 + auc_direct_bins(count);
}

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

void bins_of(const double* score, std::int64_t count, double low, double scale,
             std::uint32_t* bins) {
    for (std::int64_t i = 0; i < count; ++i)
        bins[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>((score[i] - low) * scale));
}

// Twice the pairs in order among a few items, by looking at each pair.
std::uint64_t tally_pairs(const std::uint64_t* items, std::int64_t count) {
    std::uint64_t twice = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint64_t item = items[i] >> 1;
        std::uint64_t here = 0;
        for (std::int64_t j = 0; j < count; ++j) {
            const std::uint64_t other = items[j] >> 1;
            here += ((item > other ? 1u : 0u) + (item >= other ? 1u : 0u)) * (~items[j] & 1);
        }
        twice += here * (items[i] & 1);
    }
    return twice;
}

// Twice the pairs in order of different bins, from each bin's positives (above) and negatives
// (below). The bins that hold both are laid out one after the other: `table` becomes the place of
// each bin's first row, `elsewhere` for the other bins, `starts` where each begins and the last
// ends. Their number. A function of its own, for its variables to stay in registers; no branch,
// since whether a bin holds both is as good as random.
__attribute__((noinline)) std::int64_t pairs_of_bins(std::uint64_t* table, std::int64_t bins,
                                                     std::int64_t elsewhere, std::uint32_t* starts,
                                                     std::uint64_t* twice) {
    std::uint64_t pairs = 0, below = 0, next = 0, mixed = 0;
    for (std::int64_t b = 0; b < bins; ++b) {
        const std::uint64_t positives = table[b] >> 32, negatives = table[b] & 0xFFFFFFFF;
        const std::uint64_t product = positives * negatives;
        const std::uint64_t both = (product | (0 - product)) >> 63;  // whether it is not zero
        const std::uint64_t mask = 0 - both;
        pairs += positives * below;
        below += negatives;
        starts[mixed] = static_cast<std::uint32_t>(next);
        mixed += both;
        table[b] = (next & mask) | (static_cast<std::uint64_t>(elsewhere) & ~mask);
        next += (positives + negatives) & mask;
    }
    starts[mixed] = static_cast<std::uint32_t>(next);
    *twice = 2 * pairs;
    return static_cast<std::int64_t>(mixed);
}

// Bins of equal width order all pairs but those within a bin: only rows of bins that hold both
// labels are sorted, which are few where the bins outnumber the rows.
std::uint64_t auc_by_bins(const double* score, const std::uint8_t* positive, std::int64_t count,
                          double low, double scale, std::int64_t bins, std::uint64_t origin,
                          std::uint64_t* scratch) {
    constexpr std::int64_t few_pairs = 12;
    std::uint64_t* const items = scratch;  // the last is for rows that need no sorting
    std::uint64_t* const spare = items + count + 1;
    std::uint64_t* const table = spare + count;  // positives above, negatives below; then places
    auto* const bin = reinterpret_cast<std::uint32_t*>(table + bins);
    auto* const starts = bin + count;
    bins_of(score, count, low, scale, bin);
    for (std::int64_t b = 0; b < bins; ++b) table[b] = 0;
    for (std::int64_t i = 0; i < count; ++i)
        table[bin[i]] += 1 + positive[i] * ((std::uint64_t{1} << 32) - 1);
    std::uint64_t twice = 0;
    const std::int64_t mixed = pairs_of_bins(table, bins, count, starts, &twice);
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint64_t place = table[bin[i]];
        items[place] = (order_key(score[i]) - origin) << 1 | positive[i];
        table[bin[i]] = place + (place != static_cast<std::uint64_t>(count) ? 1 : 0);
    }
    for (std::int64_t k = 0; k < mixed; ++k) {
        std::uint64_t* const first = items + starts[k];
        const std::int64_t size = starts[k + 1] - starts[k];
        if (size <= few_pairs) {
            twice += tally_pairs(first, size);
        } else {
            sort_into(first, size, spare);
            twice += tally_auc(spare, size);
        }
    }
    return twice;
}

std::uint64_t auc_direct(const double* score, const std::uint8_t* positive, std::int64_t count,
                         std::uint64_t* scratch) {
    std::int64_t lowest = signed_order(score[0]);
    std::int64_t highest = lowest;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t key = signed_order(score[i]);
        lowest = key < lowest ? key : lowest;
        highest = key > highest ? key : highest;
    }
    const auto low = static_cast<std::uint64_t>(lowest) ^ sign64;
    const auto high = static_cast<std::uint64_t>(highest) ^ sign64;
    if (high - low < sign64) {
        const double least = score_of_order(lowest);
        const std::int64_t bins = auc_direct_bins(count);
        const double scale = static_cast<double>(bins - 1) / (score_of_order(highest) - least);
        if (scale < 1e300 && count > 256)
            return auc_by_bins(score, positive, count, least, scale, bins, low, scratch);
        for (std::int64_t i = 0; i < count; ++i)
            scratch[i] = (order_key(score[i]) - low) << 1 | positive[i];
        sort_in_place(scratch, count, scratch + count);
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
