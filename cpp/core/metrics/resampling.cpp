#include "metrics/resampling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "metrics/resampling.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(resampling_kernels)

namespace {

// function(resample, counts) for every resample, several to a task, which share its memory.
template <class MakeState, class Function>
void over_resamples(const resample_plan& plan, std::int64_t resamples, MakeState make_state,
                    Function function) {
    constexpr std::int64_t at_once = 8;
    parallel_for((resamples + at_once - 1) / at_once,
                 [&](std::int64_t task) {
                     scratch_array<std::uint8_t> counts(static_cast<std::size_t>(plan.entries()));
                     auto state = make_state();
                     const std::int64_t last = std::min(resamples, (task + 1) * at_once);
                     for (std::int64_t r = task * at_once; r < last; ++r) {
                         plan.draw(r, counts.data());
                         function(r, counts.data(), state);
                     }
                 },
                 plan.entries() * resamples < 20'000);
}

void check_units(const std::int32_t* unit, std::int64_t rows, const resample_plan& plan) {
    for (std::int64_t i = 0; i < rows; ++i)
        if (unit[i] < 0 || unit[i] >= plan.entries())
            throw argument_error("unit holds " + std::to_string(unit[i]) +
                                 ", but must lie in [0, " + std::to_string(plan.entries()) + ")");
}

// A model's rows, negatives first, each part in the order of the scores.
struct ranking {
    std::int64_t negatives = 0;
    std::int64_t positives = 0;
    bool tied = false;               // a positive with a negative
    std::vector<std::int64_t> rows;  // row at each place
    std::vector<std::uint32_t> below, not_above, equal;
    std::vector<std::int32_t> unit;  // entry of the plan at each place; empty: the place
    std::vector<double> weight;      // at each place; empty: one

    ranking_places places() const { return {below.data(), not_above.data(), equal.data()}; }
};

ranking rank(const model_scores& data, const double* score) {
    const auto n = static_cast<std::size_t>(data.rows);
    ranking result;
    result.positives = std::count(data.positive, data.positive + data.rows, std::uint8_t{1});
    result.negatives = data.rows - result.positives;
    scratch_array<ranked_row> items(n), sorted(n);
    std::int64_t at[2] = {0, result.negatives};
    for (std::int64_t i = 0; i < data.rows; ++i) {
        if (!std::isfinite(score[i])) throw argument_error("scores hold NaN or infinity");
        items.data()[at[data.positive[i]]++] = {order_key(score[i]), i};
    }
    kernels().sort(items.data(), result.negatives, sorted.data());
    kernels().sort(items.data() + result.negatives, result.positives,
                   sorted.data() + result.negatives);
    result.rows.resize(n);
    for (std::size_t i = 0; i < n; ++i) result.rows[i] = sorted[i].row;
    const ranked_row* const negative = sorted.data();
    const ranked_row* const positive = negative + result.negatives;
    const auto size = static_cast<std::size_t>(result.positives);
    result.below.resize(size);
    result.not_above.resize(size);
    result.equal.resize(size);
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t key = positive[i].key;
        while (low < result.negatives && negative[low].key < key) ++low;
        high = std::max(low, high);
        while (high < result.negatives && negative[high].key <= key) ++high;
        if (positive[first].key != key) first = i;
        result.below[i] = static_cast<std::uint32_t>(low);
        result.not_above[i] = static_cast<std::uint32_t>(high);
        result.equal[i] = static_cast<std::uint32_t>(first);
        result.tied |= low != high;
    }
    if (data.weight != nullptr) {
        result.weight.resize(n);
        for (std::size_t i = 0; i < n; ++i) result.weight[i] = data.weight[result.rows[i]];
    }
    return result;
}

// The rankings of all models, with the plan's entries at their places.
std::vector<ranking> rank_all(const model_scores& data, const resample_plan& plan) {
    std::vector<ranking> models;
    for (const double* score : data.scores) models.push_back(rank(data, score));
    if (data.units.empty() && plan.entries() != data.rows)
        throw argument_error("sizes amount to " + std::to_string(plan.units()) +
                             " units, but there are " + std::to_string(data.rows) + " rows");
    std::vector<std::int32_t> place_of_row;
    for (std::size_t m = 0; m < models.size(); ++m) {
        const auto& rows = models[m].rows;
        if (data.units.empty() && m == 0) {
            place_of_row.resize(rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i)
                place_of_row[static_cast<std::size_t>(rows[i])] = static_cast<std::int32_t>(i);
            continue;
        }
        const std::int32_t* unit = data.units.empty() ? place_of_row.data() : data.units[m];
        check_units(unit, data.rows, plan);
        models[m].unit.resize(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) models[m].unit[i] = unit[rows[i]];
    }
    return models;
}

struct ranking_state {
    scratch_array<std::uint8_t> gathered;
    scratch_array<std::uint32_t> sums;
    scratch_array<double> weighted_sums;
};

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double value_of(ranking_metric metric, const ranking& model, const std::uint8_t* counts,
                ranking_state& state) {
    const auto& kernel = kernels();
    if (!model.unit.empty()) {
        kernel.gather(counts, model.unit.data(), model.negatives + model.positives,
                      state.gathered.data());
        counts = state.gathered.data();
    }
    const std::uint8_t* const positive = counts + model.negatives;
    const ranking_places places = model.places();
    const auto negative_size = model.negatives;
    const auto size = model.positives;
    const bool area = metric == ranking_metric::roc_auc;
    if (!model.weight.empty()) {
        double* const misses = state.weighted_sums.data();
        double* const hits = misses + negative_size + 1;
        const double* const weight = model.weight.data() + negative_size;
        kernel.running_weighted(counts, model.weight.data(), negative_size, misses);
        kernel.running_weighted(positive, weight, size, hits);
        const double all_hits = hits[size];
        const double all_misses = misses[negative_size];
        if (!(all_hits > 0.0) || (area && !(all_misses > 0.0))) return undefined;
        return area ? kernel.pairs_weighted(positive, weight, &places, misses, size) /
                          (2.0 * all_hits * all_misses)
                    : kernel.precision_weighted(positive, weight, &places, misses, negative_size,
                                                hits, size) /
                          all_hits;
    }
    std::uint32_t* const misses = state.sums.data();
    std::uint32_t* const hits = misses + negative_size + 1;
    kernel.running(counts, negative_size, misses);
    const std::uint32_t all_misses = misses[negative_size];
    if (area) {
        std::uint32_t all_hits = 0;
        for (std::int64_t i = 0; i < size; ++i) all_hits += positive[i];
        if (all_hits == 0 || all_misses == 0) return undefined;
        return static_cast<double>(kernel.pairs(positive, &places, model.tied, misses, size)) /
               (2.0 * static_cast<double>(all_hits) * static_cast<double>(all_misses));
    }
    kernel.running(positive, size, hits);
    if (hits[size] == 0) return undefined;
    return kernel.precision(positive, &places, misses, negative_size, hits, size) /
           static_cast<double>(hits[size]);
}

}  // namespace

std::vector<double> resample_ranking(ranking_metric metric, const model_scores& data,
                                     const resample_plan& plan, std::int64_t resamples) {
    const auto models = rank_all(data, plan);
    const std::size_t count = models.size();
    std::vector<double> result(static_cast<std::size_t>(resamples) * count);
    const auto room = static_cast<std::size_t>(data.rows);
    const bool gathers = count > 1 || !data.units.empty();
    over_resamples(
        plan, resamples,
        [&] {
            return ranking_state{
                scratch_array<std::uint8_t>(gathers ? room : 0),
                scratch_array<std::uint32_t>(data.weight == nullptr ? room + 2 : 0),
                scratch_array<double>(data.weight == nullptr ? 0 : room + 2)};
        },
        [&](std::int64_t r, const std::uint8_t* counts, ranking_state& state) {
            for (std::size_t m = 0; m < count; ++m)
                result[static_cast<std::size_t>(r) * count + m] =
                    value_of(metric, models[m], counts, state);
        });
    return result;
}

std::vector<double> placements(const model_scores& data) {
    std::vector<double> result(data.scores.size() * static_cast<std::size_t>(data.rows));
    double* target = result.data();
    for (const double* score : data.scores) {
        const ranking model = rank(data, score);
        const auto negatives = static_cast<std::size_t>(model.negatives);
        const auto positives = static_cast<std::size_t>(model.positives);
        const auto weight_at = [&](std::size_t place) {
            return model.weight.empty() ? 1.0 : model.weight[place];
        };
        // Running sums of the negatives before each; of the positives, by the first and by the last
        // negative that they are not below.
        std::vector<double> before(negatives + 1, 0.0);
        for (std::size_t j = 0; j < negatives; ++j) before[j + 1] = before[j] + weight_at(j);
        std::vector<double> starting(negatives + 1, 0.0), ending(negatives + 1, 0.0);
        for (std::size_t i = 0; i < positives; ++i) {
            const std::size_t low = model.below[i];
            const std::size_t high = model.not_above[i];
            target[model.rows[negatives + i]] = before[low] + before[high];
            starting[low] += weight_at(negatives + i);
            ending[high] += weight_at(negatives + i);
        }
        // A positive is above negative j where it has more than j below it.
        double above = 0.0;
        double not_below = 0.0;
        for (std::size_t j = negatives; j-- > 0;) {
            above += starting[j + 1];
            not_below += ending[j + 1];
            target[model.rows[j]] = above + not_below;
        }
        target += data.rows;
    }
    return result;
}

std::vector<double> resample_sums(const std::vector<const double*>& columns,
                                  const resample_plan& plan, std::int64_t resamples) {
    std::vector<double> result(static_cast<std::size_t>(resamples) * columns.size());
    over_resamples(
        plan, resamples, [] { return 0; },
        [&](std::int64_t r, const std::uint8_t* counts, int) {
            double* target = result.data() + static_cast<std::size_t>(r) * columns.size();
            for (const double* column : columns)
                *target++ = kernels().sum(counts, column, plan.units());
        });
    return result;
}

std::vector<double> resample_cells(const std::int32_t* cell, const double* weight,
                                   const std::int32_t* unit, std::int64_t rows, std::int64_t cells,
                                   const resample_plan& plan, std::int64_t resamples) {
    for (std::int64_t i = 0; i < rows; ++i)
        if (cell[i] < 0 || cell[i] >= cells)
            throw argument_error("cell holds " + std::to_string(cell[i]) +
                                 ", but must lie in [0, " + std::to_string(cells) + ")");
    if (unit != nullptr) check_units(unit, rows, plan);
    if (unit == nullptr && rows != plan.entries())
        throw argument_error("sizes amount to " + std::to_string(plan.units()) +
                             " units, but there are " + std::to_string(rows) + " rows");
    std::vector<double> result(static_cast<std::size_t>(resamples * cells), 0.0);
    over_resamples(
        plan, resamples,
        [&] {
            return scratch_array<std::uint8_t>(unit == nullptr ? 0
                                                               : static_cast<std::size_t>(rows));
        },
        [&](std::int64_t r, const std::uint8_t* counts, scratch_array<std::uint8_t>& gathered) {
            if (unit != nullptr) {
                kernels().gather(counts, unit, rows, gathered.data());
                counts = gathered.data();
            }
            kernels().tabulate(counts, cell, weight, rows, result.data() + r * cells);
        });
    return result;
}

void resample_counts(const resample_plan& plan, std::int64_t first, std::int64_t resamples,
                     std::uint8_t* counts) {
    parallel_for(
        resamples, [&](std::int64_t r) { plan.draw(first + r, counts + r * plan.entries()); },
        plan.entries() * resamples < 20'000);
}

}  // namespace mlestar::metrics
