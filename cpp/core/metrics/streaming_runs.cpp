#include "metrics/streaming_runs.hpp"

#include <algorithm>
#include <utility>

namespace mlestar::metrics {

namespace {

constexpr std::int64_t word = 8;  // bytes of a key and of a weight
constexpr std::int64_t buffered = 1024;

// Words to a file at an offset of their own, a buffer at a time.
class word_writer {
public:
    word_writer(spill_file& file, std::int64_t first) : file_(file), offset_(first * word) {}

    void put(std::uint64_t value) {
        words_.push_back(value);
        if (words_.size() == static_cast<std::size_t>(buffered)) flush();
    }
    void flush() {
        file_.write(offset_, words_.data(), words_.size() * sizeof(std::uint64_t));
        offset_ += static_cast<std::int64_t>(words_.size()) * word;
        words_.clear();
    }

private:
    spill_file& file_;
    std::int64_t offset_;
    std::vector<std::uint64_t> words_;
};

}  // namespace

scored_run::scored_run(const std::string& folder, std::int64_t rows, bool weighted)
    : file_(std::make_shared<spill_file>(folder)), rows_(rows), weighted_(weighted) {}

void scored_run::write(bool positive, const sorted_side& side) {
    if (positive) positives_ = static_cast<std::int64_t>(side.keys.size());
    const std::int64_t first = positive ? 0 : positives_;
    file_->write(first * word, side.keys.data(), side.keys.size() * sizeof(std::uint64_t));
    file_->write((rows_ + first) * word, side.weights.data(), side.weights.size() * sizeof(double));
}

run_stream::run_stream(const scored_run& source, bool positive, std::int64_t rows_at_once)
    : positive_(positive),
      file_(source.file_),
      left_(source.rows_of(positive)),
      key_offset_(positive ? 0 : source.positives_ * word),
      rows_at_once_(rows_at_once) {
    if (source.weighted_) weight_offset_ = key_offset_ + source.rows_ * word;
    fill();
}

run_stream::run_stream(sorted_side side, bool positive)
    : positive_(positive), side_(std::move(side)) {}

void run_stream::fill() {
    const std::int64_t rows = std::min(left_, rows_at_once_);
    at_ = 0;
    side_.keys.resize(static_cast<std::size_t>(rows));
    file_->read(key_offset_, side_.keys.data(), side_.keys.size() * sizeof(std::uint64_t));
    key_offset_ += rows * word;
    if (weight_offset_ >= 0) {
        side_.weights.resize(side_.keys.size());
        file_->read(weight_offset_, side_.weights.data(), side_.weights.size() * sizeof(double));
        weight_offset_ += rows * word;
    }
    left_ -= rows;
}

void run_merger::add(run_stream stream) {
    if (stream.done()) return;
    heap_.push_back({stream.key(), streams_.size()});
    streams_.push_back(std::move(stream));
}

void run_merger::start() {
    for (std::size_t at = heap_.size() / 2; at-- > 0;) sink(at);
}

// Moves an entry down to its place.
void run_merger::sink(std::size_t at) {
    const entry moved = heap_[at];
    for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
        if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
        if (!heap_[child].before(moved)) break;
        heap_[at] = heap_[child];
        at = child;
    }
    heap_[at] = moved;
}

void run_merger::next() {
    run_stream& stream = streams_[heap_.front().stream];
    stream.next();
    if (stream.done()) {
        heap_.front() = heap_.back();
        heap_.pop_back();
    } else {
        heap_.front().key = stream.key();
    }
    if (!heap_.empty()) sink(0);
}

scored_run merge_runs(const std::vector<scored_run>& runs, const std::string& folder) {
    std::int64_t rows = 0;
    std::int64_t positives = 0;
    bool weighted = false;
    run_merger merged;
    for (const scored_run& one : runs) {
        rows += one.rows();
        positives += one.rows_of(true);
        weighted |= one.weighted();
        for (const bool positive : {true, false}) merged.add(run_stream(one, positive, buffered));
    }
    scored_run result(folder, rows, weighted);
    result.positives_ = positives;
    spill_file& file = *result.file_;
    word_writer keys[2] = {{file, positives}, {file, 0}};
    word_writer weights[2] = {{file, rows + positives}, {file, rows}};
    for (merged.start(); !merged.done(); merged.next()) {
        const run_stream& front = merged.front();
        keys[front.positive()].put(front.key());
        if (weighted)
            weights[front.positive()].put(__builtin_bit_cast(std::uint64_t, front.weight()));
    }
    for (word_writer& one : keys) one.flush();
    for (word_writer& one : weights) one.flush();
    return result;
}

}  // namespace mlestar::metrics
