// Sorted runs of a ranking on disk, and rows of several runs as one ascending sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/spill_file.hpp"

namespace mlestar::metrics {

// Rows of one class, ascending by key.
struct sorted_side {
    std::vector<std::uint64_t> keys;
    std::vector<double> weights;  // empty where unweighted
};

// A file of the positives' keys, then the negatives', then the weights in the same order. Copies
// share the file, which nothing changes once both sides are written.
class scored_run {
public:
    scored_run(const std::string& folder, std::int64_t rows, bool weighted);

    // The positives first.
    void write(bool positive, const sorted_side& side);

    std::int64_t rows() const { return rows_; }
    std::int64_t rows_of(bool positive) const { return positive ? positives_ : rows_ - positives_; }
    bool weighted() const { return weighted_; }

private:
    friend class run_stream;
    friend scored_run merge_runs(const std::vector<scored_run>& runs, const std::string& folder);

    std::shared_ptr<spill_file> file_;
    std::int64_t rows_;
    std::int64_t positives_ = 0;
    bool weighted_;
};

// One class of a run, or of rows in memory, a buffer at a time.
class run_stream {
public:
    run_stream(const scored_run& source, bool positive, std::int64_t rows_at_once);
    run_stream(sorted_side side, bool positive);

    bool positive() const { return positive_; }
    bool done() const { return at_ == side_.keys.size(); }
    std::uint64_t key() const { return side_.keys[at_]; }
    double weight() const { return side_.weights.empty() ? 1.0 : side_.weights[at_]; }
    void next() {
        if (++at_ == side_.keys.size() && left_ > 0) fill();
    }

private:
    void fill();

    bool positive_;
    std::shared_ptr<const spill_file> file_;
    std::int64_t left_ = 0;
    std::int64_t key_offset_ = 0;
    std::int64_t weight_offset_ = -1;
    std::int64_t rows_at_once_ = 0;
    std::size_t at_ = 0;
    sorted_side side_;
};

class run_merger {
public:
    void add(run_stream stream);
    void start();
    bool done() const { return heap_.empty(); }
    const run_stream& front() const { return streams_[heap_.front().stream]; }
    void next();

private:
    // A stream's row and its key, which is compared without going to the stream; ties by the
    // stream's number, so that weights are added in one order.
    struct entry {
        std::uint64_t key;
        std::size_t stream;
        bool before(const entry& other) const {
            return key != other.key ? key < other.key : stream < other.stream;
        }
    };
    void sink(std::size_t at);

    std::vector<run_stream> streams_;
    std::vector<entry> heap_;  // no entry before the one at half its place
};

scored_run merge_runs(const std::vector<scored_run>& runs, const std::string& folder);

}  // namespace mlestar::metrics
