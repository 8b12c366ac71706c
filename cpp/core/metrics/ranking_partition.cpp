#include "metrics/ranking_partition.hpp"

#include <cmath>

#include "metrics/labels.hpp"
#include "support/levels.hpp"
#include "support/sort.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(ranking_partition_kernels)

namespace {

// Cells resolve the scores' distribution (64 KiB of counts a class: half an L2); neighbouring cells
// are joined to buckets of about `bucket_target` rows, which an L1 holds twice.
constexpr int cell_bits = 14;
constexpr int small_cell_bits = 4;
constexpr std::int64_t small_size = 4096;
constexpr std::int64_t bucket_target = 4096;
constexpr std::int64_t most_buckets = 4096;
constexpr std::int64_t sample_size = 512;

template <class Score>
const Score* load_score(const vector_view& view, std::int64_t at, std::int64_t count,
                        Score* buffer) {
    if constexpr (std::is_same_v<Score, double>)
        return load_f64(view, at, count, buffer);
    else
        return load_f32(view, at, count, buffer);
}

// The inverse of the order key.
template <class Score>
Score score_of(std::int64_t signed_key) {
    if constexpr (std::is_same_v<Score, double>) {
        return score_of_order(signed_key);
    } else {
        const auto narrow = static_cast<std::int32_t>(signed_key);
        const auto bits =
            narrow ^ static_cast<std::int32_t>(static_cast<std::uint32_t>(narrow >> 31) >> 1);
        return __builtin_bit_cast(float, bits);
    }
}

bool usable_weights(const double* weight, std::int64_t count) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i)
        wrong |= (weight[i] >= 0.0) & (weight[i] < HUGE_VAL) ? 0 : 1;
    return wrong == 0;
}

// A bucket of equal scores may hold them all, and its positives are counted in 32 bits.
constexpr std::int64_t most_rows = std::int64_t{1} << 31;

bool exact_as_double(const vector_view& score) {
    if (score.type != dtype::i64 && score.type != dtype::u64) return true;
    constexpr std::int64_t limit = std::int64_t{1} << 53;
    const auto range = range_of({score});
    return range && range->minimum >= -limit && range->maximum <= limit;
}

}  // namespace

bool rankable(const vector_view& y_true, const vector_view& score, const vector_view& weight) {
    return y_true.size > 0 && y_true.size < most_rows && y_true.size == score.size &&
           (!weight || weight.size == y_true.size) && exact_as_double(score);
}

template <class Score>
bool ranking_partition<Score>::build() {
    if (!scan_all()) return false;
    choose_cells();
    count_cells();
    join_cells();
    scatter_all();
    return true;
}

template <class Score>
auto ranking_partition<Score>::at(std::int64_t b) -> bucket<key> {
    const std::uint64_t start = starts_[static_cast<std::size_t>(b)];
    return {items_.data() + start, weight_ ? weights_.data() + start : nullptr,
            positives_in(b) + negatives_in(b), positives_in(b)};
}

template <class Score>
std::size_t ranking_partition<Score>::largest_bucket() const {
    std::uint64_t largest = 0;
    for (std::size_t b = 0; b + 1 < starts_.size(); ++b)
        largest = std::max(largest, starts_[b + 1] - starts_[b]);
    return static_cast<std::size_t>(largest);
}

template <class Score>
bool ranking_partition<Score>::scan_all() {
    std::vector<score_scan> scans(static_cast<std::size_t>(pieces_.count));
    std::vector<char> usable(static_cast<std::size_t>(pieces_.count), 1);
    parallel_for(pieces_.count, [&](std::int64_t piece) {
        Score scores[block_size];
        block_buffers buffers;
        bool exact = true;
        pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
            const Score* x = load_score<Score>(score_, at, count, scores);
            const std::int64_t* y = load_i64(label_, at, count, buffers.a, exact);
            of_score<Score>(kernels()).scan(x, y, count, positive_, negative_.value_or(positive_),
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
    return scan_.finite && (scan_.two_labels || !negative_) &&
           std::find(usable.begin(), usable.end(), 0) == usable.end();
}

template <class Score>
void ranking_partition<Score>::choose_cells() {
    std::vector<double> sample;
    const std::int64_t step = std::max<std::int64_t>(1, label_.size / sample_size);
    Score value;
    for (std::int64_t row = step / 2; row < label_.size; row += step) {
        const double magnitude =
            std::abs(static_cast<double>(*load_score<Score>(score_, row, 1, &value)));
        if (magnitude > 0.0) sample.push_back(magnitude);
    }
    if (!sample.empty()) {
        const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
        std::nth_element(sample.begin(), middle, sample.end());
        map_.offset = *middle / 16.0;
    }
    const auto cell = of_score<Score>(kernels()).cell;
    const Score low = score_of<Score>(scan_.low);
    const Score high = score_of<Score>(scan_.high);
    const int bits = label_.size < small_size ? small_cell_bits : cell_bits;
    const std::uint64_t span = cell(high, &map_) - cell(low, &map_);
    const int span_bits = span == 0 ? 0 : 64 - __builtin_clzll(span);
    map_.shift = std::max(0, span_bits - bits);
    map_.base = cell(low, &map_);
    // Rounding of the shifted ends may add a cell.
    cells_ = static_cast<std::int64_t>(cell(high, &map_)) + 1;
    zero_cell_ = static_cast<std::int64_t>((std::uint64_t{1} << 63 >> map_.shift) - map_.base);
}

template <class Score>
void ranking_partition<Score>::count_cells() {
    counts_.assign(static_cast<std::size_t>(pieces_.count * 2 * cells_), 0);
    parallel_for(pieces_.count, [&](std::int64_t piece) {
        Score scores[block_size];
        block_buffers buffers;
        bool exact = true;
        std::uint32_t* counts = counts_.data() + piece * 2 * cells_;
        pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
            of_score<Score>(kernels()).count(load_score<Score>(score_, at, count, scores),
                                             load_i64(label_, at, count, buffers.a, exact), count,
                                             positive_, &map_, counts, cells_);
        });
    });
}

// Joins cells to buckets and lays the buckets out one after the other.
template <class Score>
void ranking_partition<Score>::join_cells() {
    const std::int64_t target = label_.size < small_size
                                    ? small_size
                                    : std::max(bucket_target, label_.size / (most_buckets / 2));
    const auto counted = [&](std::int64_t piece, std::int64_t side, std::int64_t cell) {
        return counts_[static_cast<std::size_t>((piece * 2 + side) * cells_ + cell)];
    };
    bucket_of_.assign(static_cast<std::size_t>(cells_), 0);
    std::int64_t held = 0;
    for (std::int64_t c = 0; c < cells_; ++c) {
        std::int64_t positives = 0;
        std::int64_t here = 0;
        for (std::int64_t piece = 0; piece < pieces_.count; ++piece) {
            positives += counted(piece, 0, c);
            here += counted(piece, 0, c) + counted(piece, 1, c);
        }
        if (positives_in_.empty() || (held > 0 && held + here > target) || c == zero_cell_) {
            positives_in_.push_back(0);
            held = 0;
        }
        if (c == zero_cell_) first_non_negative_ = buckets() - 1;
        held += here;
        positives_in_.back() += positives;
        bucket_of_[static_cast<std::size_t>(c)] =
            static_cast<std::uint16_t>(positives_in_.size() - 1);
    }
    if (zero_cell_ >= cells_) first_non_negative_ = buckets();  // below zero, all of them
    places_.assign(static_cast<std::size_t>(pieces_.count * buckets()), 0);
    const auto place = [&](std::int64_t piece, std::int64_t b) -> std::uint64_t& {
        return places_[static_cast<std::size_t>(piece * buckets() + b)];
    };
    for (std::int64_t piece = 0; piece < pieces_.count; ++piece)
        for (std::int64_t c = 0; c < cells_; ++c)
            place(piece, bucket_of_[static_cast<std::size_t>(c)]) +=
                counted(piece, 0, c) + counted(piece, 1, c);
    std::uint64_t next = 0;
    for (std::int64_t b = 0; b < buckets(); ++b) {
        starts_.push_back(next);
        for (std::int64_t piece = 0; piece < pieces_.count; ++piece) {
            const std::uint64_t size = place(piece, b);
            place(piece, b) = next;
            next += size;
        }
    }
    starts_.push_back(next);
    counts_ = {};
}

template <class Score>
void ranking_partition<Score>::scatter_all() {
    parallel_for(pieces_.count, [&](std::int64_t piece) {
        Score scores[block_size];
        block_buffers buffers;
        bool exact = true;
        std::uint64_t* place = places_.data() + piece * buckets();
        pieces_.each_block(piece, [&](std::int64_t at, std::int64_t count) {
            of_score<Score>(kernels()).scatter(load_score<Score>(score_, at, count, scores),
                                               load_i64(label_, at, count, buffers.a, exact),
                                               load_weight(weight_, at, count, buffers.w), count,
                                               positive_, &map_, bucket_of_.data(), place,
                                               items_.data(), weights_.data());
        });
    });
}

template class ranking_partition<double>;
template class ranking_partition<float>;

}  // namespace mlestar::metrics
