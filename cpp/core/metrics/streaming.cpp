#include "metrics/streaming.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "metrics/streaming.kernels.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(streaming_kernels)

std::string text_of(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    for (int digits = 1; digits < 17; ++digits) {  // the shortest that reads back the same
        char shorter[32];
        std::snprintf(shorter, sizeof shorter, "%.*g", digits, value);
        if (std::strtod(shorter, nullptr) == value) return shorter;
    }
    return text;
}

void require_rows(const char* name, std::int64_t rows, std::int64_t as_many) {
    if (rows == as_many) return;
    throw argument_error(std::string(name) + " has " + std::to_string(rows) +
                         " rows, but must have " + std::to_string(as_many) + " as y_true");
}

namespace {

// Throws, for the first value in the order of the rows that `wrong` names.
template <class Wrong>
void refuse(const char* name, const matrix_view& values, const char* must, Wrong wrong) {
    double buffer[block_size];
    for (std::int64_t row = 0; row < values.rows; ++row) {
        for (std::int64_t j = 0; j < values.columns; ++j) {
            const double value = *load_f64(values.column(j), row, 1, buffer);
            if (wrong(value))
                throw argument_error(std::string(name) + " holds " + text_of(value) + " in row " +
                                     std::to_string(row) + ", but every value must be " + must);
        }
    }
}

bool is_infinite_or_nan(double x) { return !std::isfinite(x); }

}  // namespace

void require_finite(const char* name, const matrix_view& values) {
    double buffer[block_size];
    for (std::int64_t j = 0; j < values.columns; ++j) {
        const vector_view column = values.column(j);
        for (std::int64_t at = 0; at < values.rows; at += block_size) {
            const std::int64_t count = std::min(block_size, values.rows - at);
            if (!kernels().finite(load_f64(column, at, count, buffer), count))
                refuse(name, values, "finite", is_infinite_or_nan);
        }
    }
}

void require_range(const char* name, const matrix_view& values, double low, double high) {
    const std::string must = "in [" + text_of(low) + ", " + text_of(high) + "]";
    refuse(name, values, must.c_str(), [=](double x) { return !(x >= low && x <= high); });
}

void require_indicators(const char* name, const matrix_view& values) {
    refuse(name, values, "0 or 1", [](double x) { return x != 0.0 && x != 1.0; });
}

void running_sum::add(double term) {
    if (exact())
        exact_[0].add(term);
    else
        quick_ = quick_ + term;
}

void running_sum::add(const double* terms, std::int64_t count) {
    if (exact()) {
        for (std::int64_t i = 0; i < count; ++i) exact_[0].add(terms[i]);
    } else {
        kernels().add(terms, count, &quick_);
    }
}

void running_sum::merge(const running_sum& other) {
    if (exact())
        exact_[0].add(other.exact_[0]);
    else
        quick_ = quick_ + other.quick_;
}

void running_sum::write(streaming_state& state) const {
    if (exact()) {
        const auto digits = exact_[0].digits();
        state.integers.insert(state.integers.end(), digits.begin(), digits.end());
    } else {
        state.reals.push_back(quick_.high);
        state.reals.push_back(quick_.low);
    }
}

void running_sum::read(state_reader& reader) {
    if (exact()) {
        exact_sum::digit_array digits;
        for (std::size_t i = 0; i + 1 < digits.size(); ++i)
            digits[i] = reader.count(0, (std::int64_t{1} << 32) - 1);
        digits.back() = reader.count(-(std::int64_t{1} << 60), std::int64_t{1} << 60);
        exact_[0] = exact_sum::from_digits(digits);
    } else {
        quick_.high = reader.real();
        quick_.low = reader.real();
    }
}

void running_moments::begin(double at) {
    if (begun) return;
    begun = true;
    origin = first.exact() ? 0.0 : at;
}

void running_moments::add(const double* x, const double* weight, std::int64_t count) {
    if (!first.exact()) {
        compensated one, two;
        kernels().moments(x, weight, origin, count, &one, &two);
        first.add(one);
        second.add(two);
        return;
    }
    const auto add_product = [](running_sum& sum, double a, double b) {
        const compensated product = exact_multiply(a, b);
        sum.add(product.high);
        sum.add(product.low);
    };
    for (std::int64_t i = 0; i < count; ++i) {
        const compensated square = exact_multiply(x[i], x[i]);
        if (weight == nullptr) {
            first.add(x[i]);
            second.add(square.high);
            second.add(square.low);
        } else {
            add_product(first, weight[i], x[i]);
            add_product(second, weight[i], square.high);
            add_product(second, weight[i], square.low);
        }
    }
}

void running_moments::merge(const running_moments& other, const running_sum& other_weight) {
    if (!other.begun) return;
    if (!begun) {
        *this = other;
        return;
    }
    if (origin == other.origin) {
        first.merge(other.first);
        second.merge(other.second);
        return;
    }
    // x - origin = (x - other.origin) + shift
    const compensated shift = exact_add(other.origin, -origin);
    const compensated moved = shift * other_weight.quick();
    const compensated twice = other.first.quick() + other.first.quick();
    first.add(other.first.quick() + moved);
    second.add(other.second.quick() + shift * (twice + moved));
}

double running_moments::spread(const running_sum& weight) const {
    const compensated one = first.quick();
    const double found = (second.quick() - one * one / weight.quick()).value();
    return found < 0.0 ? 0.0 : found;
}

bool regression_sums::add_block(output_state& output, const double* y, const double* p,
                                const double* weight, std::int64_t count) const {
    double loss[block_size];
    for (std::size_t k = 0; k < plan_.terms.size(); ++k) {
        const auto& term = plan_.terms[k];
        kernels().losses[static_cast<int>(term.loss)](y, p, term.parameter, count, loss);
        const bool summed = term.loss != row_loss::largest;
        if (summed && weight != nullptr) kernels().multiply(loss, weight, count, loss);
        if (!kernels().finite(loss, count)) return false;
        if (summed)
            output.sums[k].add(loss, count);
        else
            output.largest = std::max(output.largest, kernels().largest(loss, count));
    }
    if (plan_.target_moments) output.target.add(y, weight, count);
    if (plan_.error_moments) {
        kernels().losses[static_cast<int>(row_loss::difference)](y, p, 0.0, count, loss);
        if (!kernels().finite(loss, count)) return false;
        output.error.add(loss, weight, count);
    }
    return true;
}

namespace {

// Values that a loss is defined for.
void require_domain(const regression_plan::term& term, const matrix_view& y_true,
                    const matrix_view& y_pred) {
    const auto below = [](double limit) { return [=](double x) { return x < limit; }; };
    const auto up_to = [](double limit) { return [=](double x) { return x <= limit; }; };
    switch (term.loss) {
        case row_loss::squared_log:
            refuse("y_true", y_true, "above -1", up_to(-1.0));
            refuse("y_pred", y_pred, "above -1", up_to(-1.0));
            return;
        case row_loss::poisson:
            refuse("y_true", y_true, "at least 0", below(0.0));
            refuse("y_pred", y_pred, "above 0", up_to(0.0));
            return;
        case row_loss::gamma:
            refuse("y_true", y_true, "above 0", up_to(0.0));
            refuse("y_pred", y_pred, "above 0", up_to(0.0));
            return;
        case row_loss::tweedie:
            if (term.parameter >= 2.0)
                refuse("y_true", y_true, "above 0", up_to(0.0));
            else if (term.parameter > 0.0)
                refuse("y_true", y_true, "at least 0", below(0.0));
            refuse("y_pred", y_pred, "above 0", up_to(0.0));
            return;
        default: return;
    }
}

bool in_domain(const regression_plan::term& term, const double* y, const double* p,
               std::int64_t count) {
    const auto least = [&](const double* x) { return kernels().smallest(x, count); };
    switch (term.loss) {
        case row_loss::squared_log: return least(y) > -1.0 && least(p) > -1.0;
        case row_loss::poisson: return least(y) >= 0.0 && least(p) > 0.0;
        case row_loss::gamma: return least(y) > 0.0 && least(p) > 0.0;
        case row_loss::tweedie:
            return least(p) > 0.0 && (term.parameter < 0.0 ||
                                      (term.parameter < 2.0 ? least(y) >= 0.0 : least(y) > 0.0));
        default: return true;
    }
}

}  // namespace

regression_sums regression_sums::batch(const matrix_view& y_true, const matrix_view& y_pred,
                                       const vector_view& weight) const {
    require_rows("y_pred", y_pred.rows, y_true.rows);
    if (y_pred.columns != y_true.columns)
        throw argument_error("y_pred has " + std::to_string(y_pred.columns) +
                             " columns, but must have " + std::to_string(y_true.columns) +
                             " as y_true");
    if (rows_ > 0 && y_true.columns != outputs())
        throw argument_error("y_true has " + std::to_string(y_true.columns) +
                             " columns, but must have " + std::to_string(outputs()) +
                             " as in the batches before");
    if (weight) require_rows("sample_weight", weight.size, y_true.rows);

    regression_sums result(plan_);
    result.rows_ = y_true.rows;
    result.outputs_.assign(static_cast<std::size_t>(y_true.columns), output_state(plan_));
    if (!weight) result.weight_.add(static_cast<double>(y_true.rows));
    double buffer[block_size];
    for (std::size_t j = 0; j < result.outputs_.size(); ++j) {
        output_state& output = result.outputs_[j];
        const auto column = static_cast<std::int64_t>(j);
        const double y = *load_f64(y_true.column(column), 0, 1, buffer);
        const double p = *load_f64(y_pred.column(column), 0, 1, buffer);
        if (plan_.target_moments) output.target.begin(rows_ > 0 ? outputs_[j].target.origin : y);
        if (plan_.error_moments) output.error.begin(rows_ > 0 ? outputs_[j].error.origin : y - p);
    }
    struct part {
        std::vector<output_state> outputs;
        running_sum weight;
    };
    const part empty{result.outputs_, running_sum(plan_.exact)};
    const auto parts = map_blocks(
        y_true.rows, empty,
        [&](part& own, std::int64_t at, std::int64_t count) {
            block_buffers buffers;
            const double* w = load_weight(weight, at, count, buffers.w);
            if (w != nullptr) {
                if (!kernels().finite(w, count))
                    refuse("sample_weight", as_column(weight), "finite", is_infinite_or_nan);
                own.weight.add(w, count);
            }
            for (std::size_t j = 0; j < own.outputs.size(); ++j) {
                const auto column = static_cast<std::int64_t>(j);
                const double* y = load_f64(y_true.column(column), at, count, buffers.x);
                const double* p = load_f64(y_pred.column(column), at, count, buffers.y);
                for (const auto& term : plan_.terms)
                    if (!in_domain(term, y, p, count)) require_domain(term, y_true, y_pred);
                if (add_block(own.outputs[j], y, p, w, count)) continue;
                require_finite("y_true", y_true);
                require_finite("y_pred", y_pred);
                throw argument_error(
                    "y_true and y_pred lie so far apart that their loss is no finite number");
            }
        },
        batch_task_size);
    for (const part& own : parts) {
        for (std::size_t j = 0; j < own.outputs.size(); ++j) {
            for (std::size_t k = 0; k < plan_.terms.size(); ++k)
                result.outputs_[j].sums[k].merge(own.outputs[j].sums[k]);
            result.outputs_[j].target.merge(own.outputs[j].target, own.weight);
            result.outputs_[j].error.merge(own.outputs[j].error, own.weight);
            result.outputs_[j].largest =
                std::max(result.outputs_[j].largest, own.outputs[j].largest);
        }
        result.weight_.merge(own.weight);
    }
    for (const output_state& output : result.outputs_)
        if (!std::isfinite(output.target.second.value()) ||
            !std::isfinite(output.error.second.value()))
            throw argument_error(
                "y_true or y_pred is so large that its square is no finite number");
    return result;
}

void regression_sums::merge(const regression_sums& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(regression_sums(other));
    if (plan_.exact != other.plan_.exact || plan_.terms.size() != other.plan_.terms.size())
        throw argument_error("other keeps other sums than this accumulator");
    if (rows_ == 0) {
        *this = other;
        return;
    }
    if (outputs() != other.outputs())
        throw argument_error("other has " + std::to_string(other.outputs()) +
                             " outputs, but must have " + std::to_string(outputs()));
    for (std::size_t j = 0; j < outputs_.size(); ++j) {
        output_state& mine = outputs_[j];
        const output_state& theirs = other.outputs_[j];
        for (std::size_t k = 0; k < plan_.terms.size(); ++k) mine.sums[k].merge(theirs.sums[k]);
        mine.target.merge(theirs.target, other.weight_);
        mine.error.merge(theirs.error, other.weight_);
        mine.largest = std::max(mine.largest, theirs.largest);
    }
    weight_.merge(other.weight_);
    rows_ += other.rows_;
}

streaming_state regression_sums::state() const {
    streaming_state state;
    state.integers = {rows_, outputs()};
    weight_.write(state);
    for (const output_state& output : outputs_) {
        for (const running_sum& sum : output.sums) sum.write(state);
        state.reals.push_back(output.largest);
        for (const running_moments* moments : {&output.target, &output.error}) {
            state.integers.push_back(moments->begun);
            state.reals.push_back(moments->origin);
            moments->first.write(state);
            moments->second.write(state);
        }
    }
    return state;
}

void regression_sums::load(const streaming_state& state) {
    state_reader reader(state);
    regression_sums loaded(plan_);
    loaded.rows_ = reader.count(0, most_rows);
    // A state holds at least one real an output.
    const auto most = static_cast<std::int64_t>(state.reals.size());
    const std::int64_t outputs = reader.count(0, most);
    loaded.weight_.read(reader);
    loaded.outputs_.assign(static_cast<std::size_t>(outputs), output_state(plan_));
    for (output_state& output : loaded.outputs_) {
        for (running_sum& sum : output.sums) sum.read(reader);
        output.largest = reader.real();
        for (running_moments* moments : {&output.target, &output.error}) {
            moments->begun = reader.count(0, 1) == 1;
            moments->origin = reader.real();
            moments->first.read(reader);
            moments->second.read(reader);
        }
    }
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
