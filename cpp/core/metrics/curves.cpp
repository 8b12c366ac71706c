#include "metrics/curves.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "metrics/curves.kernels.hpp"
#include "metrics/labels.hpp"
#include "metrics/ranking_partition.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(curve_kernels)

namespace {

template <class Score>
class unweighted_counts final : public threshold_counts {
public:
    using partition = ranking_partition<Score>;
    using key = typename partition::key;

    unweighted_counts(std::unique_ptr<partition> parts, keep_rule rule) : parts_(std::move(parts)) {
        const auto n = static_cast<std::size_t>(parts_->buckets());
        std::vector<score_group> highest(n);
        over_buckets<key>(*parts_, parts_->largest_bucket(), [&](std::int64_t b, key* scratch) {
            const auto part = parts_->at(b);
            if (part.count == 0) return;
            table().sort(&part, scratch);
            highest[static_cast<std::size_t>(b)] = table().highest(part.items, part.count);
        });
        span_buckets(highest, rule);
        places_.assign(n + 1, 0);
        over_buckets<key>(*parts_, 0, [&](std::int64_t b, key*) {
            const auto part = parts_->at(b);
            const auto at = static_cast<std::size_t>(b);
            // From the highest bucket down: the place after this one's is that of bucket b - 1.
            places_[at] = table().emit(part.items, part.count, &spans_[at], nullptr);
        });
        for (std::size_t b = n; b-- > 0;) {
            const std::int64_t here = places_[b];
            places_[b] = size_;
            size_ += here;
        }
    }

    std::int64_t size() const override { return size_; }
    double positives() const override { return static_cast<double>(parts_->positives()); }
    double negatives() const override { return static_cast<double>(parts_->negatives()); }

    void write(double* first, double* second, void* threshold, std::int64_t start,
               std::int64_t step, double negatives, double positives, curve_kind kind) override {
        over_buckets<key>(*parts_, 0, [&](std::int64_t b, key*) {
            const auto part = parts_->at(b);
            const auto at = static_cast<std::size_t>(b);
            const curve_output<Score> output{first,
                                             second,
                                             static_cast<Score*>(threshold),
                                             start + step * places_[at],
                                             step,
                                             negatives,
                                             positives,
                                             kind};
            table().emit(part.items, part.count, &spans_[at], &output);
        });
    }

private:
    static const auto& table() { return of_score<Score>(kernels()); }

    // What each bucket must know of the others.
    void span_buckets(const std::vector<score_group>& highest, keep_rule rule) {
        const std::size_t n = highest.size();
        spans_.resize(n);
        const auto any = [&](std::size_t b) {
            return highest[b].positives + highest[b].negatives > 0;
        };
        score_group above;
        bool first = true;
        std::size_t lowest = 0;
        while (lowest < n && !any(lowest)) ++lowest;
        for (std::size_t b = n; b-- > 0;) {
            const auto at = static_cast<std::int64_t>(b);
            auto& span = spans_[b];
            span.above = above;
            span.rule = rule;
            span.non_negative = parts_->non_negative(at);
            span.first = first && any(b);
            span.last = b == lowest;
            above.positives += parts_->positives_in(at);
            above.negatives += parts_->negatives_in(at);
            if (any(b)) first = false;
        }
        score_group next;
        for (std::size_t b = 0; b < n; ++b) {
            spans_[b].next = next;
            if (any(b)) next = highest[b];
        }
    }

    std::unique_ptr<partition> parts_;
    std::int64_t size_ = 0;
    std::vector<curve_span<Score>> spans_;
    std::vector<std::int64_t> places_;
};

// Sums run down the scores row by row, as scikit-learn's do, so that they have its bits: whether a
// point is on a line with its neighbours is a question of bits.
template <class Score>
class weighted_counts_at final : public threshold_counts {
public:
    using partition = ranking_partition<Score>;
    using key = typename partition::key;

    weighted_counts_at(std::unique_ptr<partition> parts, keep_rule rule) {
        over_buckets<weighted_key>(
            *parts, 2 * parts->largest_bucket(), [&](std::int64_t b, weighted_key* scratch) {
                const auto part = parts->at(b);
                const auto& table = of_score<Score>(kernels());
                if (part.count > 0) table.sort_weighted(&part, parts->weights_at(b), scratch);
            });
        for (std::int64_t b = parts->buckets(); b-- > 0;)
            add_groups(parts->at(b), parts->non_negative(b));
        keep(rule);
    }

    std::int64_t size() const override { return static_cast<std::int64_t>(threshold_.size()); }
    double positives() const override { return hits_; }
    double negatives() const override { return misses_; }

    void write(double* first, double* second, void* threshold, std::int64_t start,
               std::int64_t step, double negatives, double positives, curve_kind kind) override {
        auto* const thresholds = static_cast<Score*>(threshold);
        for (std::size_t k = 0; k < threshold_.size(); ++k) {
            const std::int64_t at = start + step * static_cast<std::int64_t>(k);
            const double hits = hits_at_[k];
            first[at] = kind == curve_kind::precision_recall ? hits / (hits + misses_at_[k])
                                                             : misses_at_[k] / negatives;
            second[at] = hits / positives;
            thresholds[at] = threshold_[k];
        }
    }

private:
    void add_groups(const bucket<key>& part, bool non_negative) {
        for (std::int64_t end = part.count; end > 0;) {
            const key value = part.items[end - 1] >> 1;
            std::int64_t begin = end - 1;
            while (begin > 0 && part.items[begin - 1] >> 1 == value) --begin;
            bool any = false;
            for (std::int64_t i = begin; i < end; ++i) {
                const double w = part.weights[i];
                any |= w != 0.0;
                ((part.items[i] & 1) != 0 ? hits_ : misses_) += w;
            }
            if (any) {  // rows without weight are no rows
                hits_at_.push_back(hits_);
                misses_at_.push_back(misses_);
                threshold_.push_back(
                    of_score<Score>(kernels()).score(part.items[begin], non_negative));
            }
            end = begin;
        }
    }

    void keep(keep_rule rule) {
        const std::size_t n = threshold_.size();
        if (rule == keep_rule::all || n < 3) return;
        const auto step = [](const std::vector<double>& sums, std::size_t k) {
            return sums[k] - sums[k - 1];
        };
        std::size_t kept = 1;
        double before_hits = hits_at_[0], before_misses = misses_at_[0];
        for (std::size_t k = 1; k < n; ++k) {
            bool wanted = k + 1 == n;
            if (!wanted) {
                const double hits = hits_at_[k] - before_hits;
                const double misses = misses_at_[k] - before_misses;
                wanted = rule == keep_rule::bends
                             ? step(hits_at_, k + 1) != hits || step(misses_at_, k + 1) != misses
                             : hits != 0.0 || step(hits_at_, k + 1) != 0.0;
            }
            before_hits = hits_at_[k];
            before_misses = misses_at_[k];
            if (!wanted) continue;
            hits_at_[kept] = hits_at_[k];
            misses_at_[kept] = misses_at_[k];
            threshold_[kept++] = threshold_[k];
        }
        hits_at_.resize(kept);
        misses_at_.resize(kept);
        threshold_.resize(kept);
    }

    double hits_ = 0.0, misses_ = 0.0;
    std::vector<double> hits_at_, misses_at_;
    std::vector<Score> threshold_;
};

struct label_pair {
    std::int64_t positive, negative;
};

std::optional<label_pair> labels_of(const vector_view& y_true,
                                    std::optional<std::int64_t> positive) {
    const auto range = range_of({y_true});
    if (!range) return std::nullopt;
    const std::int64_t low = range->minimum, high = range->maximum;
    if (!positive) {
        const bool usual = (low == 0 && high == 1) || (low == -1 && high == 1) ||
                           (low == high && low >= -1 && low <= 1);
        if (!usual) return std::nullopt;
        return label_pair{1, low};
    }
    if (*positive == high) return label_pair{high, low};
    if (*positive == low || low == high) return label_pair{*positive, high};
    return std::nullopt;
}

template <class Score>
std::unique_ptr<threshold_counts> count_with(const vector_view& y_true, const vector_view& score,
                                             const vector_view& weight, const label_pair& labels,
                                             keep_rule rule) {
    auto parts = std::make_unique<ranking_partition<Score>>(y_true, score, weight, labels.positive,
                                                            labels.negative);
    if (!parts->build()) return nullptr;
    std::unique_ptr<threshold_counts> result;
    if (weight)
        result = std::make_unique<weighted_counts_at<Score>>(std::move(parts), rule);
    else
        result = std::make_unique<unweighted_counts<Score>>(std::move(parts), rule);
    return result->size() > 0 ? std::move(result) : nullptr;
}

}  // namespace

std::unique_ptr<threshold_counts> count_at_thresholds(const vector_view& y_true,
                                                      const vector_view& score,
                                                      const vector_view& weight,
                                                      std::optional<std::int64_t> positive,
                                                      keep_rule rule) {
    if (!rankable(y_true, score, weight)) return nullptr;
    const auto labels = labels_of(y_true, positive);
    if (!labels) return nullptr;
    return score.type == dtype::f32 ? count_with<float>(y_true, score, weight, *labels, rule)
                                    : count_with<double>(y_true, score, weight, *labels, rule);
}

std::optional<double> trapezoid_area(const vector_view& x, const vector_view& y) {
    if (x.size < 2 || x.size != y.size) return std::nullopt;
    struct partial {
        double area = 0.0;
        bool rises = false, falls = false;
    };
    const auto partials =
        map_blocks(x.size - 1, partial{}, [&](partial& part, std::int64_t at, std::int64_t count) {
            double x_buffer[block_size + 1], y_buffer[block_size + 1];
            part.area += kernels().trapezoid(load_f64(x, at, count + 1, x_buffer),
                                             load_f64(y, at, count + 1, y_buffer), count + 1,
                                             &part.rises, &part.falls);
        });
    partial whole;
    for (const partial& part : partials) {
        whole.area += part.area;
        whole.rises |= part.rises;
        whole.falls |= part.falls;
    }
    if ((whole.rises && whole.falls) || !std::isfinite(whole.area)) return std::nullopt;
    return whole.falls ? -whole.area : whole.area;
}

}  // namespace mlestar::metrics
