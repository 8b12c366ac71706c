#include "metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "metrics/labels.hpp"
#include "metrics/ranking.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(ranking_kernels)

namespace {

// Cells resolve the scores' distribution (64 KiB of counts a class: half an L2); neighbouring cells
// are joined to buckets of about `bucket_target` rows, which an L1 holds twice.
constexpr int cell_bits = 14;
constexpr int small_cell_bits = 4;
constexpr std::int64_t small_size = 4096;
constexpr std::int64_t bucket_target = 4096;
constexpr std::int64_t most_buckets = 4096;
constexpr std::int64_t most_rows = std::int64_t{1} << 32;
constexpr std::int64_t sample_size = 512;

template <class Score>
using key_of = std::conditional_t<std::is_same_v<Score, double>, std::uint64_t, std::uint32_t>;

template <class Score>
const auto& kernels_of() {
    if constexpr (std::is_same_v<Score, double>)
        return kernels().f64;
    else
        return kernels().f32;
}

template <class Score>
const Score* load_score(const vector_view& view, std::int64_t at, std::int64_t count,
                        Score* buffer) {
    if constexpr (std::is_same_v<Score, double>)
        return load_f64(view, at, count, buffer);
    else
        return load_f32(view, at, count, buffer);
}

// The rows split into as many contiguous pieces as threads are worth their while. The result does
// not depend on it: pieces write to places in the order of the rows.
struct pieces {
    std::int64_t rows;
    std::int64_t count;

    explicit pieces(std::int64_t n)
        : rows(n),
          count(n < serial_below ? 1 : std::min<std::int64_t>(thread_count(), task_count(n))) {}

    template <class Body>
    void each_block(std::int64_t piece, Body body) const {
        const std::int64_t blocks = (rows + block_size - 1) / block_size;
        const std::int64_t last = std::min(rows, blocks * (piece + 1) / count * block_size);
        for (std::int64_t at = blocks * piece / count * block_size; at < last; at += block_size)
            body(at, std::min(block_size, last - at));
    }
};

bool usable_weights(const double* weight, std::int64_t count) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i)
        wrong |= (weight[i] >= 0.0) & (weight[i] < HUGE_VAL) ? 0 : 1;
    return wrong == 0;
}

// Rows partitioned into buckets of ascending scores.
template <class Score>
class partition {
public:
    using key = key_of<Score>;

    partition(const vector_view& y_true, const vector_view& score, const vector_view& weight,
              std::int64_t positive, std::int64_t negative)
        : label_(y_true),
          score_(score),
          weight_(weight),
          positive_(positive),
          negative_(negative),
          pieces_(y_true.size) {}

    // False for input to decline.
    bool build() {
        if (!scan_all()) return false;
        choose_cells();
        count_cells();
        join_cells();
        scatter_all();
        return true;
    }

    std::int64_t buckets() const { return static_cast<std::int64_t>(starts_.size()) / 2; }
    std::uint64_t positives() const { return positives_; }
    std::uint64_t negatives() const { return static_cast<std::uint64_t>(label_.size) - positives_; }

    bucket<key> at(std::int64_t b) const {
        const std::uint64_t p = starts_[static_cast<std::size_t>(b)];
        const std::uint64_t q = starts_[static_cast<std::size_t>(buckets() + b)];
        const std::uint64_t p_end = ends_[static_cast<std::size_t>(b)];
        const std::uint64_t q_end = ends_[static_cast<std::size_t>(buckets() + b)];
        const double* w = weights_.data();
        return {keys_.data() + p,
                keys_.data() + q,
                static_cast<std::int64_t>(p_end - p),
                static_cast<std::int64_t>(q_end - q),
                w ? w + p : nullptr,
                w ? w + q : nullptr};
    }

    std::int64_t largest_bucket() const {
        std::int64_t largest = 0;
        for (std::int64_t b = 0; b < buckets(); ++b) {
            const auto part = at(b);
            largest = std::max(largest, part.positives + part.negatives);
        }
        return largest;
    }

private:
    bool scan_all() {
        std::vector<score_scan> scans(static_cast<std::size_t>(pieces_.count));
        std::vector<char> usable(static_cast<std::size_t>(pieces_.count), 1);
        parallel_for(pieces_.count, [&](std::int64_t piece) {
            Score scores[block_size];
            block_buffers buffers;
            bool exact = true;
            pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
                const Score* x = load_score<Score>(score_, at, count, scores);
                const std::int64_t* y = load_i64(label_, at, count, buffers.a, exact);
                kernels_of<Score>().scan(x, y, count, positive_, negative_,
                                         &scans[static_cast<std::size_t>(piece)]);
                if (weight_ && !usable_weights(load_f64(weight_, at, count, buffers.w), count))
                    usable[static_cast<std::size_t>(piece)] = 0;
            });
            if (!exact) usable[static_cast<std::size_t>(piece)] = 0;
        });
        for (const score_scan& part : scans) {
            scan_.low = std::min(scan_.low, part.low);
            scan_.high = std::max(scan_.high, part.high);
            scan_.positives += part.positives;
            scan_.finite &= part.finite;
            scan_.two_labels &= part.two_labels;
        }
        positives_ = static_cast<std::uint64_t>(scan_.positives);
        return scan_.finite && scan_.two_labels &&
               std::find(usable.begin(), usable.end(), 0) == usable.end();
    }

    Score score_at(std::int64_t row) const {
        Score value;
        return *load_score<Score>(score_, row, 1, &value);
    }

    // The inverse of the order key.
    static Score score_of(std::int64_t signed_key) {
        if constexpr (std::is_same_v<Score, double>) {
            const auto bits = signed_key ^ static_cast<std::int64_t>(
                                               static_cast<std::uint64_t>(signed_key >> 63) >> 1);
            return __builtin_bit_cast(double, bits);
        } else {
            const auto narrow = static_cast<std::int32_t>(signed_key);
            const auto bits =
                narrow ^ static_cast<std::int32_t>(static_cast<std::uint32_t>(narrow >> 31) >> 1);
            return __builtin_bit_cast(float, bits);
        }
    }

    void choose_cells() {
        std::vector<double> sample;
        const std::int64_t step = std::max<std::int64_t>(1, label_.size / sample_size);
        for (std::int64_t row = step / 2; row < label_.size; row += step) {
            const double magnitude = std::abs(static_cast<double>(score_at(row)));
            if (magnitude > 0.0) sample.push_back(magnitude);
        }
        if (!sample.empty()) {
            const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
            std::nth_element(sample.begin(), middle, sample.end());
            map_.offset = *middle / 16.0;
        }
        const auto cell = kernels_of<Score>().cell;
        const Score low = score_of(scan_.low);
        const Score high = score_of(scan_.high);
        const int bits = label_.size < small_size ? small_cell_bits : cell_bits;
        const std::uint64_t span = cell(high, &map_) - cell(low, &map_);
        const int span_bits = span == 0 ? 0 : 64 - __builtin_clzll(span);
        map_.shift = std::max(0, span_bits - bits);
        map_.base = cell(low, &map_);
        // Rounding of the shifted ends may add a cell.
        cells_ = static_cast<std::int64_t>(cell(high, &map_)) + 1;
        zero_cell_ = static_cast<std::int64_t>((std::uint64_t{1} << 63 >> map_.shift) - map_.base);
    }

    void count_cells() {
        counts_.assign(static_cast<std::size_t>(pieces_.count * 2 * cells_), 0);
        parallel_for(pieces_.count, [&](std::int64_t piece) {
            Score scores[block_size];
            block_buffers buffers;
            bool exact = true;
            std::uint32_t* counts = counts_.data() + piece * 2 * cells_;
            pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
                kernels_of<Score>().count(load_score<Score>(score_, at, count, scores),
                                          load_i64(label_, at, count, buffers.a, exact), count,
                                          positive_, &map_, counts, cells_);
            });
        });
    }

    // Joins cells to buckets and lays the buckets out: all positives, then all negatives of each.
    void join_cells() {
        const std::int64_t target = label_.size < small_size
                                        ? small_size
                                        : std::max(bucket_target, label_.size / (most_buckets / 2));
        bucket_of_.assign(static_cast<std::size_t>(cells_), 0);
        std::vector<std::int64_t> first_cell;
        std::int64_t held = 0;
        for (std::int64_t c = 0; c < cells_; ++c) {
            std::int64_t here = 0;
            for (std::int64_t piece = 0; piece < 2 * pieces_.count; ++piece)
                here += counts_[static_cast<std::size_t>(piece * cells_ + c)];
            if (first_cell.empty() || (held > 0 && held + here > target) || c == zero_cell_) {
                first_cell.push_back(c);
                held = 0;
            }
            held += here;
            bucket_of_[static_cast<std::size_t>(c)] =
                static_cast<std::uint16_t>(first_cell.size() - 1);
        }
        const auto buckets = static_cast<std::int64_t>(first_cell.size());
        places_.assign(static_cast<std::size_t>(pieces_.count * 2 * buckets), 0);
        for (std::int64_t piece = 0; piece < pieces_.count; ++piece)
            for (std::int64_t side = 0; side < 2; ++side)
                for (std::int64_t c = 0; c < cells_; ++c)
                    places_[static_cast<std::size_t>((piece * 2 + side) * buckets +
                                                     bucket_of_[static_cast<std::size_t>(c)])] +=
                        counts_[static_cast<std::size_t>((piece * 2 + side) * cells_ + c)];
        starts_.resize(static_cast<std::size_t>(2 * buckets));
        ends_.resize(static_cast<std::size_t>(2 * buckets));
        std::uint64_t next = 0;
        for (std::int64_t b = 0; b < buckets; ++b) {
            for (std::int64_t side = 0; side < 2; ++side) {
                starts_[static_cast<std::size_t>(side * buckets + b)] = next;
                for (std::int64_t piece = 0; piece < pieces_.count; ++piece) {
                    auto& place =
                        places_[static_cast<std::size_t>((piece * 2 + side) * buckets + b)];
                    const std::uint64_t size = place;
                    place = next;
                    next += size;
                }
                ends_[static_cast<std::size_t>(side * buckets + b)] = next;
            }
        }
        counts_ = {};
    }

    void scatter_all() {
        parallel_for(pieces_.count, [&](std::int64_t piece) {
            Score scores[block_size];
            block_buffers buffers;
            bool exact = true;
            std::uint64_t* place = places_.data() + piece * 2 * buckets();
            pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
                kernels_of<Score>().scatter(load_score<Score>(score_, at, count, scores),
                                            load_i64(label_, at, count, buffers.a, exact),
                                            load_weight(weight_, at, count, buffers.w), count,
                                            positive_, &map_, bucket_of_.data(), buckets(), place,
                                            keys_.data(), weights_.data());
            });
        });
    }

    vector_view label_, score_, weight_;
    std::int64_t positive_, negative_;
    pieces pieces_;
    score_scan scan_;
    std::uint64_t positives_ = 0;
    cell_map map_;
    std::int64_t cells_ = 0;
    std::int64_t zero_cell_ = 0;
    std::vector<std::uint32_t> counts_;
    std::vector<std::uint16_t> bucket_of_;
    std::vector<std::uint64_t> places_, starts_, ends_;
    scratch_array<key> keys_{static_cast<std::size_t>(label_.size)};
    scratch_array<double> weights_{weight_ ? static_cast<std::size_t>(label_.size) : 0};
};

// function(bucket number, scratch) for every bucket, several to a task.
template <class Item, class Partition, class Function>
void over_buckets(const Partition& parts, Function function) {
    constexpr std::int64_t at_once = 16;
    const auto room = 2 * static_cast<std::size_t>(parts.largest_bucket());
    const std::int64_t tasks = (parts.buckets() + at_once - 1) / at_once;
    const auto rows = static_cast<std::int64_t>(parts.positives() + parts.negatives());
    parallel_for(
        tasks,
        [&](std::int64_t task) {
            scratch_array<Item> scratch(room);
            const std::int64_t last = std::min(parts.buckets(), (task + 1) * at_once);
            for (std::int64_t b = task * at_once; b < last; ++b) function(b, scratch.data());
        },
        rows < serial_below / 4);
}

// The weights of every bucket and in all, summed in the order of the rows within it.
template <class Partition>
std::vector<weighted_counts> bucket_weights(const Partition& parts, weighted_counts& whole) {
    std::vector<weighted_counts> sums(static_cast<std::size_t>(parts.buckets()));
    for (std::int64_t b = 0; b < parts.buckets(); ++b) {
        const auto part = parts.at(b);
        auto& sum = sums[static_cast<std::size_t>(b)];
        for (std::int64_t i = 0; i < part.positives; ++i) sum.positive += part.positive_weight[i];
        for (std::int64_t i = 0; i < part.negatives; ++i) sum.negative += part.negative_weight[i];
        whole.positive += sum.positive;
        whole.negative += sum.negative;
    }
    return sums;
}

bool fits(const vector_view& y_true, const vector_view& score, const vector_view& weight) {
    return y_true.size > 0 && y_true.size < most_rows && y_true.size == score.size &&
           (!weight || weight.size == y_true.size);
}

// 64-bit integer scores are ranked as doubles only where that loses nothing.
bool exact_as_double(const vector_view& score) {
    if (score.type != dtype::i64 && score.type != dtype::u64) return true;
    constexpr std::int64_t limit = std::int64_t{1} << 53;
    const auto range = range_of({score});
    return range && range->minimum >= -limit && range->maximum <= limit;
}

template <class Score>
std::optional<double> roc_auc_of(const vector_view& y_true, const vector_view& score,
                                 const vector_view& weight, const label_range& labels) {
    partition<Score> parts(y_true, score, weight, labels.maximum, labels.minimum);
    if (!parts.build()) return std::nullopt;
    if (labels.minimum == labels.maximum) return std::nan("");  // undefined; the caller says so
    const auto& kernel = kernels_of<Score>();
    const auto n = static_cast<std::size_t>(parts.buckets());
    if (!weight) {
        std::vector<std::uint64_t> twice(n);
        over_buckets<std::uint64_t>(parts, [&](std::int64_t b, std::uint64_t* scratch) {
            const auto part = parts.at(b);
            twice[static_cast<std::size_t>(b)] = kernel.auc(&part, scratch);
        });
        std::uint64_t sum = 0;
        std::uint64_t below = 0;
        for (std::size_t b = 0; b < n; ++b) {
            const auto part = parts.at(static_cast<std::int64_t>(b));
            sum += twice[b] + 2 * static_cast<std::uint64_t>(part.positives) * below;
            below += static_cast<std::uint64_t>(part.negatives);
        }
        return static_cast<double>(sum) / (2.0 * static_cast<double>(parts.positives()) *
                                           static_cast<double>(parts.negatives()));
    }
    std::vector<double> areas(n);
    over_buckets<weighted_key>(parts, [&](std::int64_t b, weighted_key* scratch) {
        const auto part = parts.at(b);
        areas[static_cast<std::size_t>(b)] = kernel.auc_weighted(&part, scratch);
    });
    weighted_counts whole;
    const auto sums = bucket_weights(parts, whole);
    if (!(whole.positive > 0.0) || !(whole.negative > 0.0) ||
        !std::isfinite(whole.positive * whole.negative))
        return std::nullopt;
    double area = 0.0;
    double below = 0.0;
    for (std::size_t b = 0; b < n; ++b) {
        area += areas[b] + sums[b].positive * below;
        below += sums[b].negative;
    }
    return area / (whole.positive * whole.negative);
}

template <class Score>
std::optional<double> average_precision_of(const vector_view& y_true, const vector_view& score,
                                           const vector_view& weight, std::int64_t positive,
                                           std::int64_t negative) {
    partition<Score> parts(y_true, score, weight, positive, negative);
    if (!parts.build() || parts.positives() == 0) return std::nullopt;
    const auto& kernel = kernels_of<Score>();
    const auto n = static_cast<std::size_t>(parts.buckets());
    std::vector<double> terms(n);
    double divisor = static_cast<double>(parts.positives());
    if (!weight) {
        std::vector<std::uint64_t> hits(n + 1, 0), misses(n + 1, 0);  // above bucket b, at b + 1
        for (std::size_t b = n; b-- > 0;) {
            const auto part = parts.at(static_cast<std::int64_t>(b));
            hits[b] = hits[b + 1] + static_cast<std::uint64_t>(part.positives);
            misses[b] = misses[b + 1] + static_cast<std::uint64_t>(part.negatives);
        }
        over_buckets<std::uint64_t>(parts, [&](std::int64_t b, std::uint64_t* scratch) {
            const auto part = parts.at(b);
            const auto at = static_cast<std::size_t>(b);
            terms[at] = kernel.precision(&part, scratch, hits[at + 1], misses[at + 1]);
        });
    } else {
        weighted_counts whole;
        const auto sums = bucket_weights(parts, whole);
        if (!(whole.positive > 0.0) || !std::isfinite(whole.positive + whole.negative))
            return std::nullopt;
        divisor = whole.positive;
        std::vector<weighted_counts> above(n + 1);
        for (std::size_t b = n; b-- > 0;) {
            above[b].positive = above[b + 1].positive + sums[b].positive;
            above[b].negative = above[b + 1].negative + sums[b].negative;
        }
        over_buckets<weighted_key>(parts, [&](std::int64_t b, weighted_key* scratch) {
            const auto part = parts.at(b);
            const auto at = static_cast<std::size_t>(b);
            terms[at] = kernel.precision_weighted(&part, scratch, above[at + 1]);
        });
    }
    double sum = 0.0;
    for (std::size_t b = n; b-- > 0;) sum += terms[b];
    return sum / divisor;
}

}  // namespace

std::optional<double> roc_auc(const vector_view& y_true, const vector_view& score,
                              const vector_view& weight) {
    if (!fits(y_true, score, weight) || !exact_as_double(score)) return std::nullopt;
    const auto labels = range_of({y_true});
    if (!labels) return std::nullopt;
    return score.type == dtype::f32 ? roc_auc_of<float>(y_true, score, weight, *labels)
                                    : roc_auc_of<double>(y_true, score, weight, *labels);
}

std::optional<double> average_precision(const vector_view& y_true, const vector_view& score,
                                        const vector_view& weight, std::int64_t positive) {
    if (!fits(y_true, score, weight) || !exact_as_double(score)) return std::nullopt;
    const auto labels = range_of({y_true});
    if (!labels || (positive != labels->minimum && positive != labels->maximum))
        return std::nullopt;
    const std::int64_t negative = positive == labels->maximum ? labels->minimum : labels->maximum;
    return score.type == dtype::f32
               ? average_precision_of<float>(y_true, score, weight, positive, negative)
               : average_precision_of<double>(y_true, score, weight, positive, negative);
}

roc_auc_scorer::roc_auc_scorer(std::vector<std::uint8_t> positive)
    : positive_(std::move(positive)) {
    const auto hits = std::count(positive_.begin(), positive_.end(), std::uint8_t{1});
    pairs_ = static_cast<double>(hits) *
             static_cast<double>(static_cast<std::ptrdiff_t>(positive_.size()) - hits);
}

double roc_auc_scorer::operator()(const double* score, std::vector<std::uint64_t>& scratch) const {
    scratch.resize(2 * positive_.size());
    const std::uint64_t twice = kernels().auc_direct(
        score, positive_.data(), static_cast<std::int64_t>(positive_.size()), scratch.data());
    return static_cast<double>(twice) / (2.0 * pairs_);
}

}  // namespace mlestar::metrics
