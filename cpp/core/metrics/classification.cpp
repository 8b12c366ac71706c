#include "metrics/classification.hpp"

#include <algorithm>
#include <cmath>

#include "metrics/classification.kernels.hpp"
#include "metrics/labels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(classification_kernels)

namespace {

// Up to this many labels a square table of all pairs is counted at once: 64 * 64 counts stay in L1.
constexpr std::int64_t square_limit = 64;
// Up to this width, four interleaved tables.
constexpr std::int64_t interleave_limit = 32;
// A confusion matrix of more labels than this is left to scikit-learn (and to a MemoryError of its
// own).
constexpr std::int64_t matrix_limit = 16384;

// Integer weights are summed as doubles, exactly while their sum is below 2^53; beyond,
// scikit-learn's wrap.
bool exact_weights(const vector_view& weight) {
    if (!weight || is_floating(weight.type) || size_of(weight.type) < 4) return true;
    const auto range = range_of({weight});
    const std::int64_t limit = (std::int64_t{1} << 53) / (weight.size + 1);
    return range && range->minimum >= -limit && range->maximum <= limit;
}

bool fits(const vector_view& y_true, const vector_view& y_pred, const vector_view& weight) {
    return y_true.size > 0 && y_true.size == y_pred.size && (!weight || weight.size == y_true.size);
}

// Weighted counts of label pairs over a range of codes.
struct pair_table {
    std::int64_t width = 0;
    std::vector<double> cells;
    std::vector<std::uint8_t> seen;  // pairs that occur, whatever their weight
};

// `code` says how labels become cells: the minimum to take off, or a set that encodes them.
struct pair_counter {
    const vector_view& y_true;
    const vector_view& y_pred;
    const vector_view& weight;
    std::int64_t minimum;
    std::int64_t width;
    const label_set* set;  // null: codes are label - minimum

    // Two code arrays of a block; the loads are exact, the caller has looked at every label before.
    void load(std::int64_t at, std::int64_t count, block_buffers& buffers,
              const std::int64_t*& truth, const std::int64_t*& predicted) const {
        bool exact = true;
        truth = load_i64(y_true, at, count, buffers.a, exact);
        predicted = load_i64(y_pred, at, count, buffers.b, exact);
        if (set == nullptr) return;
        std::int32_t codes[block_size];
        set->encode(truth, count, codes);
        std::copy_n(codes, count, buffers.a);
        set->encode(predicted, count, codes);
        std::copy_n(codes, count, buffers.b);
        truth = buffers.a;
        predicted = buffers.b;
    }

    pair_table count_pairs() const {
        const auto area = static_cast<std::size_t>(width * width);
        return weight ? count_weighted(area) : count_unweighted(area);
    }

    pair_table count_unweighted(std::size_t area) const {
        const int tables = width <= interleave_limit ? 4 : 1;
        const std::vector<std::uint32_t> empty(area * static_cast<std::size_t>(tables), 0);
        const auto partials =
            map_blocks(y_true.size, empty,
                       [&](std::vector<std::uint32_t>& cells, std::int64_t at, std::int64_t count) {
                           block_buffers buffers;
                           const std::int64_t *truth, *predicted;
                           load(at, count, buffers, truth, predicted);
                           kernels().pairs(truth, predicted, count, set ? 0 : minimum, width,
                                           tables, cells.data());
                       });
        pair_table result{width, std::vector<double>(area, 0.0),
                          std::vector<std::uint8_t>(area, 0)};
        for (const auto& cells : partials)
            for (std::size_t i = 0; i < cells.size(); ++i) result.cells[i % area] += cells[i];
        for (std::size_t i = 0; i < area; ++i) result.seen[i] = result.cells[i] > 0;
        return result;
    }

    pair_table count_weighted(std::size_t area) const {
        const pair_table empty{width, std::vector<double>(area, 0.0),
                               std::vector<std::uint8_t>(area, 0)};
        const auto partials = map_blocks(
            y_true.size, empty, [&](pair_table& part, std::int64_t at, std::int64_t count) {
                block_buffers buffers;
                const std::int64_t *truth, *predicted;
                load(at, count, buffers, truth, predicted);
                const double* w = load_f64(weight, at, count, buffers.w);
                kernels().pairs_weight(truth, predicted, w, count, set ? 0 : minimum, width,
                                       part.cells.data(), part.seen.data());
            });
        pair_table result = empty;
        for (const pair_table& part : partials) {
            for (std::size_t i = 0; i < area; ++i) {
                result.cells[i] += part.cells[i];
                result.seen[i] |= part.seen[i];
            }
        }
        return result;
    }
};

bool all_finite(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

// Sum of the weights' absolute values is what scikit-learn's "all zero" check and ours both hang
// on.
bool usable_weight(const pair_table& table) {
    return all_finite(table.cells) &&
           std::any_of(table.cells.begin(), table.cells.end(), [](double x) { return x != 0.0; });
}

// What precision, recall and F need of each label.
struct label_sums {
    std::vector<std::int64_t> labels;
    std::vector<double> hit, predicted, truth;
};

label_sums compress(const confusion& matrix) {
    const std::size_t n = matrix.labels.size();
    label_sums sums{matrix.labels, std::vector<double>(n, 0.0), std::vector<double>(n, 0.0),
                    std::vector<double>(n, 0.0)};
    for (std::size_t i = 0; i < n; ++i) {
        sums.hit[i] = matrix.cells[i * n + i];
        for (std::size_t j = 0; j < n; ++j) {
            sums.truth[i] += matrix.cells[i * n + j];
            sums.predicted[j] += matrix.cells[i * n + j];
        }
    }
    return sums;
}

// Labels too many for a square: three sums a label, on one thread.
std::optional<label_sums> sum_by_label(const vector_view& y_true, const vector_view& y_pred,
                                       const vector_view& weight, const label_set& set) {
    const auto n = static_cast<std::size_t>(set.size());
    label_sums sums{set.values(), std::vector<double>(n, 0.0), std::vector<double>(n, 0.0),
                    std::vector<double>(n, 0.0)};
    block_buffers buffers;
    const pair_counter counter{y_true, y_pred, weight, 0, set.size(), &set};
    bool any_weight = false;
    for (std::int64_t at = 0; at < y_true.size; at += block_size) {
        const std::int64_t count = std::min(block_size, y_true.size - at);
        const std::int64_t *truth, *predicted;
        counter.load(at, count, buffers, truth, predicted);
        const double* w = load_weight(weight, at, count, buffers.w);
        for (std::int64_t i = 0; i < count; ++i) {
            const double one = w ? w[i] : 1.0;
            any_weight |= one != 0.0;
            sums.truth[static_cast<std::size_t>(truth[i])] += one;
            sums.predicted[static_cast<std::size_t>(predicted[i])] += one;
            if (truth[i] == predicted[i]) sums.hit[static_cast<std::size_t>(truth[i])] += one;
        }
    }
    if (!any_weight || !all_finite(sums.truth)) return std::nullopt;
    return sums;
}

std::optional<confusion> small_confusion(const vector_view& y_true, const vector_view& y_pred,
                                         const vector_view& weight, const label_range& range) {
    const std::int64_t width = range.maximum - range.minimum + 1;
    const pair_table table =
        pair_counter{y_true, y_pred, weight, range.minimum, width, nullptr}.count_pairs();
    if (!usable_weight(table)) return std::nullopt;
    confusion result;
    std::vector<std::size_t> kept;
    const auto w = static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < w; ++i) {
        bool present = false;
        for (std::size_t j = 0; j < w && !present; ++j)
            present = table.seen[i * w + j] || table.seen[j * w + i];
        if (!present) continue;
        kept.push_back(i);
        result.labels.push_back(range.minimum + static_cast<std::int64_t>(i));
    }
    result.cells.reserve(kept.size() * kept.size());
    for (std::size_t i : kept)
        for (std::size_t j : kept) result.cells.push_back(table.cells[i * w + j]);
    return result;
}

bool is_small(const label_range& range) {
    return static_cast<std::uint64_t>(range.maximum) - static_cast<std::uint64_t>(range.minimum) <
           static_cast<std::uint64_t>(square_limit);
}

std::optional<label_sums> sums_of(const vector_view& y_true, const vector_view& y_pred,
                                  const vector_view& weight) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    const auto range = range_of({y_true, y_pred});
    if (!range) return std::nullopt;
    if (is_small(*range)) {
        const auto matrix = small_confusion(y_true, y_pred, weight, *range);
        if (!matrix) return std::nullopt;
        return compress(*matrix);
    }
    const auto set = label_set::of({y_true, y_pred});
    if (!set) return std::nullopt;
    return sum_by_label(y_true, y_pred, weight, *set);
}

double sum_of(const std::vector<double>& values) {
    double total = 0.0;
    for (double value : values) total += value;
    return total;
}

// Weighted mean of the values that are not NaN, as scikit-learn's _nanaverage: plain where weights
// vanish.
double nan_average(const std::vector<double>& values, const std::vector<double>* weights) {
    double total = 0.0, weight = 0.0, plain = 0.0;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isnan(values[i])) continue;
        const double w = weights ? (*weights)[i] : 1.0;
        total += values[i] * w;
        weight += w;
        plain += values[i];
        ++count;
    }
    if (count == 0) return std::nan("");
    return weight == 0.0 ? plain / static_cast<double>(count) : total / weight;
}

std::vector<double> divide(const std::vector<double>& numerator,
                           const std::vector<double>& denominator, double zero_division,
                           bool& undefined) {
    std::vector<double> result(numerator.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (denominator[i] == 0.0) {
            undefined = true;
            result[i] = zero_division;
        } else {
            result[i] = numerator[i] / denominator[i];
        }
    }
    return result;
}

// The sums of the labels asked for, in the order asked for.
void pick(label_sums& sums, const std::vector<std::int64_t>& labels) {
    label_sums picked;
    for (std::int64_t label : labels) {
        const auto found = std::lower_bound(sums.labels.begin(), sums.labels.end(), label);
        const bool known = found != sums.labels.end() && *found == label;
        const auto at = static_cast<std::size_t>(found - sums.labels.begin());
        picked.labels.push_back(label);
        picked.hit.push_back(known ? sums.hit[at] : 0.0);
        picked.predicted.push_back(known ? sums.predicted[at] : 0.0);
        picked.truth.push_back(known ? sums.truth[at] : 0.0);
    }
    sums = std::move(picked);
}

}  // namespace

std::optional<double> accuracy(const vector_view& y_true, const vector_view& y_pred,
                               const vector_view& weight, bool normalize) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    struct partial {
        double same = 0.0, total = 0.0, magnitude = 0.0;
        bool exact = true;
    };
    const auto partials =
        map_blocks(y_true.size, partial{}, [&](partial& part, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            const std::int64_t* a = load_i64(y_true, at, count, buffers.a, part.exact);
            const std::int64_t* b = load_i64(y_pred, at, count, buffers.b, part.exact);
            if (!weight) {
                part.same += static_cast<double>(kernels().equal(a, b, count));
                return;
            }
            const double* w = load_f64(weight, at, count, buffers.w);
            part.same += kernels().equal_weight(a, b, w, count, &part.total);
        });
    partial whole;
    for (const partial& part : partials) {
        whole.same += part.same;
        whole.total += part.total;
        whole.exact &= part.exact;
    }
    if (!whole.exact) return std::nullopt;
    if (!weight) return normalize ? whole.same / static_cast<double>(y_true.size) : whole.same;
    if (!std::isfinite(whole.total) || whole.total == 0.0) return std::nullopt;
    return normalize ? whole.same / whole.total : whole.same;
}

std::optional<confusion> confusion_matrix(const vector_view& y_true, const vector_view& y_pred,
                                          const vector_view& weight) {
    const auto range = range_of({y_true, y_pred});
    return range ? confusion_matrix(y_true, y_pred, weight, *range) : std::nullopt;
}

std::optional<confusion> confusion_matrix(const vector_view& y_true, const vector_view& y_pred,
                                          const vector_view& weight, const label_range& range) {
    if (!fits(y_true, y_pred, weight) || !exact_weights(weight)) return std::nullopt;
    if (is_small(range)) return small_confusion(y_true, y_pred, weight, range);
    const auto set = label_set::of({y_true, y_pred});
    if (!set || set->size() > matrix_limit) return std::nullopt;
    const pair_counter counter{y_true, y_pred, weight, 0, set->size(), &*set};
    if (set->size() <= square_limit) {
        pair_table table = counter.count_pairs();
        if (!usable_weight(table)) return std::nullopt;
        return confusion{set->values(), std::move(table.cells)};
    }
    const auto width = static_cast<std::size_t>(set->size());
    confusion result{set->values(), std::vector<double>(width * width, 0.0)};
    block_buffers buffers;
    bool any_weight = false;
    for (std::int64_t at = 0; at < y_true.size; at += block_size) {
        const std::int64_t count = std::min(block_size, y_true.size - at);
        const std::int64_t *truth, *predicted;
        counter.load(at, count, buffers, truth, predicted);
        const double* w = load_weight(weight, at, count, buffers.w);
        for (std::int64_t i = 0; i < count; ++i) {
            const double one = w ? w[i] : 1.0;
            any_weight |= one != 0.0;
            result.cells[static_cast<std::size_t>(truth[i]) * width +
                         static_cast<std::size_t>(predicted[i])] += one;
        }
    }
    if (!any_weight || !all_finite(result.cells)) return std::nullopt;
    return result;
}

std::optional<fscores> precision_recall_fscore(const vector_view& y_true, const vector_view& y_pred,
                                               const vector_view& weight,
                                               const fscore_options& options) {
    auto sums = sums_of(y_true, y_pred, weight);
    if (!sums) return std::nullopt;
    if (options.mode == average::binary) {
        const auto& present = sums->labels;
        const bool known = std::binary_search(present.begin(), present.end(), options.positive);
        if (present.size() > 2 || (present.size() == 2 && !known)) return std::nullopt;
        pick(*sums, {options.positive});
    } else if (options.labels) {
        pick(*sums, *options.labels);
    }
    fscores result;
    for (std::size_t k = 0; k < sums->truth.size(); ++k)
        result.unseen += sums->truth[k] == 0.0 && sums->predicted[k] != 0.0 ? 1 : 0;
    if (options.mode == average::micro) {
        sums->hit = {sum_of(sums->hit)};
        sums->predicted = {sum_of(sums->predicted)};
        sums->truth = {sum_of(sums->truth)};
    }
    result.terms = static_cast<std::int64_t>(sums->hit.size());
    const double beta2 = options.beta * options.beta;
    result.precision =
        divide(sums->hit, sums->predicted, options.zero_division, result.precision_undefined);
    result.recall = divide(sums->hit, sums->truth, options.zero_division, result.recall_undefined);
    if (std::isinf(options.beta)) {
        result.fscore = result.recall;
    } else if (options.beta == 0.0) {
        result.fscore = result.precision;
    } else {
        std::vector<double> numerator(sums->hit.size()), denominator(sums->hit.size());
        for (std::size_t i = 0; i < numerator.size(); ++i) {
            numerator[i] = (1.0 + beta2) * sums->hit[i];
            denominator[i] = beta2 * sums->truth[i] + sums->predicted[i];
        }
        result.fscore =
            divide(numerator, denominator, options.zero_division, result.fscore_undefined);
    }
    result.support = std::move(sums->truth);
    if (options.mode != average::none) {
        const auto* weights = options.mode == average::weighted ? &result.support : nullptr;
        result.precision = {nan_average(result.precision, weights)};
        result.recall = {nan_average(result.recall, weights)};
        result.fscore = {nan_average(result.fscore, weights)};
    }
    return result;
}

}  // namespace mlestar::metrics
