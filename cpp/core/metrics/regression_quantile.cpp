#include "metrics/regression_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "metrics/regression_quantile.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(quantile_kernels)

namespace {

// A bracket around the quantile comes from a sample (Floyd and Rivest 1975): a rank of the sample
// strays by about sqrt(size) / 2 from where it should be, so the margin is six of these.
constexpr std::int64_t sample_size = 4096;
constexpr std::int64_t sample_margin = 192;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

struct column {
    const vector_view& y;
    const vector_view& p;
    const vector_view& weight;

    const double* load(std::int64_t at, std::int64_t count, double* buffer) const {
        if (!p) return load_f64(y, at, count, buffer);
        block_buffers buffers;
        kernels().absolute(load_f64(y, at, count, buffers.x), load_f64(p, at, count, buffers.y),
                           count, buffer);
        return buffer;
    }
};

// The rows of one task that lie in the bracket, and the weight of those below it.
struct part {
    std::vector<double> values, weights;
    double below = 0.0;
    double total = 0.0;
    bool usable = true;
};

struct bracket {
    double low = -HUGE_VAL;
    double high = HUGE_VAL;
};

bracket sample_bracket(const column& data, double fraction) {
    const std::int64_t n = data.y.size;
    if (n <= 8 * sample_size) return {};
    std::vector<std::pair<double, double>> sample;
    double total = 0.0;
    for (std::int64_t i = 0; i < sample_size; ++i) {
        // Spread over the rows with a step that is no multiple of a period.
        const auto row = static_cast<std::int64_t>(
            (static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15u) % static_cast<std::uint64_t>(n));
        double value, w;
        const double x = *data.load(row, 1, &value);
        const double here = data.weight ? *load_f64(data.weight, row, 1, &w) : 1.0;
        sample.emplace_back(x, here);
        total += here;
    }
    std::sort(sample.begin(), sample.end());
    double cumulated = 0.0;
    std::int64_t middle = 0;
    while (middle < sample_size - 1 &&
           cumulated + sample[static_cast<std::size_t>(middle)].second < fraction * total)
        cumulated += sample[static_cast<std::size_t>(middle++)].second;
    bracket found;
    if (middle >= sample_margin)
        found.low = sample[static_cast<std::size_t>(middle - sample_margin)].first;
    if (middle + sample_margin < sample_size)
        found.high = sample[static_cast<std::size_t>(middle + sample_margin)].first;
    return found;
}

part gather(const column& data, const bracket& around) {
    auto parts =
        map_blocks(data.y.size, part{}, [&](part& mine, std::int64_t at, std::int64_t count) {
            double buffer[block_size], w_buffer[block_size];
            double kept[block_size], kept_weight[block_size];
            const double* x = data.load(at, count, buffer);
            const double* w = load_weight(data.weight, at, count, w_buffer);
            mine.usable &= kernels().finite(x, count);
            if (w) mine.usable &= kernels().usable(w, count, &mine.total);
            const std::int64_t found = kernels().gather(x, w, count, around.low, around.high, kept,
                                                        kept_weight, &mine.below);
            mine.values.insert(mine.values.end(), kept, kept + found);
            if (w) mine.weights.insert(mine.weights.end(), kept_weight, kept_weight + found);
        });
    part whole = std::move(parts.front());
    for (std::size_t k = 1; k < parts.size(); ++k) {
        whole.values.insert(whole.values.end(), parts[k].values.begin(), parts[k].values.end());
        whole.weights.insert(whole.weights.end(), parts[k].weights.begin(), parts[k].weights.end());
        whole.below += parts[k].below;
        whole.total += parts[k].total;
        whole.usable &= parts[k].usable;
    }
    return whole;
}

// The answer from the rows in the bracket; nothing where the bracket missed it.
std::optional<double> select(part& rows, std::int64_t n, double fraction, bool open_end) {
    const double wanted =
        std::max(fraction * static_cast<double>(n), std::numeric_limits<double>::denorm_min());
    const auto rank = static_cast<std::int64_t>(std::ceil(wanted)) - 1;  // of the value, from 0
    const std::int64_t at = rank - static_cast<std::int64_t>(rows.below);
    const auto size = static_cast<std::int64_t>(rows.values.size());
    const bool two = static_cast<double>(rank + 1) - wanted <= epsilon;
    if (at < 0 || at >= size || (two && at + 1 >= size && !(open_end && at + 1 == size)))
        return std::nullopt;
    const auto place = rows.values.begin() + static_cast<std::ptrdiff_t>(at);
    std::nth_element(rows.values.begin(), place, rows.values.end());
    if (!two || at + 1 == size) return *place;
    return (*place + *std::min_element(place + 1, rows.values.end())) / 2.0;
}

std::optional<double> select_weighted(const part& rows, double fraction, bool open_end) {
    std::vector<std::pair<double, double>> sorted(rows.values.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = {rows.values[i], rows.weights[i]};
    std::sort(sorted.begin(), sorted.end());
    const double wanted =
        std::max(fraction * rows.total, std::numeric_limits<double>::denorm_min());
    if (rows.below >= wanted) return std::nullopt;
    double cumulated = rows.below;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        cumulated += sorted[i].second;
        const bool last = i + 1 == sorted.size();
        if (cumulated < wanted && !(last && open_end)) continue;
        if (cumulated - wanted > epsilon || (last && open_end)) return sorted[i].first;
        if (last) return std::nullopt;
        return (sorted[i].first + sorted[i + 1].first) / 2.0;
    }
    return std::nullopt;
}

}  // namespace

std::optional<double> quantile(const vector_view& y, const vector_view& y_pred,
                               const vector_view& weight, double fraction) {
    if (y.size == 0 || (y_pred && y_pred.size != y.size) || (weight && weight.size != y.size))
        return std::nullopt;
    const column data{y, y_pred, weight};
    bracket around = sample_bracket(data, fraction);
    for (int attempt = 0; attempt < 2; ++attempt) {
        part rows = gather(data, around);
        if (!rows.usable || (weight && !(rows.total > 0.0)) || std::isinf(rows.total))
            return std::nullopt;
        const bool open_end = std::isinf(around.high);
        const auto found = weight ? select_weighted(rows, fraction, open_end)
                                  : select(rows, y.size, fraction, open_end);
        if (found) return found;
        around = {};  // the sample misled: all rows
    }
    return std::nullopt;
}

}  // namespace mlestar::metrics
