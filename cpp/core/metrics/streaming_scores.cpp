#include "metrics/streaming_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/ranking.hpp"
#include "metrics/streaming_scores.kernels.hpp"
#include "support/blocks.hpp"
#include "support/compensated.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(streaming_scores_kernels)

namespace {

// The batch functions take fewer than 2^31 rows.
constexpr std::int64_t most_in_memory = std::int64_t{1} << 30;
constexpr std::int64_t least_rows = 1024;
constexpr std::int64_t most_runs = 32;
constexpr std::int64_t buffer_rows = 8192;

template <class T>
vector_view view_of(const std::vector<T>& values, dtype type) {
    return {reinterpret_cast<const std::byte*>(values.data()), type,
            static_cast<std::int64_t>(values.size()), sizeof(T)};
}

// Room for more elements without more than doubling, and without passing `most`.
template <class T>
void grow(std::vector<T>& values, std::size_t more, std::size_t most) {
    const std::size_t needed = values.size() + more;
    if (needed > values.capacity())
        values.reserve(std::max(needed, std::min(most, 2 * values.size())));
}

}  // namespace

score_rows::score_rows(std::optional<std::int64_t> positive, std::int64_t memory_limit,
                       std::string folder)
    : classes_(positive),
      declared_(positive),
      memory_limit_(memory_limit),
      folder_(std::move(folder)) {
    constexpr std::int64_t least = 1 << 18;
    if (memory_limit != 0 && memory_limit < least)
        throw argument_error("memory_limit is " + std::to_string(memory_limit) +
                             " bytes, but must be at least " + std::to_string(least));
}

// Rows in memory at most, with or without weights. To spill them takes their keys (and weights)
// twice over.
std::int64_t score_rows::capacity(bool with_weight) const {
    if (memory_limit_ == 0) return most_in_memory;
    const std::int64_t stored = 8 + 1 + (with_weight ? 8 : 0);
    const std::int64_t sorting = with_weight ? 2 * 16 + 8 : 2 * 8;
    return std::clamp(memory_limit_ / (stored + sorting), least_rows, most_in_memory);
}

std::int64_t score_rows::bytes_in_memory() const {
    return static_cast<std::int64_t>(
        store_->narrow.capacity() * sizeof(float) + store_->wide.capacity() * sizeof(double) +
        store_->positive.capacity() + store_->weight.capacity() * sizeof(double));
}

// The rows, for a change that no copy sees.
score_rows::row_store& score_rows::own() {
    if (store_.use_count() > 1) store_ = std::make_shared<row_store>(*store_);
    return *store_;
}

std::int64_t score_rows::rows() const {
    std::int64_t sum = rows_in_memory();
    for (const scored_run& one : runs_) sum += one.rows();
    return sum;
}

vector_view score_rows::score_view() const {
    return narrow() ? view_of(store_->narrow, dtype::f32) : view_of(store_->wide, dtype::f64);
}
vector_view score_rows::label_view() const { return view_of(store_->positive, dtype::u8); }
vector_view score_rows::weight_view() const {
    return weighted() ? view_of(store_->weight, dtype::f64) : vector_view{};
}

void score_rows::make_weights() {
    if (!weighted()) own().weight.assign(store_->positive.size(), 1.0);
}

void score_rows::widen() {
    if (!narrow()) return;
    row_store& rows = own();
    rows.wide.assign(rows.narrow.begin(), rows.narrow.end());
    rows.narrow = {};
}

score_rows score_rows::empty() const {
    score_rows result(declared_, memory_limit_, folder_);
    result.classes_ = classes_;
    return result;
}

// Rows that have been looked at, as many as fit.
void score_rows::append(const binary_classes& classes, const vector_view& y_true,
                        const vector_view& score, const vector_view& weight, std::int64_t first,
                        std::int64_t last) {
    if (score.type != dtype::f32) widen();
    if (weight) make_weights();
    row_store& rows = own();
    const auto more = static_cast<std::size_t>(last - first);
    const auto most = static_cast<std::size_t>(capacity(weighted()));
    grow(rows.positive, more, most);
    const bool with_weight = weight || weighted();
    if (with_weight) grow(rows.weight, more, most);
    const bool single = score.type == dtype::f32 && narrow();
    if (single)
        grow(rows.narrow, more, most);
    else
        grow(rows.wide, more, most);
    block_buffers buffers;
    float floats[block_size];
    bool exact = true;
    for (std::int64_t at = first; at < last; at += block_size) {
        const std::int64_t count = std::min(block_size, last - at);
        const std::int64_t* y = load_i64(y_true, at, count, buffers.a, exact);
        const std::size_t size = rows.positive.size();
        rows.positive.resize(size + static_cast<std::size_t>(count));
        for (std::int64_t i = 0; i < count; ++i)
            rows.positive[size + static_cast<std::size_t>(i)] = classes.is_positive(y[i]);
        if (single) {
            const float* x = load_f32(score, at, count, floats);
            rows.narrow.insert(rows.narrow.end(), x, x + count);
        } else {
            const double* x = load_f64(score, at, count, buffers.x);
            rows.wide.insert(rows.wide.end(), x, x + count);
        }
        if (weight) {
            const double* w = load_f64(weight, at, count, buffers.w);
            rows.weight.insert(rows.weight.end(), w, w + count);
        } else if (with_weight) {
            rows.weight.resize(rows.weight.size() + static_cast<std::size_t>(count), 1.0);
        }
    }
}

void score_rows::add(const vector_view& y_true, const vector_view& score,
                     const vector_view& weight) {
    const binary_classes classes = classes_.with(y_true, score, weight);
    const std::int64_t most = capacity(weight || weighted());
    if (y_true.size > most) {  // through an accumulator of its own, or an error would leave a part
        score_rows batch(declared_, memory_limit_, folder_);
        batch.classes_ = classes;
        for (std::int64_t at = 0; at < y_true.size; at += most) {
            batch.spill();
            batch.append(classes, y_true, score, weight, at, std::min(y_true.size, at + most));
        }
        merge(batch);
        return;
    }
    if (rows_in_memory() + y_true.size > most) spill();
    append(classes, y_true, score, weight, 0, y_true.size);
    classes_ = classes;
}

void score_rows::merge(const score_rows& other) {
    if (&other == this) return merge(score_rows(other));
    const binary_classes classes = classes_.with(other.classes_);
    if (other.rows_in_memory() > 0) {
        const bool with_weight = weighted() || other.weighted();
        if (rows_in_memory() + other.rows_in_memory() > capacity(with_weight)) spill();
        // Its labels are 1 and 0 already.
        append(binary_classes(std::nullopt), other.label_view(), other.score_view(),
               other.weight_view(), 0, other.rows_in_memory());
    }
    runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
    classes_ = classes;
}

sorted_side score_rows::sort_side(bool positive) const {
    sorted_side side;
    const auto all = store_->positive.size();
    const auto wanted = static_cast<std::uint8_t>(positive);
    const auto rows = static_cast<std::size_t>(
        std::count(store_->positive.begin(), store_->positive.end(), wanted));
    const auto key = [&](std::size_t i) {
        return rank_of(narrow() ? static_cast<double>(store_->narrow[i]) : store_->wide[i]);
    };
    side.keys.resize(rows);
    std::size_t at = 0;
    if (!weighted()) {
        std::vector<std::uint64_t> items(rows);
        for (std::size_t i = 0; i < all; ++i)
            if (store_->positive[i] == wanted) items[at++] = key(i);
        kernels().sort_keys(items.data(), static_cast<std::int64_t>(rows), side.keys.data());
        return side;
    }
    std::vector<weighted_key> items(rows), sorted(rows);
    for (std::size_t i = 0; i < all; ++i)
        if (store_->positive[i] == wanted) items[at++] = {key(i), store_->weight[i]};
    kernels().sort_rows(items.data(), static_cast<std::int64_t>(rows), sorted.data());
    items = {};
    side.weights.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        side.keys[i] = sorted[i].key;
        side.weights[i] = sorted[i].weight;
    }
    return side;
}

void score_rows::spill() {
    if (rows_in_memory() == 0) return;
    if (runs() >= most_runs) runs_ = {merge_runs(runs_, folder_)};
    scored_run run(folder_, rows_in_memory(), weighted());
    for (const bool positive : {true, false}) run.write(positive, sort_side(positive));
    runs_.push_back(std::move(run));
    store_ = std::make_shared<row_store>();
}

template <class Function>
void score_rows::walk(Function function) const {
    std::int64_t at_once = buffer_rows;
    if (memory_limit_ != 0)
        at_once = std::clamp(memory_limit_ / (8 * 16 * 2 * std::max<std::int64_t>(1, runs())),
                             std::int64_t{64}, buffer_rows);
    run_merger rows;
    for (const scored_run& one : runs_)
        for (const bool positive : {true, false}) rows.add(run_stream(one, positive, at_once));
    for (const bool positive : {true, false}) rows.add(run_stream(sort_side(positive), positive));
    rows.start();
    while (!rows.done()) {
        const std::uint64_t key = rows.front().key();
        compensated weight[2];
        std::uint64_t count[2] = {};
        for (; !rows.done() && rows.front().key() == key; rows.next()) {
            const bool positive = rows.front().positive();
            weight[positive] = weight[positive] + rows.front().weight();
            ++count[positive];
        }
        function(weight[1], weight[0], count[1], count[0]);
    }
}

double score_rows::roc_auc() const {
    if (runs_.empty())
        return metrics::roc_auc(label_view(), score_view(), weight_view()).value_or(std::nan(""));
    bool any_weight = weighted();
    for (const scored_run& one : runs_) any_weight |= one.weighted();
    if (!any_weight) {
        pair_count twice = 0;
        std::uint64_t below = 0, above = 0;
        walk([&](compensated, compensated, std::uint64_t p, std::uint64_t n) {
            twice += static_cast<pair_count>(p) * (2 * static_cast<pair_count>(below) + n);
            below += n;
            above += p;
        });
        // As the batch function divides, to the bit.
        return static_cast<double>(twice) /
               (2.0 * static_cast<double>(above) * static_cast<double>(below));
    }
    compensated twice, below, above;
    walk([&](compensated p, compensated n, std::uint64_t, std::uint64_t) {
        twice = twice + p * (below + below + n);
        below = below + n;
        above = above + p;
    });
    return (twice / (above * (below + below))).value();
}

double score_rows::average_precision() const {
    if (runs_.empty())
        return metrics::average_precision(label_view(), score_view(), weight_view(), 1)
            .value_or(0.0);
    compensated all_positive, all;
    walk([&](compensated p, compensated n, std::uint64_t, std::uint64_t) {
        all_positive = all_positive + p;
        all = all + p + n;
    });
    const double divisor = all_positive.value();
    if (!(divisor > 0.0)) return 0.0;
    compensated sum;
    compensated hits = all_positive, from_here = all;  // at this threshold and above
    walk([&](compensated p, compensated n, std::uint64_t, std::uint64_t) {
        if (p.value() > 0.0) sum = sum + p * (hits / from_here);
        hits = hits - p;
        from_here = from_here - p - n;
    });
    return (sum / all_positive).value();
}

scored_rows score_rows::all_rows() const {
    scored_rows result;
    bool any_weight = weighted();
    for (const scored_run& one : runs_) any_weight |= one.weighted();
    for (const scored_run& one : runs_) {
        for (const bool positive : {true, false}) {
            for (run_stream rows(one, positive, buffer_rows); !rows.done(); rows.next()) {
                result.score.push_back(score_of(rows.key()));
                result.positive.push_back(positive);
                if (any_weight) result.weight.push_back(rows.weight());
            }
        }
    }
    for (std::size_t i = 0; i < store_->positive.size(); ++i) {
        result.score.push_back(narrow() ? static_cast<double>(store_->narrow[i]) : store_->wide[i]);
        result.positive.push_back(store_->positive[i]);
        if (any_weight) result.weight.push_back(weighted() ? store_->weight[i] : 1.0);
    }
    return result;
}

streaming_state score_rows::state() const {
    streaming_state state;
    classes_.write(state);
    return state;
}

void score_rows::load(const streaming_state& state, const scored_rows& rows) {
    state_reader reader(state);
    binary_classes classes(declared_);
    classes.read(reader);
    reader.finish();
    score_rows loaded(std::nullopt, memory_limit_, folder_);
    if (!rows.positive.empty())
        loaded.add(view_of(rows.positive, dtype::u8), view_of(rows.score, dtype::f64),
                   rows.weight.empty() ? vector_view{} : view_of(rows.weight, dtype::f64));
    loaded.declared_ = declared_;
    loaded.classes_ = classes;
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
