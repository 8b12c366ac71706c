// Sorting by value without a comparison sort: order-preserving integer keys, one partition into
// buckets that fit L1, a second partition inside each bucket, an insertion sort over runs that are
// nearly all of length 1.
#pragma once

#include <cstdint>

namespace mlestar::metrics {

struct score_scan {
    std::int64_t low = INT64_MAX;  // smallest and largest signed order key
    std::int64_t high = INT64_MIN;
    std::int64_t positives = 0;
    bool finite = true;
    bool two_labels = true;  // every label is one of the two named
};

// How a score becomes a cell. Adding `offset` to the magnitude makes cells even (linear) near zero
// and logarithmic far from it, so that neither tiny nor huge scores starve the others of
// resolution.
struct cell_map {
    double offset = 0.0;
    int shift = 0;
    std::uint64_t base = 0;
};

struct weighted_key {
    std::uint64_t key;
    double weight;
};

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

template <class Score, class Key>
struct ranking_kernels_of {
    void (*scan)(const Score* score, const std::int64_t* label, std::int64_t count,
                 std::int64_t positive, std::int64_t negative, score_scan* result);
    std::uint64_t (*cell)(Score score, const cell_map* map);
    void (*count)(const Score* score, const std::int64_t* label, std::int64_t count,
                  std::int64_t positive, const cell_map* map, std::uint32_t* counts,
                  std::int64_t cells);
    // `bucket_of[cell]`; `place` holds the next free place of each bucket, positives then
    // negatives.
    void (*scatter)(const Score* score, const std::int64_t* label, const double* weight,
                    std::int64_t count, std::int64_t positive, const cell_map* map,
                    const std::uint16_t* bucket_of, std::int64_t buckets, std::uint64_t* place,
                    Key* keys, double* weights);
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
    ranking_kernels_of<double, std::uint64_t> f64;
    ranking_kernels_of<float, std::uint32_t> f32;
    std::uint64_t (*auc_direct)(const double* score, const std::uint8_t* positive,
                                std::int64_t count, std::uint64_t* scratch);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

constexpr std::uint64_t sign64 = 0x8000000000000000;

template <class Score>
struct order;

template <>
struct order<double> {
    using key = std::uint64_t;
    // Monotone, and the same for -0.0 and 0.0.
    static std::int64_t signed_key(double x) {
        const auto bits = __builtin_bit_cast(std::int64_t, x + 0.0);
        return bits ^ static_cast<std::int64_t>(static_cast<std::uint64_t>(bits >> 63) >> 1);
    }
    static key of(double x) { return static_cast<std::uint64_t>(signed_key(x)) ^ sign64; }
};

template <>
struct order<float> {
    using key = std::uint32_t;
    static std::int32_t signed_key(float x) {
        const auto bits = __builtin_bit_cast(std::int32_t, x + 0.0f);
        return bits ^ static_cast<std::int32_t>(static_cast<std::uint32_t>(bits >> 31) >> 1);
    }
    static key of(float x) { return static_cast<std::uint32_t>(signed_key(x)) ^ 0x80000000u; }
};

template <class Score>
void scan(const Score* score, const std::int64_t* label, std::int64_t count, std::int64_t positive,
          std::int64_t negative, score_scan* result) {
    auto low = order<Score>::signed_key(score[0]);
    auto high = low;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto key = order<Score>::signed_key(score[i]);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    std::int64_t wrong = 0;
    std::int64_t positives = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t is_positive = label[i] == positive ? -1 : 0;
        const std::int64_t is_negative = label[i] == negative ? -1 : 0;
        wrong |= ~(is_positive | is_negative);
        positives -= is_positive;
    }
    // Infinity and NaN have the outermost keys of their sign.
    const auto infinity = order<Score>::signed_key(static_cast<Score>(__builtin_inf()));
    const auto minus = order<Score>::signed_key(static_cast<Score>(-__builtin_inf()));
    if (high >= infinity || low <= minus) result->finite = false;
    if (wrong) result->two_labels = false;
    result->positives += positives;
    result->low = low < result->low ? low : result->low;
    result->high = high > result->high ? high : result->high;
}

std::uint64_t spread(double x, double offset) {
    return order<double>::of(x + __builtin_copysign(offset, x));
}

template <class Score>
std::uint64_t cell(Score score, const cell_map* map) {
    // + 0.0: both zeros must share a cell, and copysign tells them apart.
    return (spread(static_cast<double>(score) + 0.0, map->offset) >> map->shift) - map->base;
}

constexpr std::int64_t batch = 256;

// Cells of up to `batch` scores, with the label as the lowest bit (1: negative).
template <class Score>
void cells_of(const Score* score, const std::int64_t* label, std::int64_t count,
              std::int64_t positive, const cell_map& map, std::uint32_t* cells) {
    for (std::int64_t i = 0; i < count; ++i) {
        const double x = static_cast<double>(score[i]) + 0.0;
        const std::uint64_t at = (spread(x, map.offset) >> map.shift) - map.base;
        cells[i] = static_cast<std::uint32_t>(at << 1 | (label[i] == positive ? 0u : 1u));
    }
}

template <class Score>
void count(const Score* score, const std::int64_t* label, std::int64_t count, std::int64_t positive,
           const cell_map* map, std::uint32_t* counts, std::int64_t cells) {
    std::uint32_t at[batch];
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        cells_of(score + done, label + done, some, positive, *map, at);
        for (std::int64_t i = 0; i < some; ++i) ++counts[(at[i] & 1) * cells + (at[i] >> 1)];
    }
}

template <class Score, class Key>
void scatter(const Score* score, const std::int64_t* label, const double* weight,
             std::int64_t count, std::int64_t positive, const cell_map* map,
             const std::uint16_t* bucket_of, std::int64_t buckets, std::uint64_t* place, Key* keys,
             double* weights) {
    std::uint32_t at[batch];
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t some = count - done < batch ? count - done : batch;
        cells_of(score + done, label + done, some, positive, *map, at);
        for (std::int64_t i = 0; i < some; ++i) {
            const std::uint64_t target = place[(at[i] & 1) * buckets + bucket_of[at[i] >> 1]]++;
            keys[target] = order<Score>::of(score[done + i]);
            if (weight != nullptr) weights[target] = weight[done + i];
        }
    }
}

std::uint64_t key_of(std::uint64_t item) { return item; }
std::uint64_t key_of(const weighted_key& item) { return item.key; }

template <class Item>
void insertion_sort(Item* items, std::int64_t count) {
    for (std::int64_t i = 1; i < count; ++i) {
        const Item item = items[i];
        std::int64_t j = i;
        for (; j > 0 && key_of(items[j - 1]) > key_of(item); --j) items[j] = items[j - 1];
        items[j] = item;
    }
}

// Sorts `items`, with as many `spare` items beside them, and leaves the result in `items`.
template <class Item>
void sort(Item* items, Item* spare, std::int64_t count) {
    constexpr std::int64_t few = 24;
    constexpr int most_bits = 12;
    if (count <= few) {
        insertion_sort(items, count);
        return;
    }
    std::uint64_t low = key_of(items[0]);
    std::uint64_t high = low;
    for (std::int64_t i = 1; i < count; ++i) {
        const std::uint64_t key = key_of(items[i]);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (low == high) return;
    int bits = 64 - __builtin_clzll(static_cast<std::uint64_t>(count));
    bits = bits > most_bits ? most_bits : bits;
    const int range_bits = 64 - __builtin_clzll(high - low);
    const int shift = range_bits > bits ? range_bits - bits : 0;
    const std::int64_t bins = static_cast<std::int64_t>((high - low) >> shift) + 1;
    std::uint32_t place[(1 << most_bits) + 1];
    for (std::int64_t b = 0; b <= bins; ++b) place[b] = 0;
    for (std::int64_t i = 0; i < count; ++i) ++place[((key_of(items[i]) - low) >> shift) + 1];
    std::uint32_t fullest = 0;
    for (std::int64_t b = 1; b <= bins; ++b) {
        fullest = place[b] > fullest ? place[b] : fullest;
        place[b] += place[b - 1];
    }
    for (std::int64_t i = 0; i < count; ++i)
        spare[place[(key_of(items[i]) - low) >> shift]++] = items[i];
    // Each place has moved on to its bin's end.
    if (shift > 0 && fullest > few) {
        std::int64_t start = 0;
        for (std::int64_t b = 0; b < bins; ++b) {
            const std::int64_t end = place[b];
            if (end - start > few) sort(spare + start, items + start, end - start);
            start = end;
        }
    }
    for (std::int64_t i = 0; i < count; ++i) items[i] = spare[i];
    if (shift > 0) insertion_sort(items, count);
}

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
                (order<double>::of(score[done + i]) - origin) << 1 | positive[done + i];
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
    const std::uint64_t low = order<double>::of(lowest);
    const std::uint64_t high = order<double>::of(highest);
    const double scale = static_cast<double>(direct_bins - 1) / (highest - lowest);
    if (high - low < sign64) {
        if (scale < 1e300 && count > 256) {
            sort_by_bins(score, positive, count, lowest, scale, low, scratch, scratch + count);
        } else {
            for (std::int64_t i = 0; i < count; ++i)
                scratch[i] = (order<double>::of(score[i]) - low) << 1 | positive[i];
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
            const std::uint64_t key = order<double>::of(score[i]);
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
    {scan<double>, cell<double>, count<double>, scatter<double, std::uint64_t>, auc<std::uint64_t>,
     auc_weighted<std::uint64_t>, precision<std::uint64_t>, precision_weighted<std::uint64_t>},
    {scan<float>, cell<float>, count<float>, scatter<float, std::uint32_t>, auc<std::uint32_t>,
     auc_weighted<std::uint32_t>, precision<std::uint32_t>, precision_weighted<std::uint32_t>},
    auc_direct,
};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
