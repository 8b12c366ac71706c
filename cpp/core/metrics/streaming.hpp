// Metrics of rows that come in batches: sums that go on. A batch is read whole, checked and summed
// into an accumulator of its own, which is then added: what cannot be used leaves no trace, and an
// update is a merge.
//
// Sums are kept in two doubles (the same bits for any thread count; a rounding from the exact sum
// of the row losses for any batching), or exactly: then the same bits for any batching and order.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/compensated.hpp"
#include "support/exact_sum.hpp"
#include "support/span.hpp"

namespace mlestar::metrics {

// What an accumulator is made of, for files and other processes.
struct streaming_state {
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
};

// Rows of a batch that a thread takes at a time: large batches of a training loop have 65 536.
inline constexpr std::int64_t batch_task_size = std::int64_t{1} << 14;

// Rows that a state may tell of: two of them can be added.
inline constexpr std::int64_t most_rows = std::int64_t{1} << 61;

// Takes a state apart in the order in which it was put together; throws where it runs out.
class state_reader {
public:
    explicit state_reader(const streaming_state& state) : state_(state) {}
    std::int64_t integer();
    std::int64_t count(std::int64_t least, std::int64_t most);  // an integer in that range
    double real();
    void finish() const;

private:
    const streaming_state& state_;
    std::size_t integers_ = 0;
    std::size_t reals_ = 0;
};

class running_sum {
public:
    explicit running_sum(bool exact) : exact_(exact ? 1 : 0) {}

    void add(double term);
    void add(const double* terms, std::int64_t count);
    void add(compensated term) { quick_ = quick_ + term; }  // not where exact
    void merge(const running_sum& other);

    bool exact() const { return !exact_.empty(); }
    double value() const { return exact() ? exact_[0].value() : quick_.value(); }
    compensated quick() const { return quick_; }

    void write(streaming_state& state) const;
    void read(state_reader& reader);

private:
    compensated quick_;
    std::vector<exact_sum> exact_;  // one or none: it is large
};

// Sums of w (x - origin) and w (x - origin)^2. The origin is a value among the data, so that the
// variance loses no digits however far from zero the data lie; exact sums need none.
struct running_moments {
    explicit running_moments(bool exact) : first(exact), second(exact) {}

    bool begun = false;
    double origin = 0.0;
    running_sum first;
    running_sum second;

    void begin(double at);
    void add(const double* x, const double* weight, std::int64_t count);
    void merge(const running_moments& other, const running_sum& other_weight);
    // Sum of w (x - mean)^2.
    double spread(const running_sum& weight) const;
};

enum class row_loss : std::uint8_t {
    squared,
    absolute,
    difference,
    percentage,  // parameter: the least that |y| counts for
    pinball,     // parameter: the quantile
    squared_log,
    poisson,
    gamma,
    largest,  // of |y - p|, weights left aside
    tweedie,  // parameter: the power, neither 0, 1 nor 2
};

// What a regression accumulator keeps of each output.
struct regression_plan {
    struct term {
        row_loss loss = row_loss::squared;
        double parameter = 0.0;
    };
    std::vector<term> terms;
    bool target_moments = false;  // of y
    bool error_moments = false;   // of y - p
    bool exact = false;
};

class regression_sums {
public:
    explicit regression_sums(regression_plan plan) : plan_(std::move(plan)), weight_(plan_.exact) {}

    // The sums of one batch, to be merged into this. Throws argument_error for what cannot be used.
    regression_sums batch(const matrix_view& y_true, const matrix_view& y_pred,
                          const vector_view& weight) const;
    void merge(const regression_sums& other);
    void reset() { *this = regression_sums(plan_); }

    const regression_plan& plan() const { return plan_; }
    std::int64_t rows() const { return rows_; }
    std::int64_t outputs() const { return static_cast<std::int64_t>(outputs_.size()); }
    const running_sum& weight() const { return weight_; }
    const std::vector<running_sum>& terms(std::int64_t output) const {
        return outputs_[static_cast<std::size_t>(output)].sums;
    }
    double largest(std::int64_t output) const {
        return outputs_[static_cast<std::size_t>(output)].largest;
    }
    const running_moments& target(std::int64_t output) const {
        return outputs_[static_cast<std::size_t>(output)].target;
    }
    const running_moments& error(std::int64_t output) const {
        return outputs_[static_cast<std::size_t>(output)].error;
    }

    streaming_state state() const;
    void load(const streaming_state& state);

private:
    struct output_state {
        explicit output_state(const regression_plan& plan)
            : sums(plan.terms.size(), running_sum(plan.exact)),
              target(plan.exact && plan.target_moments),
              error(plan.exact && plan.error_moments) {}
        std::vector<running_sum> sums;
        running_moments target;
        running_moments error;
        double largest = 0.0;
    };
    // False where some loss is no finite number, as it is where y, p or a weight is none.
    bool add_block(output_state& output, const double* y, const double* p, const double* weight,
                   std::int64_t count) const;

    regression_plan plan_;
    std::int64_t rows_ = 0;
    running_sum weight_;
    std::vector<output_state> outputs_;
};

// What every accumulator checks, with errors that name the argument. `name` is the argument's.
void require_rows(const char* name, std::int64_t rows, std::int64_t as_many);
void require_finite(const char* name, const matrix_view& values);
// Throws for the first row whose value is outside [low, high].
void require_range(const char* name, const matrix_view& values, double low, double high);
// Throws for the first row whose value is neither 0 nor 1.
void require_indicators(const char* name, const matrix_view& values);
inline matrix_view as_column(const vector_view& view) {
    return {view.data, view.type, view.size, 1, view.stride, 0};
}
// A number as a person reads it.
std::string text_of(double value);

}  // namespace mlestar::metrics
