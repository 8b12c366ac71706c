// One value a row from a row of scores and a row of what is true of its items.
#pragma once

#include <cstdint>

#include "metrics/indicators.kernels.hpp"
#include "support/lanes.hpp"
#include "support/sort.hpp"

namespace mlestar::metrics {

struct retrieval_kernels {
    // `truth` holds 0 and 1. One value a row.
    void (*coverage)(const double* truth, const double* score, std::int64_t count,
                     std::int64_t items, double* value);
    void (*precision)(const double* truth, const double* score, std::int64_t count,
                      std::int64_t items, double* value);
    void (*misordered)(const double* truth, const double* score, std::int64_t count,
                       std::int64_t items, double* value);
    // Whether the item `code` is among the k highest scores; of equal ones the later first.
    void (*among_highest)(const std::int32_t* code, const double* score, std::int64_t count,
                          std::int64_t items, std::int64_t k, double* value);
    // Sum of gain times discount down the scores. Gains of equal scores are averaged, unless
    // `ignore_ties`: false then where equal scores have gains that differ. `scratch` holds twice
    // `items`.
    bool (*discounted_gain)(const double* gain, const double* score, std::int64_t count,
                            std::int64_t items, const double* discount, bool ignore_ties,
                            weighted_key* scratch, double* value);
    bool (*indicators)(const double* value, std::int64_t count);
    bool (*finite)(const double* value, std::int64_t count, double* minimum);
    double (*weighted_sum)(const double* value, const double* weight, std::int64_t count,
                           double* total);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

bool finite(const double* value, std::int64_t count, double* minimum) {
    double low = *minimum;
    for (std::int64_t i = 0; i < count; ++i) low = value[i] < low ? value[i] : low;
    *minimum = low;
    return lane_sum(count, [=](std::int64_t i) { return value[i] * 0.0; }) == 0.0;
}

double weighted_sum(const double* value, const double* weight, std::int64_t count, double* total) {
    if (weight == nullptr) {
        *total += static_cast<double>(count);
        return lane_sum(count, [=](std::int64_t i) { return value[i]; });
    }
    *total += lane_sum(count, [=](std::int64_t i) { return weight[i]; });
    return lane_sum(count, [=](std::int64_t i) { return value[i] * weight[i]; });
}

// Items that score at least `least`.
std::int64_t count_from(const double* score, std::int64_t items, double least) {
    std::int64_t found = 0;
    for (std::int64_t k = 0; k < items; ++k) found += score[k] >= least ? 1 : 0;
    return found;
}

void coverage(const double* truth, const double* score, std::int64_t count, std::int64_t items,
              double* value) {
    for (std::int64_t i = 0; i < count; ++i, truth += items, score += items) {
        double lowest = __builtin_inf();  // of the true items; infinity leaves none above it
        for (std::int64_t k = 0; k < items; ++k) {
            const double x = truth[k] != 0.0 ? score[k] : __builtin_inf();
            lowest = x < lowest ? x : lowest;
        }
        value[i] = static_cast<double>(count_from(score, items, lowest));
    }
}

void precision(const double* truth, const double* score, std::int64_t count, std::int64_t items,
               double* value) {
    for (std::int64_t i = 0; i < count; ++i, truth += items, score += items) {
        double sum = 0.0;
        std::int64_t relevant = 0;
        for (std::int64_t k = 0; k < items; ++k) {
            if (truth[k] == 0.0) continue;
            std::int64_t hits = 0;
            for (std::int64_t j = 0; j < items; ++j)
                hits += (score[j] >= score[k]) & (truth[j] != 0.0) ? 1 : 0;
            sum +=
                static_cast<double>(hits) / static_cast<double>(count_from(score, items, score[k]));
            ++relevant;
        }
        const bool trivial = relevant == 0 || relevant == items;
        value[i] = trivial ? 1.0 : sum / static_cast<double>(relevant);
    }
}

void misordered(const double* truth, const double* score, std::int64_t count, std::int64_t items,
                double* value) {
    for (std::int64_t i = 0; i < count; ++i, truth += items, score += items) {
        std::int64_t pairs = 0;
        std::int64_t relevant = 0;
        for (std::int64_t k = 0; k < items; ++k) {
            if (truth[k] == 0.0) continue;
            for (std::int64_t j = 0; j < items; ++j)
                pairs += (score[j] >= score[k]) & (truth[j] == 0.0) ? 1 : 0;
            ++relevant;
        }
        const std::int64_t all = relevant * (items - relevant);
        value[i] = all == 0 ? 0.0 : static_cast<double>(pairs) / static_cast<double>(all);
    }
}

void among_highest(const std::int32_t* code, const double* score, std::int64_t count,
                   std::int64_t items, std::int64_t k, double* value) {
    for (std::int64_t i = 0; i < count; ++i, score += items) {
        const double own = score[code[i]];
        std::int64_t before = 0;
        for (std::int64_t j = 0; j < items; ++j) before += score[j] > own ? 1 : 0;
        for (std::int64_t j = code[i] + 1; j < items; ++j) before += score[j] == own ? 1 : 0;
        value[i] = before < k ? 1.0 : 0.0;
    }
}

bool discounted_gain(const double* gain, const double* score, std::int64_t count,
                     std::int64_t items, const double* discount, bool ignore_ties,
                     weighted_key* scratch, double* value) {
    weighted_key* const sorted = scratch + items;
    for (std::int64_t i = 0; i < count; ++i, gain += items, score += items) {
        for (std::int64_t k = 0; k < items; ++k) scratch[k] = {order_key(score[k]), gain[k]};
        sort_into(scratch, items, sorted);
        double sum = 0.0;
        for (std::int64_t rank = 0; rank < items;) {
            const weighted_key* const item = sorted + (items - 1 - rank);
            const std::int64_t first = rank;
            double gains = 0.0, discounts = 0.0;
            bool same = true;
            for (; rank < items && sorted[items - 1 - rank].key == item->key; ++rank) {
                const double here = sorted[items - 1 - rank].weight;
                same &= here == item->weight;
                gains += here;
                discounts += discount[rank];
            }
            if (ignore_ties && !same) return false;
            sum += same ? item->weight * discounts
                        : gains / static_cast<double>(rank - first) * discounts;
        }
        value[i] = sum;
    }
    return true;
}

}  // namespace

extern const retrieval_kernels retrieval_kernels_table;
const retrieval_kernels retrieval_kernels_table = {coverage,      precision,       misordered,
                                                   among_highest, discounted_gain, all_indicators,
                                                   finite,        weighted_sum};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
