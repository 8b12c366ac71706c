// Splits of rows that have times: a row is known from t0 on and its label is made by what happens
// in the closed interval [t0, t1]. What is trained on never overlaps what is held out
// (Lopez de Prado, Advances in Financial Machine Learning, 2018, chapters 7 and 12).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "support/span.hpp"

namespace mlestar::model_selection {

// A length of time, in the unit of the times: integers with integer times, else doubles.
struct duration {
    std::int64_t whole = 0;
    double real = 0.0;
};

// The rows of one split, marked; `write` gives them in ascending order.
class marked_rows {
public:
    // Roles of the rows first, first + 1, ...
    explicit marked_rows(std::vector<std::uint8_t>&& roles, std::int64_t first = 0);
    std::int64_t train() const { return train_.back(); }
    std::int64_t test() const { return test_.back(); }
    void write(std::int64_t* train, std::int64_t* test) const;

private:
    std::vector<std::uint8_t> roles_;
    std::int64_t first_;
    std::vector<std::int64_t> train_;  // rows of the role before each task
    std::vector<std::int64_t> test_;
};

// Consecutive positions, in the order of the times, with one role; rows to train on also need a
// label that ends before `limit` where there is one.
struct piece {
    std::int64_t first;
    std::int64_t last;
    std::uint8_t role;
    std::optional<std::int64_t> limit;
};

// Rows in the order of t0, equal times in the order of the rows.
class timeline {
public:
    // No `t1` for labels of an instant. Throws argument_error for times that are not finite, whose
    // lengths differ, or whose t1 is before t0.
    timeline(const vector_view& t0, const vector_view& t1);
    // Times are the row numbers.
    explicit timeline(std::int64_t rows);

    std::int64_t rows() const { return static_cast<std::int64_t>(starts_.size()); }
    bool floating() const { return floating_; }
    // Times as integers of the same order, by position.
    const std::vector<std::int64_t>& starts() const { return starts_; }
    const std::vector<std::int64_t>& ends() const { return ends_.empty() ? starts_ : ends_; }
    std::int64_t row_at(std::int64_t position) const {
        return order_.empty() ? position : order_[static_cast<std::size_t>(position)];
    }

    // The first position whose t0 is not before `time`, and the first after it.
    std::int64_t position_of(std::int64_t time) const;
    std::int64_t position_after(std::int64_t time) const;
    // time + times * by, held to the ends of the range.
    std::int64_t moved(std::int64_t time, const duration& by, std::int64_t times = 1) const;

    // From one time to a later one.
    duration between(std::int64_t from, std::int64_t to) const;

    // Roles by row of the roles of the positions first, first + 1, ...
    marked_rows by_row(std::vector<std::uint8_t>&& roles, std::int64_t first = 0) const;
    // The pieces lie in the positions [first, last), the only ones that are looked at.
    marked_rows mark(const std::vector<piece>& pieces, std::int64_t first, std::int64_t last) const;

private:
    bool floating_ = false;
    std::vector<std::int64_t> starts_;
    std::vector<std::int64_t> ends_;   // empty where they are the starts
    std::vector<std::int64_t> order_;  // row of each position; empty where times ascend already
};

// After a fold held out, rows are left out of training as well: the first `rows` that begin after
// its last label has ended, or those that begin within `time` of it.
struct embargo {
    std::int64_t rows = 0;
    std::optional<duration> time;
};

// Consecutive folds by time, the first rows % count one row longer.
class purged_folds {
public:
    purged_folds(std::shared_ptr<const timeline> times, std::int64_t count, const embargo& after);
    std::int64_t count() const { return static_cast<std::int64_t>(begins_.size()); }
    std::int64_t rows() const { return times_->rows(); }
    // Ascending numbers of the folds held out, at least one.
    marked_rows split(const std::vector<std::int64_t>& test_folds) const;
    void fold_of_row(std::int64_t* target) const;

private:
    std::shared_ptr<const timeline> times_;
    std::vector<std::int64_t> bounds_;  // positions
    std::vector<std::int64_t> begins_;  // the earliest t0 of each fold
    std::vector<std::int64_t> reach_;   // the first position clear of each fold and its embargo
};

// One step of a walk forward, as positions.
struct window {
    std::int64_t train_first;
    std::int64_t train_last;
    std::int64_t test_first;
    std::int64_t test_last;
};

struct walk {
    std::int64_t train;
    std::int64_t test;
    std::int64_t gap;
    std::int64_t step;
};

struct timed_walk {
    duration train;
    duration test;
    duration gap;
    duration step;
};

inline constexpr std::int64_t most_windows = 10'000'000;

// Windows that hold rows to test on, the first as early as its training window allows; a last one
// that the data do not fill only where `partial`. Throws argument_error beyond most_windows.
std::vector<window> walk_forward(const timeline& times, const walk& sizes, bool expanding,
                                 bool partial);
std::vector<window> walk_forward(const timeline& times, const timed_walk& sizes, bool expanding,
                                 bool partial);
// Labels to train on end before the first row to test on begins.
marked_rows split_window(const timeline& times, const window& at);

// Groups in the order of their first row in time.
class group_series {
public:
    // `groups`: any integers, one a row. Throws argument_error for other values or lengths.
    group_series(std::shared_ptr<const timeline> times, const vector_view& groups);
    std::int64_t groups() const { return static_cast<std::int64_t>(begins_.size()); }
    std::int64_t rows() const { return times_->rows(); }
    // Ranks of groups, as in a window; rows to train on end before the first of the test groups
    // begins.
    marked_rows split(const window& ranks) const;

private:
    std::shared_ptr<const timeline> times_;
    std::vector<std::int32_t> ranks_;   // by position
    std::vector<std::int64_t> begins_;  // the earliest t0 of each group
};

}  // namespace mlestar::model_selection
