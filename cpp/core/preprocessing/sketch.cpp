#include "preprocessing/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "preprocessing/quantiles.kernels.hpp"
#include "preprocessing/quantiles_columns.hpp"
#include "preprocessing/scale.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(quantiles_kernels)

namespace {

// The base is thinned out by this many steps at once: its values go up to that level.
constexpr int base_steps = 4;
constexpr std::int64_t most_levels = 41;  // of 2^52 rows

// Steele, Lea and Flood, 2014.
std::uint64_t split_mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

std::int64_t size_of_level(std::size_t level) {
    return level == 0 ? quantile_sketch::base_size : quantile_sketch::level_size;
}

void sort_values(std::vector<double>& values) {
    std::vector<std::uint64_t> keys(values.size()), scratch(values.size());
    kernels().sort(values.data(), static_cast<std::int64_t>(values.size()), keys.data(),
                   scratch.data());
}

}  // namespace

// Every other value of the level goes up (of the base, every sixteenth); which ones is drawn.
void quantile_sketch::column_sketch::compact(std::size_t level, std::uint64_t seed) {
    const std::size_t steps = level == 0 ? base_steps : 1;
    if (levels.size() <= level + steps) levels.resize(level + steps + 1);
    std::vector<double>& values = levels[level];
    std::vector<double>& above = levels[level + steps];
    sort_values(values);
    const std::size_t stride = std::size_t{1} << steps;
    const std::size_t whole = values.size() / stride * stride;
    const std::size_t first = split_mix(seed ^ split_mix(draws++)) & (stride - 1);
    for (std::size_t i = first; i < whole; i += stride) above.push_back(values[i]);
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(whole));
}

void quantile_sketch::column_sketch::compact_all(std::uint64_t seed) {
    for (std::size_t level = 0; level < levels.size(); ++level)
        if (static_cast<std::int64_t>(levels[level].size()) >= size_of_level(level))
            compact(level, seed);
}

void quantile_sketch::column_sketch::add(const double* values, std::int64_t count,
                                         std::uint64_t seed) {
    rows += count;
    while (count > 0) {
        std::vector<double>& base = levels.front();
        const auto held = static_cast<std::int64_t>(base.size());
        const std::int64_t some = std::min(count, base_size - held);
        base.insert(base.end(), values, values + some);
        values += some;
        count -= some;
        if (static_cast<std::int64_t>(base.size()) == base_size) compact_all(seed);
    }
}

void quantile_sketch::column_sketch::merge(const column_sketch& other, std::uint64_t seed) {
    const std::int64_t all = rows + other.rows;
    if (levels.size() < other.levels.size()) levels.resize(other.levels.size());
    for (std::size_t level = 1; level < other.levels.size(); ++level) {
        levels[level].insert(levels[level].end(), other.levels[level].begin(),
                             other.levels[level].end());
    }
    add(other.levels.front().data(), static_cast<std::int64_t>(other.levels.front().size()), seed);
    compact_all(seed);
    rows = all;
}

bool quantile_sketch::update(const matrix_view& x, double missing) {
    if (x.columns == 0 || (!columns_.empty() && x.columns != columns())) return false;
    std::vector<std::uint8_t> wrong(static_cast<std::size_t>(x.columns));
    // What is refused must change nothing: all is looked at before anything is added.
    const bool nan_missing = missing != missing;
    if (nan_missing && !extremes_of(x)) return false;
    const auto read = [&](bool adds) {
        over_column_groups(x, [&](std::int64_t first, std::int64_t count) {
            double buffer[block_size], kept[block_size];
            for (std::int64_t at = 0; at < x.rows; at += block_size) {
                const std::int64_t some = std::min(block_size, x.rows - at);
                for (std::int64_t j = first; j < first + count; ++j) {
                    const auto column = static_cast<std::size_t>(j);
                    bool bad = false;
                    const double* loaded = load_f64(x.column(j), at, some, buffer);
                    const std::int64_t present =
                        nan_missing ? kernels().present(loaded, some, kept, &bad)
                                    : kernels().other_than(loaded, some, missing, kept, &bad);
                    if (bad) wrong[column] = 1;
                    if (adds && !bad)
                        columns_[column].add(kept, present, split_mix(seed_ + column));
                }
            }
        });
        return std::find(wrong.begin(), wrong.end(), 1) == wrong.end();
    };
    if (!nan_missing && !read(false)) return false;
    if (columns_.empty()) columns_.resize(wrong.size());
    return read(true);
}

void quantile_sketch::merge(const quantile_sketch& other) {
    if (other.columns_.empty()) return;
    if (columns_.empty()) columns_.resize(other.columns_.size());
    if (other.columns() != columns())
        throw argument_error("other has " + std::to_string(other.columns()) +
                             " columns, but must have " + std::to_string(columns()));
    if (&other == this) {
        const quantile_sketch copy = other;
        return merge(copy);
    }
    for (std::size_t j = 0; j < columns_.size(); ++j)
        columns_[j].merge(other.columns_[j], split_mix(seed_ + j));
}

order_pairs quantile_sketch::pairs(const std::vector<double>& fractions) const {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    order_pairs result{std::vector<std::int64_t>(columns_.size()),
                       std::vector<double>(fractions.size() * columns_.size(), nan),
                       std::vector<double>(fractions.size() * columns_.size(), nan)};
    for (std::size_t j = 0; j < columns_.size(); ++j) {
        const column_sketch& column = columns_[j];
        result.counts[j] = column.rows;
        if (column.rows == 0) continue;
        // Values in order, with the rows that they and all before them stand for.
        std::vector<std::pair<double, std::int64_t>> sorted;
        for (std::size_t level = 0; level < column.levels.size(); ++level)
            for (const double value : column.levels[level])
                sorted.emplace_back(value, std::int64_t{1} << level);
        std::sort(sorted.begin(), sorted.end());
        std::int64_t through = 0;
        for (auto& [value, weight] : sorted) weight = through += weight;
        const auto value_at = [&](std::int64_t rank) {
            const auto at = std::upper_bound(
                sorted.begin(), sorted.end(), rank,
                [](std::int64_t r, const auto& entry) { return r < entry.second; });
            return at == sorted.end() ? sorted.back().first : at->first;
        };
        for (std::size_t f = 0; f < fractions.size(); ++f) {
            const rank_pair ranks = ranks_of(fractions[f], column.rows);
            result.lower[f * columns_.size() + j] = value_at(ranks.lower);
            result.upper[f * columns_.size() + j] = value_at(ranks.upper);
        }
    }
    return result;
}

quantile_sketch::state quantile_sketch::save() const {
    state saved{{static_cast<std::int64_t>(seed_), columns()}, {}};
    for (const column_sketch& column : columns_) {
        saved.integers.push_back(column.rows);
        saved.integers.push_back(static_cast<std::int64_t>(column.draws));
        saved.integers.push_back(static_cast<std::int64_t>(column.levels.size()));
        for (const auto& level : column.levels) {
            saved.integers.push_back(static_cast<std::int64_t>(level.size()));
            saved.reals.insert(saved.reals.end(), level.begin(), level.end());
        }
    }
    return saved;
}

quantile_sketch quantile_sketch::load(const state& saved) {
    const auto refuse = [] [[noreturn]] () {
        throw argument_error("state is damaged, but must be what a sketch gave");
    };
    std::size_t at = 0;
    const auto next = [&](std::int64_t most) {
        if (at == saved.integers.size()) refuse();
        const std::int64_t value = saved.integers[at++];
        if (value < 0 || value > most) refuse();
        return value;
    };
    constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
    if (saved.integers.size() < 2) refuse();
    const auto seed = static_cast<std::uint64_t>(saved.integers[at++]);
    const std::int64_t columns = next(static_cast<std::int64_t>(saved.integers.size()));
    quantile_sketch sketch(seed);
    sketch.columns_.resize(static_cast<std::size_t>(columns));
    auto values = saved.reals.begin();
    for (column_sketch& column : sketch.columns_) {
        column.rows = next(any);
        column.draws = static_cast<std::uint64_t>(next(any));
        const auto levels = static_cast<std::size_t>(next(most_levels));
        if (levels == 0) refuse();
        column.levels.resize(levels);
        std::int64_t rows = 0;
        for (std::size_t level = 0; level < levels; ++level) {
            const std::int64_t size = next(size_of_level(level) - 1);
            if (size > saved.reals.end() - values) refuse();
            column.levels[level].assign(values, values + size);
            values += size;
            rows += size << level;
        }
        if (rows != column.rows) refuse();
    }
    if (at != saved.integers.size() || values != saved.reals.end() ||
        std::any_of(saved.reals.begin(), saved.reals.end(),
                    [](double v) { return !std::isfinite(v); }))
        refuse();
    return sketch;
}

}  // namespace mlestar::preprocessing
