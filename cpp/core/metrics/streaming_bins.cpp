#include "metrics/streaming_bins.hpp"

#include <algorithm>
#include <cmath>

#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {

namespace {

std::uint64_t hash_of(std::uint64_t cell) {
    const std::uint64_t x = cell * 0x9E3779B97F4A7C15;
    return x ^ (x >> 32);
}

// Up to so many positives of a bin the worst order is summed one by one, beyond by an integral.
constexpr double few_positives = 64.0;

}  // namespace

score_bins::score_bins(std::int64_t most_bins, std::optional<std::int64_t> positive)
    : most_bins_(most_bins), declared_(positive), classes_(positive), slots_(64, -1) {
    if (most_bins < 2 || most_bins > std::int64_t{1} << 24)
        throw argument_error("n_bins is " + std::to_string(most_bins) +
                             ", but must lie in [2, 16777216]");
}

// The bin of that cell, which holds keys from `low` to `high` from now on.
score_bins::bin& score_bins::at(std::uint64_t cell, std::uint64_t low, std::uint64_t high) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = hash_of(cell) & mask;
    while (slots_[place] >= 0) {
        bin& found = bins_[static_cast<std::size_t>(slots_[place])];
        if (found.cell == cell) {
            found.low = std::min(found.low, low);
            found.high = std::max(found.high, high);
            return found;
        }
        place = (place + 1) & mask;
    }
    slots_[place] = static_cast<std::int32_t>(bins_.size());
    bins_.push_back({cell, low, high, {}, {}});
    if (2 * bins_.size() > slots_.size()) index();
    return bins_.back();
}

void score_bins::index() {
    while (2 * bins_.size() > slots_.size()) slots_.resize(2 * slots_.size());
    std::fill(slots_.begin(), slots_.end(), -1);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
        std::size_t place = hash_of(bins_[i].cell) & mask;
        while (slots_[place] >= 0) place = (place + 1) & mask;
        slots_[place] = static_cast<std::int32_t>(i);
    }
}

void score_bins::join(const bin& other) {
    bin& mine = at(other.low >> shift_, other.low, other.high);
    mine.positive = mine.positive + other.positive;
    mine.negative = mine.negative + other.negative;
}

void score_bins::rebuild(int shift) {
    shift_ = shift;
    const std::vector<bin> before = std::move(bins_);
    bins_.clear();
    std::fill(slots_.begin(), slots_.end(), -1);
    for (const bin& one : before) join(one);
}

void score_bins::fit() {
    while (static_cast<std::int64_t>(bins_.size()) > most_bins_) rebuild(shift_ + 1);
}

void score_bins::add(const vector_view& y_true, const vector_view& score,
                     const vector_view& weight) {
    classes_ = classes_.with(y_true, score, weight);
    weighted_ |= static_cast<bool>(weight);
    block_buffers buffers;
    bool exact = true;
    for (std::int64_t first = 0; first < y_true.size; first += block_size) {
        const std::int64_t count = std::min(block_size, y_true.size - first);
        const std::int64_t* y = load_i64(y_true, first, count, buffers.a, exact);
        const double* x = load_f64(score, first, count, buffers.x);
        const double* w = load_weight(weight, first, count, buffers.w);
        for (std::int64_t i = 0; i < count; ++i) {
            const std::uint64_t key = rank_of(x[i]);
            bin& one = at(key >> shift_, key, key);
            compensated& side = classes_.is_positive(y[i]) ? one.positive : one.negative;
            if (w == nullptr && !weighted_)
                side.high += 1.0;  // whole numbers, exact
            else
                side = side + (w == nullptr ? 1.0 : w[i]);
        }
        fit();
    }
    rows_ += y_true.size;
}

void score_bins::merge(const score_bins& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(score_bins(other));
    if (most_bins_ != other.most_bins_)
        throw argument_error("other has at most " + std::to_string(other.most_bins_) +
                             " bins, but must have " + std::to_string(most_bins_));
    classes_ = classes_.with(other.classes_);
    if (other.shift_ > shift_) rebuild(other.shift_);
    for (const bin& one : other.bins_) join(one);
    fit();
    weighted_ |= other.weighted_;
    rows_ += other.rows_;
}

std::vector<score_bins::bin> score_bins::sorted() const {
    std::vector<bin> result = bins_;
    std::sort(result.begin(), result.end(),
              [](const bin& a, const bin& b) { return a.cell < b.cell; });
    return result;
}

bounded score_bins::roc_auc() const {
    // Twice the pairs in order, those that tie counting once; and the pairs that nobody knows.
    if (!weighted_) {
        pair_count twice = 0, unknown = 0;
        std::uint64_t below = 0, above = 0;
        for (const bin& one : sorted()) {
            const auto p = static_cast<std::uint64_t>(one.positive.value());
            const auto n = static_cast<std::uint64_t>(one.negative.value());
            twice += static_cast<pair_count>(p) * (2 * static_cast<pair_count>(below) + n);
            if (one.low != one.high) unknown += static_cast<pair_count>(p) * n;
            below += n;
            above += p;
        }
        // Divided as the batch function divides, whose rounding keeps the order.
        const double pairs = 2.0 * static_cast<double>(above) * static_cast<double>(below);
        const auto share = [=](pair_count count) { return static_cast<double>(count) / pairs; };
        return {share(twice), share(twice - unknown), share(twice + unknown)};
    }
    compensated twice, unknown, below, above;
    for (const bin& one : sorted()) {
        const compensated within = one.positive * one.negative;
        twice = twice + one.positive * (below + below) + within;
        if (one.low != one.high) unknown = unknown + within;
        below = below + one.negative;
        above = above + one.positive;
    }
    const compensated pairs = above * (below + below);
    // Room for the roundings of both sums.
    const double slack = unknown.value() == 0.0 ? 0.0 : 1e-15;
    const double value = (twice / pairs).value();
    if (std::isnan(value)) return {value, value, value};
    return {value, std::max(0.0, ((twice - unknown) / pairs).value() - slack),
            std::min(1.0, ((twice + unknown) / pairs).value() + slack)};
}

bounded score_bins::average_precision() const {
    const std::vector<bin> all = sorted();
    compensated value, low, high;
    double hits = 0.0, misses = 0.0;  // above the bin
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
        const double p = one->positive.value();
        const double n = one->negative.value();
        const double tied = p == 0.0 ? 0.0 : p * ((hits + p) / (hits + p + misses + n));
        value = value + tied;
        if (one->low == one->high || p == 0.0) {
            low = low + tied;
            high = high + tied;
        } else {
            // Best: all positives at one threshold before any negative. Worst: after all of them,
            // one by one.
            high = high + p * ((hits + p) / (hits + p + misses));
            const double wrong = misses + n;
            if (!weighted_ && p <= few_positives) {
                for (double i = 1.0; i <= p; i += 1.0) low = low + (hits + i) / (hits + i + wrong);
            } else {
                // The integral of the increasing (hits + x) / (hits + x + wrong) over [0, p].
                const double lost =
                    wrong == 0.0 ? 0.0 : wrong * math::log((hits + p + wrong) / (hits + wrong));
                low = low + std::max(0.0, p - lost);
            }
        }
        hits += p;
        misses += n;
    }
    if (!(hits > 0.0)) return {};
    const bool certain = low.high == high.high && low.low == high.low;
    const double slack = certain ? 0.0 : 4e-15;
    return {value.value() / hits, std::max(0.0, low.value() / hits - slack),
            std::min(1.0, high.value() / hits + slack)};
}

streaming_state score_bins::state() const {
    streaming_state state;
    const std::vector<bin> all = sorted();
    state.integers = {rows_, weighted_, shift_, static_cast<std::int64_t>(all.size())};
    classes_.write(state);
    for (const bin& one : all) {
        state.reals.insert(state.reals.end(),
                           {score_of(one.low), score_of(one.high), one.positive.high,
                            one.positive.low, one.negative.high, one.negative.low});
    }
    return state;
}

void score_bins::load(const streaming_state& state) {
    state_reader reader(state);
    score_bins loaded(most_bins_, declared_);
    loaded.rows_ = reader.count(0, most_rows);
    loaded.weighted_ = reader.count(0, 1) == 1;
    loaded.shift_ = static_cast<int>(reader.count(0, 63));
    const std::int64_t bins = reader.count(0, most_bins_);
    loaded.classes_.read(reader);
    for (std::int64_t i = 0; i < bins; ++i) {
        bin one;
        one.low = rank_of(reader.real());
        one.high = rank_of(reader.real());
        one.positive = {reader.real(), reader.real()};
        one.negative = {reader.real(), reader.real()};
        loaded.join(one);
    }
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
