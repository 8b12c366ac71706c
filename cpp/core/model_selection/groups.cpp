#include "model_selection/groups.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

#include "model_selection/splitters_codes.hpp"
#include "support/blocks.hpp"

namespace mlestar::model_selection {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// NumPy's sum of up to 128 contiguous values: eight lanes, then a tree, then the rest.
double sum_like_numpy(const double* x, std::int64_t count) {
    double result = 0.0;
    std::int64_t i = 0;
    if (count >= 8) {
        double lane[8];
        std::copy_n(x, 8, lane);
        for (i = 8; i + 8 <= count; i += 8)
            for (std::int64_t l = 0; l < 8; ++l) lane[l] += x[i + l];
        result = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
                 ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
    for (; i < count; ++i) result += x[i];
    return result;
}

// numpy.isclose with its default tolerances, b finite or infinite.
bool close_to(double a, double b) {
    return std::isfinite(b) ? std::fabs(a - b) <= 1e-8 + 1e-5 * std::fabs(b) : a == b;
}

// The folds as they fill up.
struct balance {
    std::int64_t classes;
    std::int64_t count;
    const double* totals;
    std::vector<double> shares;  // of each fold and class: rows over all rows of the class
    std::vector<double> rows;    // of each fold and class
    std::vector<double> size;    // of each fold
    std::vector<double> deviation, trial;

    balance(std::int64_t classes_, std::int64_t count_, const double* totals_)
        : classes(classes_),
          count(count_),
          totals(totals_),
          shares(at(classes_ * count_), 0.0),
          rows(at(classes_ * count_), 0.0),
          size(at(count_), 0.0),
          deviation(at(classes_)),
          trial(at(count_)) {}

    // Mean over the classes of the standard deviation of their shares, were the group in `fold`.
    double cost(std::int64_t fold, const double* group) {
        const auto folds = static_cast<double>(count);
        for (std::int64_t c = 0; c < classes; ++c) {
            double sum = 0.0;
            for (std::int64_t f = 0; f < count; ++f) {
                trial[at(f)] = f == fold ? (rows[at(f * classes + c)] + group[c]) / totals[c]
                                         : shares[at(f * classes + c)];
                sum += trial[at(f)];
            }
            const double mean = sum / folds;
            double squares = 0.0;
            for (std::int64_t f = 0; f < count; ++f)
                squares += (trial[at(f)] - mean) * (trial[at(f)] - mean);
            deviation[at(c)] = std::sqrt(squares / folds);
        }
        return sum_like_numpy(deviation.data(), classes) / static_cast<double>(classes);
    }

    void add(std::int64_t fold, const double* group) {
        for (std::int64_t c = 0; c < classes; ++c) {
            rows[at(fold * classes + c)] += group[c];
            shares[at(fold * classes + c)] = rows[at(fold * classes + c)] / totals[c];
            size[at(fold)] += group[c];
        }
    }
};

}  // namespace

std::optional<row_codes> encode_groups(const vector_view& groups) {
    metrics::label_set labels;
    row_codes result;
    result.of_row.resize(at(groups.size));
    if (!encode_rows(groups, labels, result.of_row.data(), result.counts)) return std::nullopt;
    return result;
}

folds folds_of_groups(const row_codes& groups, const std::int64_t* fold_of_group,
                      std::int64_t count) {
    const auto rows = static_cast<std::int64_t>(groups.of_row.size());
    folds result{std::vector<fold_id>(at(rows)), std::vector<std::int64_t>(at(count), 0)};
    std::vector<fold_id> narrow(groups.counts.size());
    for (std::size_t g = 0; g < narrow.size(); ++g) {
        narrow[g] = static_cast<fold_id>(fold_of_group[g]);
        result.sizes[narrow[g]] += groups.counts[g];
    }
    parallel_for(
        task_count(rows),
        [&](std::int64_t task) {
            const std::int64_t last = std::min(rows, (task + 1) * task_size);
            for (std::int64_t row = task * task_size; row < last; ++row)
                result.of_row[at(row)] = narrow[at(groups.of_row[at(row)])];
        },
        rows < serial_below);
    return result;
}

std::vector<double> count_classes(const row_codes& groups, const row_codes& classes) {
    const std::size_t width = classes.counts.size();
    std::vector<double> table(groups.counts.size() * width, 0.0);
    for (std::size_t row = 0; row < groups.of_row.size(); ++row)
        table[at(groups.of_row[row]) * width + at(classes.of_row[row])] += 1.0;
    return table;
}

std::vector<std::int64_t> into_lightest(const std::int64_t* sizes, const std::int64_t* order,
                                        std::int64_t groups, std::int64_t count) {
    using load = std::pair<std::int64_t, std::int64_t>;  // rows, fold
    std::priority_queue<load, std::vector<load>, std::greater<>> lightest;
    for (std::int64_t f = 0; f < count; ++f) lightest.emplace(0, f);
    std::vector<std::int64_t> result(at(groups));
    for (std::int64_t i = 0; i < groups; ++i) {
        const auto [rows, fold] = lightest.top();
        lightest.pop();
        lightest.emplace(rows + sizes[order[i]], fold);
        result[at(order[i])] = fold;
    }
    return result;
}

std::vector<std::int64_t> into_balanced(const double* table, const double* totals,
                                        const std::int64_t* order, std::int64_t groups,
                                        std::int64_t classes, std::int64_t count, bool fill) {
    balance state(classes, count, totals);
    std::vector<std::int64_t> result(at(groups));
    std::vector<char> used(at(count), 0);
    std::int64_t empty = count;
    for (std::int64_t i = 0; i < groups; ++i) {
        const double* group = table + order[i] * classes;
        const bool only_empty = fill && groups - i <= empty;
        std::int64_t best = -1;
        double least = std::numeric_limits<double>::infinity();
        double fewest = std::numeric_limits<double>::infinity();
        for (std::int64_t f = 0; f < count; ++f) {
            if (only_empty && used[at(f)]) continue;
            const double cost = state.cost(f, group);
            if (cost < least || (close_to(cost, least) && state.size[at(f)] < fewest)) {
                least = cost;
                fewest = state.size[at(f)];
                best = f;
            }
        }
        state.add(best, group);
        empty -= used[at(best)] ? 0 : 1;
        used[at(best)] = 1;
        result[at(order[i])] = best;
    }
    return result;
}

}  // namespace mlestar::model_selection
