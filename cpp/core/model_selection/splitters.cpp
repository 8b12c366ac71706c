#include "model_selection/splitters.hpp"

#include <algorithm>
#include <numeric>

#include "metrics/labels.hpp"
#include "model_selection/splitters.kernels.hpp"
#include "model_selection/splitters_codes.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::model_selection {

MLESTAR_SELECT_KERNELS(splitter_kernels)

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Classes in the order of their first row.
std::vector<std::int32_t> by_appearance(const std::int32_t* codes, std::int64_t rows,
                                        std::int64_t classes) {
    std::vector<std::int32_t> order;
    std::vector<char> seen(at(classes), 0);
    for (std::int64_t row = 0; row < rows && order.size() < seen.size(); ++row) {
        if (seen[at(codes[row])]) continue;
        seen[at(codes[row])] = 1;
        order.push_back(codes[row]);
    }
    return order;
}

}  // namespace

namespace {

template <class Row>
folds deal(std::int64_t rows, std::int64_t count, bit_generator& generator) {
    scratch_array<Row> order(at(rows));
    std::iota(order.data(), order.data() + rows, Row{0});
    shuffle(generator, order.data(), rows);
    folds result{std::vector<fold_id>(at(rows)),
                 std::vector<std::int64_t>(at(count), rows / count)};
    for (std::int64_t f = 0; f < rows % count; ++f) ++result.sizes[at(f)];
    const Row* next = order.data();
    for (std::int64_t f = 0; f < count; ++f)
        for (std::int64_t i = 0; i < result.sizes[at(f)]; ++i)
            result.of_row[at(*next++)] = static_cast<fold_id>(f);
    return result;
}

}  // namespace

folds shuffled_folds(std::int64_t rows, std::int64_t count, bit_generator& generator) {
    // Half the memory to shuffle wherever the row numbers fit.
    return rows < std::int64_t{1} << 31 ? deal<std::int32_t>(rows, count, generator)
                                        : deal<std::int64_t>(rows, count, generator);
}

std::optional<stratified_folds> stratify(const vector_view& y, std::int64_t count,
                                         bit_generator* generator) {
    metrics::label_set labels;
    scratch_array<std::int32_t> codes(at(y.size));
    stratified_folds result;
    if (!encode_rows(y, labels, codes.data(), result.class_counts)) return std::nullopt;
    const auto& counts = result.class_counts;
    if (std::all_of(counts.begin(), counts.end(), [&](std::int64_t c) { return c < count; }))
        return result;

    // The folds of each class, in the order in which its rows take them: sorted by class, every
    // count-th row belongs to the same fold, so fold f gets the positions congruent to f.
    std::vector<std::int64_t> next(counts.size());
    std::vector<fold_id> sequence(at(y.size));
    result.assignment.sizes.assign(at(count), 0);
    std::int64_t start = 0;
    for (std::int32_t c : by_appearance(codes.data(), y.size, labels.size())) {
        const std::int64_t size = counts[at(c)];
        next[at(c)] = start;
        fold_id* of_class = sequence.data() + start;
        std::int64_t written = 0;
        for (std::int64_t f = 0; f < count; ++f) {
            const std::int64_t first = ((f - start) % count + count) % count;
            const std::int64_t share = first < size ? (size - first - 1) / count + 1 : 0;
            std::fill_n(of_class + written, share, static_cast<fold_id>(f));
            result.assignment.sizes[at(f)] += share;
            written += share;
        }
        if (generator != nullptr) shuffle(*generator, of_class, size);
        start += size;
    }
    result.assignment.of_row.resize(at(y.size));
    fold_id* of_row = result.assignment.of_row.data();
    for (std::int64_t row = 0; row < y.size; ++row)
        of_row[row] = sequence[at(next[at(codes[at(row)])]++)];
    return result;
}

void split(const folds& assignment, std::int64_t fold, std::int64_t* train, std::int64_t* test) {
    const auto rows = static_cast<std::int64_t>(assignment.of_row.size());
    const auto id = static_cast<fold_id>(fold);
    const fold_id* of_row = assignment.of_row.data();
    const std::int64_t tasks = task_count(rows);
    const bool serial = rows < serial_below;
    std::vector<std::int64_t> held_out(at(tasks + 1), 0);
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t first = task * task_size;
            const std::int64_t size = std::min(task_size, rows - first);
            held_out[at(task + 1)] = kernels().count_equal(of_row + first, size, id);
        },
        serial);
    std::partial_sum(held_out.begin(), held_out.end(), held_out.begin());
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            const std::int64_t first = task * task_size;
            const std::int64_t size = std::min(task_size, rows - first);
            kernels().divide(of_row + first, first, size, id, train + first - held_out[at(task)],
                             train + first + size - held_out[at(task + 1)],
                             test + held_out[at(task)], test + held_out[at(task + 1)]);
        },
        serial);
}

void split_range(std::int64_t rows, std::int64_t first, std::int64_t last, std::int64_t* train,
                 std::int64_t* test) {
    parallel_for(
        task_count(rows),
        [&](std::int64_t task) {
            const std::int64_t begin = task * task_size;
            const std::int64_t end = std::min(rows, begin + task_size);
            // The part before the fold, the part in it, the part after it.
            const std::int64_t a = std::clamp(first, begin, end);
            const std::int64_t b = std::clamp(last, begin, end);
            kernels().sequence(begin, a - begin, train + begin);
            kernels().sequence(a, b - a, test + a - first);
            kernels().sequence(b, end - b, train + b - (last - first));
        },
        rows < serial_below);
}

void leave_out(std::int64_t rows, const std::int64_t* test, std::int64_t count,
               std::int64_t* train) {
    std::int64_t row = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        kernels().sequence(row, test[i] - row, train);
        train += test[i] - row;
        row = test[i] + 1;
    }
    kernels().sequence(row, rows - row, train);
}

void permutation(std::int64_t size, bit_generator& generator, std::int64_t* target) {
    std::iota(target, target + size, std::int64_t{0});
    shuffle(generator, target, size);
}

std::optional<class_rows> group_by_class(const vector_view& y) {
    metrics::label_set labels;
    scratch_array<std::int32_t> codes(at(y.size));
    class_rows result;
    if (!encode_rows(y, labels, codes.data(), result.counts)) return std::nullopt;
    std::vector<std::int64_t> next(result.counts.size(), 0);
    std::partial_sum(result.counts.begin(), result.counts.end() - 1, next.begin() + 1);
    result.rows.resize(at(y.size));
    for (std::int64_t row = 0; row < y.size; ++row)
        result.rows[at(next[at(codes[at(row)])]++)] = row;
    return result;
}

drawn draw_sizes(const class_rows& classes, const std::vector<std::int64_t>& train_counts,
                 const std::vector<std::int64_t>& test_counts) {
    drawn sizes{0, 0};
    if (train_counts.size() != classes.counts.size() || test_counts.size() != classes.counts.size())
        throw argument_error("train_counts and test_counts must have one value a class");
    for (std::size_t c = 0; c < classes.counts.size(); ++c) {
        // Not a sum: two numbers of the user's may be too large for one.
        if (train_counts[c] < 0 || train_counts[c] > classes.counts[c] || test_counts[c] < 0 ||
            test_counts[c] > classes.counts[c] - train_counts[c])
            throw argument_error(
                "a class has fewer rows than train_counts and test_counts ask for");
        sizes.train += train_counts[c];
        sizes.test += test_counts[c];
    }
    return sizes;
}

void stratified_draw(const class_rows& classes, const std::vector<std::int64_t>& train_counts,
                     const std::vector<std::int64_t>& test_counts, bit_generator& generator,
                     std::int64_t* train, std::int64_t* test) {
    std::vector<std::int64_t> order;
    std::int64_t trained = 0;
    std::int64_t tested = 0;
    std::int64_t start = 0;
    for (std::size_t c = 0; c < classes.counts.size(); ++c) {
        order.resize(at(classes.counts[c]));
        permutation(classes.counts[c], generator, order.data());
        for (std::int64_t i = 0; i < train_counts[c]; ++i)
            train[trained++] = classes.rows[at(start + order[at(i)])];
        for (std::int64_t i = 0; i < test_counts[c]; ++i)
            test[tested++] = classes.rows[at(start + order[at(train_counts[c] + i)])];
        start += classes.counts[c];
    }
    shuffle(generator, train, trained);
    shuffle(generator, test, tested);
}

}  // namespace mlestar::model_selection
