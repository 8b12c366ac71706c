#include "preprocessing/target.hpp"

#include <algorithm>
#include <cstring>

#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"
#include "support/stream.hpp"

namespace mlestar::preprocessing {

namespace {

// Rows that are summed together, by the data alone: a large table is not cleared for few rows.
std::int64_t part_rows(std::int64_t cells) { return std::max<std::int64_t>(65536, 4 * cells); }

// body(column, first, last, cells) sums a part's rows in cells of its own; parts are added in
// order.
template <class Cell, class Body>
std::vector<Cell> over_parts(std::int64_t rows, std::int64_t cells, Body body) {
    const std::int64_t size = part_rows(cells);
    const std::int64_t parts = std::max<std::int64_t>(1, (rows + size - 1) / size);
    std::vector<std::vector<Cell>> found(static_cast<std::size_t>(parts));
    parallel_for(
        parts,
        [&](std::int64_t part) {
            auto& own = found[static_cast<std::size_t>(part)];
            own.assign(static_cast<std::size_t>(cells), Cell{});
            body(part * size, std::min(rows, (part + 1) * size), own.data());
        },
        parts == 1);
    for (std::size_t part = 1; part < found.size(); ++part)
        for (std::size_t k = 0; k < found[0].size(); ++k) found[0][k] += found[part][k];
    return std::move(found[0]);
}

struct moment_cell {
    double sum = 0.0, square = 0.0;
    std::int64_t count = 0;
    void operator+=(const moment_cell& other) {
        sum += other.sum;
        square += other.square;
        count += other.count;
    }
};

std::int64_t fold_of(const row_folds& folds, std::int64_t row) {
    return folds.of_rows == nullptr ? 0 : folds.of_rows[row];
}

}  // namespace

std::vector<std::vector<std::int64_t>> label_counts(const code_table& table, const row_folds& folds,
                                                    const std::int32_t* labels,
                                                    std::int64_t classes) {
    std::vector<std::vector<std::int64_t>> result;
    for (std::size_t j = 0; j < table.categories.size(); ++j) {
        const std::int32_t* const codes = table.codes + static_cast<std::int64_t>(j) * table.rows;
        result.push_back(over_parts<std::int64_t>(
            table.rows, table.categories[j] * folds.count * classes,
            [&](std::int64_t first, std::int64_t last, std::int64_t* cells) {
                for (std::int64_t i = first; i < last; ++i)
                    ++cells[(codes[i] * folds.count + fold_of(folds, i)) * classes + labels[i]];
            }));
    }
    return result;
}

std::vector<target_moments> moments_of_target(const code_table& table, const row_folds& folds,
                                              const double* y) {
    std::vector<target_moments> result;
    for (std::size_t j = 0; j < table.categories.size(); ++j) {
        const std::int32_t* const codes = table.codes + static_cast<std::int64_t>(j) * table.rows;
        const auto whole =
            over_parts<moment_cell>(table.rows, table.categories[j],
                                    [&](std::int64_t first, std::int64_t last, moment_cell* cells) {
                                        for (std::int64_t i = first; i < last; ++i) {
                                            cells[codes[i]].sum += y[i];
                                            ++cells[codes[i]].count;
                                        }
                                    });
        target_moments moments;
        for (const moment_cell& one : whole)
            moments.centers.push_back(one.count == 0 ? 0.0
                                                     : one.sum / static_cast<double>(one.count));
        const double* const centers = moments.centers.data();
        const auto cells = over_parts<moment_cell>(
            table.rows, table.categories[j] * folds.count,
            [&](std::int64_t first, std::int64_t last, moment_cell* own) {
                for (std::int64_t i = first; i < last; ++i) {
                    moment_cell& cell = own[codes[i] * folds.count + fold_of(folds, i)];
                    const double difference = y[i] - centers[codes[i]];
                    cell.sum += difference;
                    cell.square += difference * difference;
                    ++cell.count;
                }
            });
        for (const moment_cell& one : cells) {
            moments.counts.push_back(one.count);
            moments.sums.push_back(one.sum);
            moments.squares.push_back(one.square);
        }
        result.push_back(std::move(moments));
    }
    return result;
}

void target_encodings_into(const code_table& table, const row_folds& folds, std::int64_t parts,
                           const std::vector<const double*>& tables, double* result) {
    const auto width = static_cast<std::int64_t>(tables.size());
    const std::int64_t block = std::clamp<std::int64_t>(4 * block_size / width, 16, block_size);
    const std::int64_t task = block * std::max<std::int64_t>(1, task_size / (block * width + 1));
    const bool streams =
        table.rows * width * static_cast<std::int64_t>(sizeof(double)) >= stream_above;
    parallel_for(
        (table.rows + task - 1) / task,
        [&](std::int64_t number) {
            const std::int64_t last = std::min(table.rows, (number + 1) * task);
            scratch_array<double> made(
                static_cast<std::size_t>(std::min(block, last - number * task) * width));
            for (std::int64_t at = number * task; at < last; at += block) {
                const std::int64_t some = std::min(block, last - at);
                for (std::int64_t k = 0; k < width; ++k) {
                    const std::int32_t* const codes = table.codes + k / parts * table.rows + at;
                    const double* const values = tables[static_cast<std::size_t>(k)];
                    double* const target = made.data() + k;
                    for (std::int64_t i = 0; i < some; ++i)
                        target[i * width] = values[codes[i] * folds.count + fold_of(folds, at + i)];
                }
                auto* const to = reinterpret_cast<std::byte*>(result + at * width);
                const auto* const from = reinterpret_cast<const std::byte*>(made.data());
                const std::int64_t bytes = some * width * static_cast<std::int64_t>(sizeof(double));
                if (streams)
                    stream(to, from, bytes);
                else
                    std::memcpy(to, from, static_cast<std::size_t>(bytes));
            }
            streamed();
        },
        table.rows * width < serial_below / 2);
}

}  // namespace mlestar::preprocessing
