// A ranking in bounded memory: a histogram over the order of the scores, whose bins double in width
// whenever there would be too many of them.
//
// A bin is a prefix of the score's order key, so bins are narrow near zero and wide far from it,
// and two histograms of any widths can be joined. The width is the least at which all scores seen
// fall into at most `most_bins` bins: a function of the scores alone, whatever the batches and the
// order of merges (the uniform collapse of UDDSketch: Epicoco, Melle, Cafaro, Pulimeno and Morleo
// 2020). Only pairs within a bin can be out of order, so the histogram knows how far its answer may
// lie from the exact one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/streaming_binary.hpp"
#include "support/compensated.hpp"

namespace mlestar::metrics {

// `value` is that of scores rounded to their bins; the exact one lies in [low, high].
struct bounded {
    double value = 0.0;
    double low = 0.0;
    double high = 0.0;
};

class score_bins {
public:
    score_bins(std::int64_t most_bins, std::optional<std::int64_t> positive);

    // Adds rows; throws argument_error, nothing changed, for what cannot be used.
    void add(const vector_view& y_true, const vector_view& score, const vector_view& weight);
    void merge(const score_bins& other);
    // No rows, but the same classes.
    score_bins empty() const {
        score_bins result(most_bins_, declared_);
        result.classes_ = classes_;
        return result;
    }
    void reset() { *this = score_bins(most_bins_, declared_); }

    std::int64_t rows() const { return rows_; }
    std::int64_t bins() const { return static_cast<std::int64_t>(bins_.size()); }
    std::int64_t resolution() const { return 64 - shift_; }  // bits of the key that bins keep
    // Not a number where a class has no weight.
    bounded roc_auc() const;
    // 0 where the positive class has no weight.
    bounded average_precision() const;

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    // Counts are whole numbers in two doubles, exact up to 2^106.
    struct bin {
        std::uint64_t cell = 0;
        std::uint64_t low = 0;  // least and greatest key in it: equal where all its scores tie
        std::uint64_t high = 0;
        compensated positive;
        compensated negative;
    };
    bin& at(std::uint64_t cell, std::uint64_t low, std::uint64_t high);
    void join(const bin& other);
    void rebuild(int shift);
    void index();
    void fit();
    std::vector<bin> sorted() const;

    std::int64_t most_bins_;
    std::optional<std::int64_t> declared_;
    binary_classes classes_;
    bool weighted_ = false;
    int shift_ = 0;
    std::int64_t rows_ = 0;
    std::vector<bin> bins_;
    std::vector<std::int32_t> slots_;  // open addressing, a power of two: place of a bin, or -1
};

}  // namespace mlestar::metrics
