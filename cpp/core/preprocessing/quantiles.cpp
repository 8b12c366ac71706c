#include "preprocessing/quantiles.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "preprocessing/quantiles.kernels.hpp"
#include "preprocessing/quantiles_columns.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(quantiles_kernels)

namespace {

// Fewer are sorted as they are.
constexpr std::int64_t few = 2048;
// Ranks above which sorting takes less time than finding one after the other.
constexpr std::size_t many = 24;

// Values of ascending ranks of x[0..count), which is rearranged.
void select(double* x, std::int64_t count, const std::vector<std::int64_t>& ranks, double* found) {
    if (ranks.size() > many) {
        std::sort(x, x + count);
        std::transform(ranks.begin(), ranks.end(), found,
                       [&](std::int64_t rank) { return x[rank]; });
        return;
    }
    double* from = x;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        double* const at = x + ranks[r];
        // What has been found before lies below all that follows.
        if (at >= from) std::nth_element(from, at, x + count);
        found[r] = *at;
        from = std::max(from, at);
    }
}

// The same for many values: those of the ranks' bins alone are sorted.
void select_by_bins(double* x, std::int64_t count, const std::vector<std::int64_t>& ranks,
                    double* scratch, double* found) {
    if (count < few) return select(x, count, ranks, found);
    double low, high;
    kernels().range(x, count, &low, &high);
    if (low == high) {
        std::fill_n(found, ranks.size(), low);
        return;
    }
    const double scale = static_cast<double>(quantile_bins) / (high - low);
    // A range that no double holds, or hardly any.
    if (!std::isfinite(high - low) || !std::isfinite(scale)) return select(x, count, ranks, found);
    std::vector<std::int64_t> counts(quantile_bins);
    kernels().count_bins(x, count, low, scale, counts.data());
    std::vector<std::uint8_t> wanted(quantile_bins);
    std::vector<std::int64_t> places;
    std::int64_t before = 0, left_out = 0;
    std::size_t next = 0;
    for (std::size_t bin = 0; bin < wanted.size() && next < ranks.size(); ++bin) {
        const std::int64_t end = before + counts[bin];
        for (; next < ranks.size() && ranks[next] < end; ++next) {
            wanted[bin] = 1;
            places.push_back(ranks[next] - left_out);
        }
        if (wanted[bin] == 0) left_out += counts[bin];
        before = end;
    }
    const std::int64_t taken = kernels().take_bins(x, count, low, scale, wanted.data(), scratch);
    select(scratch, taken, places, found);
}

}  // namespace

rank_pair ranks_of(double fraction, std::int64_t n) {
    const double place = fraction * static_cast<double>(n - 1);
    const auto lower = static_cast<std::int64_t>(place);
    return {lower, std::min(lower + 1, n - 1)};
}

std::optional<order_pairs> order_statistics(const matrix_view& x,
                                            const std::vector<double>& fractions, double missing) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto columns = static_cast<std::size_t>(x.columns);
    order_pairs result{std::vector<std::int64_t>(columns),
                       std::vector<double>(fractions.size() * columns, nan),
                       std::vector<double>(fractions.size() * columns, nan)};
    std::atomic<bool> declined{false};
    const auto rank_column = [&](std::size_t j, double* values, double* scratch) {
        const std::int64_t n = result.counts[j];
        if (n == 0 || fractions.empty()) return;
        std::vector<std::int64_t> ranks;
        for (const double fraction : fractions) {
            const rank_pair pair = ranks_of(fraction, n);
            ranks.insert(ranks.end(), {pair.lower, pair.upper});
        }
        std::vector<std::int64_t> ascending = ranks;
        std::sort(ascending.begin(), ascending.end());
        ascending.erase(std::unique(ascending.begin(), ascending.end()), ascending.end());
        std::vector<double> found(ascending.size());
        select_by_bins(values, n, ascending, scratch, found.data());
        for (std::size_t f = 0; f < fractions.size(); ++f) {
            const auto value = [&](std::int64_t rank) {
                const auto at = std::lower_bound(ascending.begin(), ascending.end(), rank);
                return found[static_cast<std::size_t>(at - ascending.begin())];
            };
            result.lower[f * columns + j] = value(ranks[2 * f]);
            result.upper[f * columns + j] = value(ranks[2 * f + 1]);
        }
    };
    over_column_groups(x, [&](std::int64_t first, std::int64_t count) {
        scratch_array<double> values(static_cast<std::size_t>(count * x.rows));
        scratch_array<double> scratch(static_cast<std::size_t>(x.rows));
        bool wrong = false;
        for (std::int64_t at = 0; at < x.rows && !wrong; at += block_size) {
            const std::int64_t some = std::min(block_size, x.rows - at);
            double buffer[block_size];
            for (std::int64_t j = 0; j < count; ++j) {
                std::int64_t& kept = result.counts[static_cast<std::size_t>(first + j)];
                double* const target = values.data() + j * x.rows + kept;
                const double* loaded = load_f64(x.column(first + j), at, some, buffer);
                kept += missing != missing
                            ? kernels().present(loaded, some, target, &wrong)
                            : kernels().other_than(loaded, some, missing, target, &wrong);
            }
        }
        if (wrong) declined = true;
        for (std::int64_t j = 0; j < count && !wrong; ++j)
            rank_column(static_cast<std::size_t>(first + j), values.data() + j * x.rows,
                        scratch.data());
    });
    if (declined) return std::nullopt;
    return result;
}

}  // namespace mlestar::preprocessing
