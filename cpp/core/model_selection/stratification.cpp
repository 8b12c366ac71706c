#include "model_selection/stratification.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "model_selection/stratification.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::model_selection {

MLESTAR_SELECT_KERNELS(stratification_kernels)

namespace {

constexpr fold_id no_fold = std::numeric_limits<fold_id>::max();

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Partitions [first, last) at the places [low, high), ascending.
void place(double* values, std::int64_t first, std::int64_t last, const std::int64_t* low,
           const std::int64_t* high) {
    if (low == high || last - first < 2) return;
    const std::int64_t* const middle = low + (high - low) / 2;
    std::nth_element(values + first, values + *middle, values + last);
    place(values, first, *middle, low, middle);
    place(values, *middle + 1, last, middle + 1, high);
}

// A heap of items by key whose keys may fall: what is smallest is on top.
class falling_heap {
public:
    explicit falling_heap(std::vector<std::uint64_t>&& keys)
        : keys_(std::move(keys)), heap_(keys_.size()), place_(keys_.size()) {
        std::iota(heap_.begin(), heap_.end(), std::int32_t{0});
        std::sort(heap_.begin(), heap_.end(),
                  [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });
        for (std::size_t i = 0; i < heap_.size(); ++i) place_[at(heap_[i])] = i;
    }
    bool empty() const { return heap_.empty(); }
    std::int32_t pop() {
        const std::int32_t top = heap_.front();
        const std::int32_t moved = heap_.back();
        heap_.pop_back();
        if (!heap_.empty()) sink(moved);
        return top;
    }
    // Not for items that are popped.
    void fall(std::int32_t item, std::uint64_t by) {
        keys_[at(item)] -= by;
        std::size_t i = place_[at(item)];
        for (; i > 0; i = (i - 1) / 2) {
            const std::int32_t above = heap_[(i - 1) / 2];
            if (key(above) <= key(item)) break;
            put(above, i);
        }
        put(item, i);
    }

private:
    std::uint64_t key(std::int32_t item) const { return keys_[at(item)]; }
    void put(std::int32_t item, std::size_t i) {
        heap_[i] = item;
        place_[at(item)] = i;
    }
    void sink(std::int32_t item) {
        std::size_t i = 0;
        for (std::size_t child; (child = 2 * i + 1) < heap_.size(); i = child) {
            if (child + 1 < heap_.size() && key(heap_[child + 1]) < key(heap_[child])) ++child;
            if (key(item) <= key(heap_[child])) break;
            put(heap_[child], i);
        }
        put(item, i);
    }

    std::vector<std::uint64_t> keys_;
    std::vector<std::int32_t> heap_;
    std::vector<std::size_t> place_;
};

// All in integers: a fold's wish for an item is its share of the item's rows times the sum of the
// weights, so that equal wishes are equal to the bit.
class dealer {
public:
    dealer(std::int64_t rows, const std::vector<std::int64_t>& weights, bool exact,
           bit_generator* generator)
        : weights_(weights),
          total_(std::accumulate(weights.begin(), weights.end(), std::int64_t{0})),
          generator_(generator),
          order_(at(rows)) {
        result_.of_row.assign(at(rows), no_fold);
        result_.sizes.assign(weights.size(), 0);
        room_ = exact ? weights : std::vector<std::int64_t>(weights.size(), rows);
        for (std::int64_t weight : weights) wish_.push_back(rows * weight);
        std::iota(order_.begin(), order_.end(), std::int32_t{0});
        if (generator_ != nullptr) shuffle(*generator_, order_.data(), rows);
    }

    void deal(const label_rows& items);
    folds finish() {
        for (const std::int32_t row : order_)
            if (result_.of_row[at(row)] == no_fold) assign(row, choose(wish_.data()));
        return std::move(result_);
    }

private:
    // The fold with room that wishes most, among equals the one that wishes for most rows.
    std::size_t choose(const std::int64_t* wishes) {
        ties_.clear();
        for (std::size_t f = 0; f < weights_.size(); ++f) {
            if (room_[f] == 0) continue;
            if (!ties_.empty()) {
                const std::size_t best = ties_.front();
                if (wishes[f] < wishes[best]) continue;
                if (wishes[f] == wishes[best]) {
                    if (wish_[f] < wish_[best]) continue;
                    if (wish_[f] == wish_[best]) {
                        ties_.push_back(f);
                        continue;
                    }
                }
                ties_.clear();
            }
            ties_.push_back(f);
        }
        if (generator_ != nullptr)
            shuffle(*generator_, ties_.data(), static_cast<std::int64_t>(ties_.size()));
        return ties_.front();
    }
    void assign(std::int32_t row, std::size_t fold) {
        result_.of_row[at(row)] = static_cast<fold_id>(fold);
        ++result_.sizes[fold];
        --room_[fold];
        wish_[fold] -= total_;
    }

    const std::vector<std::int64_t>& weights_;
    std::int64_t total_;
    bit_generator* generator_;
    std::vector<std::int32_t> order_;  // in which rows are taken
    std::vector<std::int64_t> room_;
    std::vector<std::int64_t> wish_;
    std::vector<std::size_t> ties_;
    folds result_;
};

void dealer::deal(const label_rows& items) {
    const std::size_t folds = weights_.size();
    const std::size_t count = at(items.label_count);
    const auto items_of = [&](std::int32_t row, auto body) {
        for (std::int64_t i = items.starts[at(row)]; i < items.starts[at(row) + 1]; ++i)
            body(items.labels[at(i)]);
    };
    // Rows of each item that are still to be dealt, in the order in which they are taken.
    std::vector<std::int64_t> left(count, 0);
    std::vector<std::int64_t> wishes(count * folds, 0);
    for (const std::int32_t row : order_) {
        const fold_id fold = result_.of_row[at(row)];
        items_of(row, [&](std::int32_t item) {
            for (std::size_t f = 0; f < folds; ++f) wishes[at(item) * folds + f] += weights_[f];
            if (fold == no_fold)
                ++left[at(item)];
            else
                wishes[at(item) * folds + fold] -= total_;
        });
    }
    std::vector<std::int64_t> starts(count + 1, 0);
    std::partial_sum(left.begin(), left.end(), starts.begin() + 1);
    std::vector<std::int32_t> rows(at(starts.back()));
    std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
    for (const std::int32_t row : order_)
        if (result_.of_row[at(row)] == no_fold)
            items_of(row, [&](std::int32_t item) { rows[at(next[at(item)]++)] = row; });

    // The fewest rows left first; among equals the item whose turn is first.
    std::vector<std::int32_t> turn(count);
    std::iota(turn.begin(), turn.end(), std::int32_t{0});
    if (generator_ != nullptr) shuffle(*generator_, turn.data(), items.label_count);
    constexpr std::uint64_t one = std::uint64_t{1} << 32;
    std::vector<std::uint64_t> keys(count);
    for (std::size_t i = 0; i < count; ++i)
        keys[at(turn[i])] = static_cast<std::uint64_t>(left[at(turn[i])]) * one + i;
    falling_heap heap(std::move(keys));
    std::vector<char> done(count, 0);
    while (!heap.empty()) {
        const std::int32_t item = heap.pop();
        done[at(item)] = 1;
        for (std::int64_t i = starts[at(item)]; i < starts[at(item) + 1]; ++i) {
            const std::int32_t row = rows[at(i)];
            if (result_.of_row[at(row)] != no_fold) continue;
            const std::size_t fold = choose(wishes.data() + at(item) * folds);
            assign(row, fold);
            items_of(row, [&](std::int32_t other) {
                wishes[at(other) * folds + fold] -= total_;
                if (!done[at(other)]) heap.fall(other, one);
            });
        }
    }
}

// Every two labels of a row as one item.
label_rows pairs_of(const label_rows& y) {
    const auto pairs_in = [&](std::int64_t row, auto body) {
        const std::int64_t end = y.starts[at(row) + 1];
        for (std::int64_t i = y.starts[at(row)]; i < end; ++i)
            for (std::int64_t j = i + 1; j < end; ++j)
                body(static_cast<std::int64_t>(y.labels[at(i)]) * y.label_count + y.labels[at(j)]);
    };
    label_rows result;
    result.starts.assign(1, 0);
    std::vector<std::int64_t> known;
    std::vector<std::int64_t> found;
    const auto merge = [&] {  // so that memory follows the pairs there are, not their rows
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        std::vector<std::int64_t> both;
        std::set_union(known.begin(), known.end(), found.begin(), found.end(),
                       std::back_inserter(both));
        known = std::move(both);
        found.clear();
    };
    for (std::int64_t row = 0; row < y.rows(); ++row) {
        pairs_in(row, [&](std::int64_t pair) { found.push_back(pair); });
        if (found.size() > std::max<std::size_t>(1 << 20, 2 * known.size())) merge();
    }
    merge();
    if (static_cast<std::int64_t>(known.size()) > most_stratified_rows)
        throw argument_error("y has too many different pairs of labels: 2**31 or more");
    for (std::int64_t row = 0; row < y.rows(); ++row) {
        pairs_in(row, [&](std::int64_t pair) {
            const auto place = std::lower_bound(known.begin(), known.end(), pair);
            result.labels.push_back(static_cast<std::int32_t>(place - known.begin()));
        });
        result.starts.push_back(static_cast<std::int64_t>(result.labels.size()));
    }
    result.label_count = static_cast<std::int64_t>(known.size());
    return result;
}

}  // namespace

std::vector<std::int32_t> quantile_bins(const vector_view& y, std::int64_t bins) {
    std::vector<double> values(at(y.size));
    std::vector<char> fine(at(task_count(y.size)), 1);
    const auto by_blocks = [&](auto body) {
        parallel_for(
            task_count(y.size),
            [&](std::int64_t task) {
                const std::int64_t last = std::min(y.size, (task + 1) * task_size);
                for (std::int64_t i = task * task_size; i < last; i += block_size)
                    body(task, i, std::min(block_size, last - i));
            },
            y.size < serial_below);
    };
    by_blocks([&](std::int64_t task, std::int64_t first, std::int64_t count) {
        double buffer[block_size];
        const double* const loaded = load_f64(y, first, count, buffer);
        std::copy_n(loaded, count, values.data() + first);
        if (!kernels().all_finite(loaded, count)) fine[at(task)] = 0;
    });
    if (std::find(fine.begin(), fine.end(), 0) != fine.end())
        throw argument_error("y holds NaN or infinity, but must be finite");
    std::vector<std::int64_t> places;
    for (std::int64_t b = 1; b < bins; ++b)
        places.push_back(y.size / bins * b + y.size % bins * b / bins);
    const std::vector<double> given = values;
    place(values.data(), 0, y.size, places.data(), places.data() + places.size());
    std::vector<double> edges;
    for (std::int64_t p : places) edges.push_back(values[at(p)]);
    std::vector<std::int32_t> result(at(y.size));
    by_blocks([&](std::int64_t, std::int64_t first, std::int64_t count) {
        kernels().bins_of(given.data() + first, count, edges.data(),
                          static_cast<std::int64_t>(edges.size()), result.data() + first);
    });
    return result;
}

label_rows label_rows_of(const matrix_view& indicators) {
    label_rows result;
    result.label_count = indicators.columns;
    result.starts.reserve(at(indicators.rows) + 1);
    result.starts.push_back(0);
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, block_size / indicators.columns);
    std::vector<double> buffer(at(rows_at_once * indicators.columns));
    for (std::int64_t row = 0; row < indicators.rows; row += rows_at_once) {
        const std::int64_t count = std::min(rows_at_once, indicators.rows - row);
        const double* value = load_rows_f64(indicators, row, count, buffer.data());
        for (std::int64_t r = 0; r < count; ++r) {
            for (std::int64_t c = 0; c < indicators.columns; ++c, ++value) {
                if (*value == 1.0)
                    result.labels.push_back(static_cast<std::int32_t>(c));
                else if (*value != 0.0)
                    throw argument_error("y must hold 0 and 1 only, but row " +
                                         std::to_string(row + r) + " holds another value");
            }
            result.starts.push_back(static_cast<std::int64_t>(result.labels.size()));
        }
    }
    return result;
}

label_rows label_rows_of(const vector_view& starts, const vector_view& columns,
                         std::int64_t label_count) {
    label_rows result;
    result.label_count = label_count;
    bool exact = true;
    const auto load = [&](const vector_view& view, auto body) {
        std::int64_t buffer[block_size];
        for (std::int64_t i = 0; i < view.size; i += block_size) {
            const std::int64_t count = std::min(block_size, view.size - i);
            const std::int64_t* const loaded = load_i64(view, i, count, buffer, exact);
            std::for_each(loaded, loaded + count, body);
        }
    };
    load(starts, [&](std::int64_t value) { result.starts.push_back(value); });
    load(columns, [&](std::int64_t value) {
        exact = exact && value >= 0 && value < label_count;
        result.labels.push_back(static_cast<std::int32_t>(value));
    });
    const auto end = static_cast<std::int64_t>(result.labels.size());
    if (!exact || result.starts.front() != 0 || result.starts.back() != end ||
        !std::is_sorted(result.starts.begin(), result.starts.end()))
        throw argument_error("starts and columns are no sparse matrix by rows");
    for (std::size_t row = 0; row + 1 < result.starts.size(); ++row)
        for (std::int64_t i = result.starts[row] + 1; i < result.starts[row + 1]; ++i)
            if (result.labels[at(i - 1)] >= result.labels[at(i)])
                throw argument_error("the columns of a row must ascend");
    return result;
}

folds iterative_stratification(const label_rows& y, const std::vector<std::int64_t>& weights,
                               bool exact, bool pairs, bit_generator* generator) {
    dealer deals(y.rows(), weights, exact, generator);
    if (pairs) deals.deal(pairs_of(y));
    deals.deal(y);
    return deals.finish();
}

}  // namespace mlestar::model_selection
