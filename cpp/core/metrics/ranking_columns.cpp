#include "metrics/ranking_columns.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "metrics/labels.hpp"
#include "support/blocks.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {
namespace {

bool is_binary(const vector_view& y) {
    const auto range = range_of({y});
    return range && range->minimum >= 0 && range->maximum <= 1;
}

bool are_codes(const vector_view& codes, std::int64_t classes) {
    const auto range = range_of({codes});
    return range && range->minimum >= 0 && range->maximum < classes;
}

// A few columns at a time, laid out one after the other: a row-major matrix is read a cache line
// at a time instead of once for each column and pass. Where columns are contiguous they stay where
// they are.
class column_reader {
public:
    explicit column_reader(const matrix_view& matrix)
        : matrix_(matrix),
          in_place_(matrix.row_stride == static_cast<std::int64_t>(size_of(matrix.type))),
          single_(matrix.type == dtype::f32),
          at_once_(in_place_ ? 1 : std::min<std::int64_t>(8, matrix.columns)),
          copy_(in_place_
                    ? 0
                    : static_cast<std::size_t>(at_once_ * matrix.rows) / (single_ ? 2 : 1) + 1) {}

    vector_view column(std::int64_t j) {
        if (in_place_) return matrix_.column(j);
        if (j < first_ || j >= first_ + at_once_) fetch(j);
        const std::int64_t item = single_ ? 4 : 8;
        return {
            reinterpret_cast<const std::byte*>(copy_.data()) + (j - first_) * matrix_.rows * item,
            single_ ? dtype::f32 : dtype::f64, matrix_.rows, item};
    }

private:
    void fetch(std::int64_t first) {
        first_ = first;
        const std::int64_t last = std::min(first + at_once_, matrix_.columns);
        parallel_for(
            task_count(matrix_.rows),
            [&](std::int64_t task) {
                const std::int64_t end = std::min(matrix_.rows, (task + 1) * task_size);
                for (std::int64_t at = task * task_size; at < end; at += block_size)
                    for (std::int64_t j = first; j < last; ++j)
                        copy(j, at, std::min(block_size, end - at));
            },
            matrix_.rows < serial_below);
    }

    void copy(std::int64_t j, std::int64_t at, std::int64_t count) {
        const std::int64_t target = (j - first_) * matrix_.rows + at;
        if (single_) {
            float* to = reinterpret_cast<float*>(copy_.data()) + target;
            const float* from = load_f32(matrix_.column(j), at, count, to);
            if (from != to) std::copy_n(from, count, to);
        } else {
            double* to = copy_.data() + target;
            const double* from = load_f64(matrix_.column(j), at, count, to);
            if (from != to) std::copy_n(from, count, to);
        }
    }

    matrix_view matrix_;
    bool in_place_, single_;
    std::int64_t at_once_;
    std::int64_t first_ = -8;
    scratch_array<double> copy_;
};

// A row's scores with their labels, descending; then the metric by its definition.
using ranked = std::vector<std::pair<double, bool>>;

double area_of(const ranked& rows) {
    std::int64_t twice = 0, above = 0, positives = 0;  // positives of higher scores
    for (std::size_t i = 0; i < rows.size();) {
        std::int64_t hits = 0, misses = 0;
        const double score = rows[i].first;
        for (; i < rows.size() && rows[i].first == score; ++i) ++(rows[i].second ? hits : misses);
        twice += misses * (2 * above + hits);
        above += hits;
    }
    positives = above;
    const std::int64_t negatives = static_cast<std::int64_t>(rows.size()) - positives;
    if (positives == 0 || negatives == 0) return std::nan("");
    return static_cast<double>(twice) /
           (2.0 * static_cast<double>(positives) * static_cast<double>(negatives));
}

double precision_of(const ranked& rows) {
    std::int64_t hits = 0;
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.size();) {
        std::int64_t here = 0;
        const double score = rows[i].first;
        for (; i < rows.size() && rows[i].first == score; ++i) here += rows[i].second ? 1 : 0;
        hits += here;
        sum += static_cast<double>(here) * static_cast<double>(hits) / static_cast<double>(i);
    }
    return hits == 0 ? std::nan("") : sum / static_cast<double>(hits);
}

bool same_shape(const matrix_view& a, const matrix_view& b) {
    return a.rows == b.rows && a.columns == b.columns && a.rows > 0 && a.columns > 0;
}

}  // namespace

std::optional<std::vector<double>> class_scores(ranking_metric metric, const vector_view& codes,
                                                const matrix_view& score,
                                                const vector_view& weight) {
    if (codes.size != score.rows || !are_codes(codes, score.columns)) return std::nullopt;
    column_reader reader(score);
    std::vector<double> result;
    for (std::int64_t k = 0; k < score.columns; ++k) {
        const auto value = one_against_rest(metric, codes, reader.column(k), weight, k);
        if (!value) return std::nullopt;
        result.push_back(*value);
    }
    return result;
}

std::optional<std::vector<double>> label_scores(ranking_metric metric, const matrix_view& y_true,
                                                const matrix_view& score,
                                                const vector_view& weight) {
    if (!same_shape(y_true, score)) return std::nullopt;
    column_reader reader(score);
    std::vector<double> result;
    for (std::int64_t k = 0; k < score.columns; ++k) {
        if (!is_binary(y_true.column(k))) return std::nullopt;
        const auto value = one_against_rest(metric, y_true.column(k), reader.column(k), weight, 1);
        if (!value) return std::nullopt;
        result.push_back(*value);
    }
    return result;
}

std::optional<std::vector<double>> sample_scores(ranking_metric metric, const matrix_view& y_true,
                                                 const matrix_view& score) {
    if (!same_shape(y_true, score)) return std::nullopt;
    for (std::int64_t k = 0; k < y_true.columns; ++k)
        if (!is_binary(y_true.column(k))) return std::nullopt;
    std::vector<double> result(static_cast<std::size_t>(score.rows));
    const auto width = static_cast<std::size_t>(score.columns);
    const std::int64_t at_once = std::max<std::int64_t>(1, block_size / score.columns);
    const std::int64_t blocks = (score.rows + at_once - 1) / at_once;
    std::vector<char> finite(static_cast<std::size_t>(blocks), 1);
    parallel_for(
        blocks,
        [&](std::int64_t block) {
            scratch_array<double> x(static_cast<std::size_t>(at_once) * width);
            scratch_array<double> y(static_cast<std::size_t>(at_once) * width);
            const std::int64_t first = block * at_once;
            const std::int64_t count = std::min(at_once, score.rows - first);
            const double* values = load_rows_f64(score, first, count, x.data());
            const double* labels = load_rows_f64(y_true, first, count, y.data());
            ranked rows(width);
            for (std::int64_t i = 0; i < count; ++i) {
                for (std::size_t k = 0; k < width; ++k) {
                    const std::size_t at = static_cast<std::size_t>(i) * width + k;
                    rows[k] = {values[at], labels[at] != 0.0};
                    if (!std::isfinite(values[at])) finite[static_cast<std::size_t>(block)] = 0;
                }
                if (finite[static_cast<std::size_t>(block)] == 0) return;
                std::sort(rows.begin(), rows.end(),
                          [](const auto& a, const auto& b) { return a.first > b.first; });
                result[static_cast<std::size_t>(first + i)] =
                    metric == ranking_metric::roc_auc ? area_of(rows) : precision_of(rows);
            }
        },
        score.rows * score.columns < serial_below / 8);
    if (std::find(finite.begin(), finite.end(), 0) != finite.end()) return std::nullopt;
    return result;
}

std::optional<std::vector<double>> pair_scores(const vector_view& codes, const matrix_view& score) {
    if (codes.size != score.rows || !are_codes(codes, score.columns)) return std::nullopt;
    column_reader reader(score);
    const auto width = static_cast<std::size_t>(score.columns);
    std::vector<double> result(width * width);
    for (std::int64_t k = 0; k < score.columns; ++k)
        if (!pair_areas(codes, reader.column(k), k, score.columns,
                        result.data() + static_cast<std::size_t>(k) * width))
            return std::nullopt;
    return result;
}

bool rows_sum_to_one(const matrix_view& score) {
    const std::int64_t at_once = std::max<std::int64_t>(1, 2 * block_size / score.columns);
    const auto partials =
        map_blocks(score.rows, char{1}, [&](char& good, std::int64_t at, std::int64_t count) {
            scratch_array<double> buffer(static_cast<std::size_t>(at_once * score.columns));
            for (std::int64_t done = 0; done < count; done += at_once) {
                const std::int64_t some = std::min(at_once, count - done);
                const double* rows = load_rows_f64(score, at + done, some, buffer.data());
                for (std::int64_t i = 0; i < some; ++i) {
                    double sum = 0.0;
                    for (std::int64_t k = 0; k < score.columns; ++k)
                        sum += rows[i * score.columns + k];
                    if (!(std::abs(1.0 - sum) <= 1e-8 + 1e-5 * std::abs(sum))) good = 0;
                }
            }
        });
    return std::find(partials.begin(), partials.end(), char{0}) == partials.end();
}

}  // namespace mlestar::metrics
