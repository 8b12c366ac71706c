#include "metrics/clustering.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "metrics/classification.hpp"
#include "metrics/labels.hpp"
#include "support/blocks.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {
namespace {

// Up to this many cells every task counts in a table of its own.
constexpr std::int64_t dense_cells = std::int64_t{1} << 16;
// Labels within a range as small as this go through the confusion matrix.
constexpr std::int64_t confusion_range = 64;

void add(contingency& table, std::int64_t row, std::int64_t column, std::int64_t count) {
    table.rows.push_back(row);
    table.columns.push_back(column);
    table.counts.push_back(count);
    table.row_sums[static_cast<std::size_t>(row)] += count;
    table.column_sums[static_cast<std::size_t>(column)] += count;
    table.points += count;
}

// Ranks of the entries that are not zero; -1 for the others.
std::vector<std::int64_t> ranks_of(const std::vector<double>& sums) {
    std::vector<std::int64_t> ranks(sums.size(), -1);
    std::int64_t next = 0;
    for (std::size_t i = 0; i < sums.size(); ++i)
        if (sums[i] > 0.0) ranks[i] = next++;
    return ranks;
}

contingency from_confusion(const confusion& matrix) {
    const std::size_t n = matrix.labels.size();
    std::vector<double> true_sums(n, 0.0), predicted_sums(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            true_sums[i] += matrix.cells[i * n + j];
            predicted_sums[j] += matrix.cells[i * n + j];
        }
    }
    const auto rows = ranks_of(true_sums), columns = ranks_of(predicted_sums);
    contingency table;
    table.row_sums.assign(static_cast<std::size_t>(n - std::count(rows.begin(), rows.end(), -1)),
                          0);
    table.column_sums.assign(
        static_cast<std::size_t>(n - std::count(columns.begin(), columns.end(), -1)), 0);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            if (matrix.cells[i * n + j] > 0.0)
                add(table, rows[i], columns[j], static_cast<std::int64_t>(matrix.cells[i * n + j]));
    return table;
}

// Counts of cell numbers, sorted by number.
using cell_counts = std::vector<std::pair<std::int64_t, std::int64_t>>;

cell_counts count_dense(const encoded_integers& a, const encoded_integers& b, std::int64_t cells) {
    const auto width = static_cast<std::int64_t>(b.values.size());
    const auto partials =
        map_blocks(static_cast<std::int64_t>(a.codes.size()),
                   std::vector<std::int64_t>(static_cast<std::size_t>(cells), 0),
                   [&](std::vector<std::int64_t>& part, std::int64_t at, std::int64_t count) {
                       const std::int32_t* row = a.codes.data() + at;
                       const std::int32_t* column = b.codes.data() + at;
                       for (std::int64_t i = 0; i < count; ++i)
                           ++part[static_cast<std::size_t>(row[i] * width + column[i])];
                   });
    cell_counts found;
    for (std::int64_t cell = 0; cell < cells; ++cell) {
        std::int64_t count = 0;
        for (const auto& part : partials) count += part[static_cast<std::size_t>(cell)];
        if (count > 0) found.emplace_back(cell, count);
    }
    return found;
}

cell_counts count_sparse(const encoded_integers& a, const encoded_integers& b) {
    const auto width = static_cast<std::int64_t>(b.values.size());
    std::unordered_map<std::int64_t, std::int64_t> counts;
    for (std::size_t i = 0; i < a.codes.size(); ++i) ++counts[a.codes[i] * width + b.codes[i]];
    cell_counts found(counts.begin(), counts.end());
    std::sort(found.begin(), found.end());
    return found;
}

double log_of(std::int64_t value) { return math::log(static_cast<double>(value)); }

// Expected k / n * log(n k / (a b)) where k is hypergeometric. Probabilities by their ratio to the
// most likely one, then divided by their sum: no logarithm of a factorial, whose error grows with
// the number of points.
double expected_cell(double a, double b, double n) {
    constexpr double negligible = 1e-20;  // of the most likely
    const double lowest = std::max(0.0, a + b - n);
    const double highest = std::min(a, b);
    const double mode = std::clamp(std::floor((a + 1.0) * (b + 1.0) / (n + 2.0)), lowest, highest);
    const double shift = math::log(n) - math::log(a) - math::log(b);
    double total = 0.0, expected = 0.0;
    const auto add_term = [&](double k, double p) {
        total += p;
        if (k > 0.0) expected += p * k * (math::log(k) + shift);
    };
    double p = 1.0;
    for (double k = mode; p > negligible; ++k) {
        add_term(k, p);
        if (k >= highest) break;
        p *= (a - k) * (b - k) / ((k + 1.0) * (n - a - b + k + 1.0));
    }
    p = 1.0;
    for (double k = mode; k > lowest; --k) {
        p *= k * (n - a - b + k) / ((a - k + 1.0) * (b - k + 1.0));
        if (p <= negligible) break;
        add_term(k - 1.0, p);
    }
    return expected / total / n;
}

}  // namespace

std::optional<contingency> contingency_table(const vector_view& labels_true,
                                             const vector_view& labels_pred) {
    if (labels_true.size == 0 || labels_true.size != labels_pred.size) return std::nullopt;
    const auto range = range_of({labels_true, labels_pred});
    if (!range) return std::nullopt;
    if (static_cast<std::uint64_t>(range->maximum) - static_cast<std::uint64_t>(range->minimum) <
        confusion_range) {
        const auto matrix = confusion_matrix(labels_true, labels_pred, {}, *range);
        return matrix ? std::optional(from_confusion(*matrix)) : std::nullopt;
    }
    const auto a = encode_integers(labels_true, {}), b = encode_integers(labels_pred, {});
    if (!a || !b) return std::nullopt;
    const auto height = static_cast<std::int64_t>(a->values.size());
    const auto width = static_cast<std::int64_t>(b->values.size());
    const cell_counts cells =
        height <= dense_cells / width ? count_dense(*a, *b, height * width) : count_sparse(*a, *b);
    contingency table;
    table.row_sums.assign(static_cast<std::size_t>(height), 0);
    table.column_sums.assign(static_cast<std::size_t>(width), 0);
    for (const auto& [cell, count] : cells) add(table, cell / width, cell % width, count);
    return table;
}

std::optional<contingency> contingency_of(const vector_view& rows, const vector_view& columns,
                                          const vector_view& counts) {
    constexpr std::int64_t most = std::int64_t{1} << 61;
    if (rows.size == 0 || rows.size != columns.size || rows.size != counts.size)
        return std::nullopt;
    const auto a = encode_integers(rows, {}), b = encode_integers(columns, {});
    if (!a || !b) return std::nullopt;
    contingency table;
    table.row_sums.assign(a->values.size(), 0);
    table.column_sums.assign(b->values.size(), 0);
    std::int64_t buffer[block_size];
    for (std::int64_t i = 0; i < rows.size; ++i) {
        bool exact = true;
        const std::int64_t count = *load_i64(counts, i, 1, buffer, exact);
        if (!exact || count < 1 || count > most - table.points) return std::nullopt;
        const auto at = static_cast<std::size_t>(i);
        add(table, a->codes[at], b->codes[at], count);
    }
    return table;
}

double sum_of_squares(const std::vector<std::int64_t>& counts) {
    double sum = 0.0;
    for (const std::int64_t count : counts)
        sum += static_cast<double>(count) * static_cast<double>(count);
    return sum;
}

double mutual_information(const contingency& table) {
    constexpr double negligible = 2.220446049250313e-16;  // scikit-learn takes such terms for zero
    if (table.row_sums.size() == 1 || table.column_sums.size() == 1) return 0.0;
    const double log_all = log_of(table.points);
    double sum = 0.0;
    for (std::size_t i = 0; i < table.counts.size(); ++i) {
        const double part =
            static_cast<double>(table.counts[i]) / static_cast<double>(table.points);
        const double outer =
            log_all + log_all -
            math::log(
                static_cast<double>(table.row_sums[static_cast<std::size_t>(table.rows[i])]) *
                static_cast<double>(table.column_sums[static_cast<std::size_t>(table.columns[i])]));
        const double term = part * (log_of(table.counts[i]) - log_all) + part * outer;
        sum += std::abs(term) < negligible ? 0.0 : term;
    }
    return std::max(sum, 0.0);
}

double entropy(const std::vector<std::int64_t>& sizes) {
    if (sizes.size() == 1) return 0.0;
    double all = 0.0;
    for (const std::int64_t size : sizes) all += static_cast<double>(size);
    double sum = 0.0;
    for (const std::int64_t size : sizes)
        sum += static_cast<double>(size) / all * (log_of(size) - math::log(all));
    return -sum;
}

double expected_mutual_information(const std::vector<std::int64_t>& row_sums,
                                   const std::vector<std::int64_t>& column_sums,
                                   std::int64_t points) {
    const auto n = static_cast<double>(points);
    std::vector<double> sums(row_sums.size(), 0.0);
    parallel_for(
        static_cast<std::int64_t>(row_sums.size()),
        [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            for (const std::int64_t column : column_sums)
                sums[at] += expected_cell(static_cast<double>(row_sums[at]),
                                          static_cast<double>(column), n);
        },
        row_sums.size() * column_sums.size() < 16);
    double sum = 0.0;
    for (const double part : sums) sum += part;
    return sum;
}

}  // namespace mlestar::metrics
