#include "ensemble/convex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "ensemble/convex_quadratic.hpp"
#include "support/error.hpp"

namespace mlestar::ensemble {
namespace {

using vector = std::vector<double>;

constexpr std::int64_t coarser = 4;    // each level has this many times fewer tiles than the next
constexpr std::int64_t few_tiles = 4;  // of the coarsest level at least
constexpr double coarse_gap = 1e-3;    // with which a coarse level is left
constexpr double fast_enough = 0.1;    // fall of the gap in a step that needs no new curvature
constexpr double first_smoothing = 0.1, less_smoothing = 0.1;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double absolute_sum(const vector& w) {
    double sum = 0.0;
    for (const double value : w) sum += std::abs(value);
    return sum;
}

class solver {
public:
    solver(const convex_data& data, const convex_options& options)
        : options_(options),
          loss_(data.loss),
          delta_(data.parameter),
          smoothing_(data.loss == convex_loss::huber ? data.parameter : 0.0),
          rows_(data),
          models_(rows_.models()),
          split_(!options.non_negative && options.l1 > 0.0),
          bounded_(options.non_negative || split_) {
        state_.x.assign(at(split_ ? 2 * models_ : models_), 0.0);
        std::fill_n(state_.x.begin(), models_, 1.0 / static_cast<double>(models_));
    }

    convex_result solve() {
        std::int64_t stride = 1;
        if (loss_ != convex_loss::custom)
            while (rows_.tiles() / (stride * coarser) >= few_tiles) stride *= coarser;
        if (loss_ == convex_loss::pinball) {
            measure(state_, stride);
            smoothing_ = first_smoothing * state_.rows.loss;
            if (smoothing_ == 0.0) smoothing_ = options_.tolerance / 10.0;
        }
        for (; stride > 1; stride /= coarser) descend(stride, coarse_gap);
        convex_result result;
        result.iterations = descend(1, options_.tolerance);
        result.weights = weights_of(state_.x);
        result.objective = state_.objective;
        result.gap = state_.gap;
        result.converged = state_.gap <= limit(options_.tolerance);
        return result;
    }

private:
    struct state {
        vector x;  // the weights; where l1 meets both signs: positive parts, then negative parts
        convex_rows::evaluation rows;
        vector slope;         // of the loss and l2, by the weights
        double smooth = 0.0;  // what the steps minimize
        double objective = 0.0;
        double linear_gap = 0.0;  // of the objective's tangent
        double gap = 0.0;
    };

    vector weights_of(const vector& x) const {
        vector w(x.begin(), x.begin() + models_);
        if (split_)
            for (std::int64_t j = 0; j < models_; ++j) w[at(j)] -= x[at(models_ + j)];
        return w;
    }

    double limit(double tolerance) const {
        return tolerance * std::max(1.0, std::abs(state_.objective));
    }

    void measure(state& s, std::int64_t stride, const vector& move = {}) {
        const vector w = weights_of(s.x);
        s.rows = rows_.evaluate(w, stride, smoothing_, move);
        s.slope = s.rows.gradient;
        double squares = 0.0;
        for (std::size_t j = 0; j < w.size(); ++j) {
            squares += w[j] * w[j];
            s.slope[j] += options_.l2 * w[j];
        }
        const double penalty = options_.l1 * absolute_sum(s.x) + 0.5 * options_.l2 * squares;
        s.smooth = s.rows.smooth + penalty;
        s.objective = s.rows.loss + penalty;
        s.linear_gap = std::max(0.0, tangent_gap(s.slope, w));
        s.gap = s.rows.slack + s.linear_gap;
    }

    // By how much the tangent of the objective at w is above its minimum over the weights allowed:
    // the gap of Frank and Wolfe, which bounds how far a convex objective is from its optimum.
    double tangent_gap(const vector& slope, const vector& w) const {
        double here = 0.0;
        for (std::size_t j = 0; j < w.size(); ++j) here += slope[j] * w[j];
        const double size = absolute_sum(w), l1 = options_.l1;
        here += l1 * size;
        const double reach = 1.0 + 2.0 * size;
        const auto [low, high] = std::minmax_element(slope.begin(), slope.end());
        if (options_.sum_to_one) {
            if (options_.non_negative) return here - (*low + l1);
            const double most =
                l1 * reach + 0.5 * (reach + 1.0) * *low - 0.5 * (reach - 1.0) * *high;
            return here - std::min(l1 + *low, most);
        }
        if (options_.non_negative) return here - std::min(0.0, reach * (*low + l1));
        return here + reach * std::max(0.0, std::max(-*low, *high) - l1);
    }

    // Huber's loss with less and less of a delta, down to its own: far from all targets its own is
    // a plane that says nothing of where they are.
    bool narrow(std::int64_t stride) {
        if (smoothing_ <= delta_ || state_.linear_gap > 0.02 * state_.smooth) return false;
        smoothing_ = std::max(delta_, 0.2 * smoothing_);
        fresh_ = false;
        measure(state_, stride);
        return true;
    }

    // Newton steps until the gap is below the tolerance; the number of steps.
    std::int64_t descend(std::int64_t stride, double tolerance) {
        fresh_ = false;
        measure(state_, stride);
        if (loss_ == convex_loss::huber) {
            // At least the mean of the residuals' sizes, but for those that are large.
            smoothing_ = std::max(delta_, 2.0 * state_.rows.loss / delta_);
            measure(state_, stride);
        }
        if (loss_ == convex_loss::log && bounded_ && !(state_.linear_gap < 1.0))
            return_to_all(stride);
        for (std::int64_t step = 0; step < options_.max_iterations; ++step) {
            if (loss_ == convex_loss::pinball && centred(state_)) {
                if (stride > 1) return step;
                if (state_.gap > limit(tolerance)) {
                    sharpen();
                    continue;
                }
            }
            if (loss_ == convex_loss::huber && smoothing_ > delta_) {
                if (!narrow(stride) && !improve(stride))
                    smoothing_ = std::max(delta_, 0.2 * smoothing_);
                continue;
            }
            if (state_.gap <= limit(tolerance)) return step;
            if (!improve(stride)) return step;
        }
        if (loss_ == convex_loss::huber && smoothing_ > delta_) {
            smoothing_ = delta_;
            measure(state_, stride);
        }
        return options_.max_iterations;
    }

    // Less smoothing, from where the minima of the last two amounts point to: they lie on a line,
    // but for second order, once the rows at the loss's kink are found.
    void sharpen() {
        smoothing_ *= std::max(less_smoothing,
                               std::min(0.5, 0.5 * limit(options_.tolerance) / state_.rows.slack));
        fresh_ = false;
        const vector before = std::exchange(centre_, state_.x);
        measure(state_, 1);
        if (before.empty()) return;
        state further;
        further.x = state_.x;
        for (std::size_t v = 0; v < before.size(); ++v) {
            further.x[v] += less_smoothing * (state_.x[v] - before[v]);
            if (bounded_ && !(further.x[v] > 0.0)) further.x[v] = state_.x[v];
        }
        balance(further.x);
        measure(further, 1);
        if (further.smooth < state_.smooth)
            state_ = std::move(further);
        else
            measure(state_, 1);
    }

    // A sample of the rows can leave out the models without which some other row is hopeless, and
    // the way back from there is long.
    void return_to_all(std::int64_t stride) {
        for (double& x : state_.x) x *= 0.5;
        for (std::int64_t j = 0; j < models_; ++j)
            state_.x[at(j)] += 0.5 / static_cast<double>(models_);
        measure(state_, stride);
    }

    // One step; false where none improves.
    bool improve(std::int64_t stride) {
        const vector move = step_from(state_, stride);
        double descent = 0.0;
        const double common = common_slope(state_);
        for (std::size_t v = 0; v < move.size(); ++v)
            descent += (slope_of(state_, v) - common * sign_of(v)) * move[v];
        if (loss_ == convex_loss::pinball && certified_along(move, stride)) return true;
        if (!(descent < 0.0)) return false;
        constexpr int halvings = 40;
        double share = 1.0;
        for (int half = 0; half < halvings; ++half, share *= 0.5) {
            state trial;
            trial.x = state_.x;
            for (std::size_t v = 0; v < move.size(); ++v) trial.x[v] += share * move[v];
            balance(trial.x);
            measure(trial, stride);
            if (acceptable(trial, share * descent)) {
                fresh_ = loss_ == convex_loss::squared ||
                         (share == 1.0 && trial.linear_gap <= fast_enough * state_.linear_gap);
                state_ = std::move(trial);
                return true;
            }
        }
        measure(state_, stride);  // whose second derivatives the trials have overwritten
        const bool again = fresh_ && loss_ != convex_loss::squared;
        fresh_ = false;
        return again;
    }

    // Near a kink the derivatives that the blend gives are coarse, for it changes by whole
    // roundings; those along the step are not, and prove as much. True where they are enough to go
    // on.
    bool certified_along(const vector& move, std::int64_t stride) {
        const double wanted = limit(options_.tolerance);
        if (stride > 1 || state_.rows.slack > 100.0 * wanted) return false;
        state along;
        along.x = state_.x;
        measure(along, stride, weights_of(move));
        measure(state_, stride);
        if (along.gap > wanted && !centred(along)) return false;
        state_.rows.slack = along.rows.slack;
        state_.linear_gap = along.linear_gap;
        state_.gap = along.gap;
        return true;
    }

    // Whether what is left of the gap is the smoothing's.
    static bool centred(const state& s) { return s.linear_gap <= 0.3 * s.rows.slack; }

    bool acceptable(const state& trial, double descent) const {
        const double rounding = 1e-14 * std::max(1.0, std::abs(state_.smooth));
        if (!(trial.smooth <= state_.smooth + 1e-4 * descent + rounding)) return false;
        if (trial.smooth > state_.smooth - rounding && trial.gap >= state_.gap) return false;
        // Where a row is left to models that all but exclude it, the logarithm's curvature lets
        // later steps no further than twice its value each: such a step is better cut.
        return loss_ != convex_loss::log || trial.linear_gap <= 4.0 * state_.linear_gap + 0.1;
    }

    // Variables whose weights sum to one do so but for rounding.
    void balance(vector& x) const {
        if (!options_.sum_to_one || !options_.non_negative) return;
        double sum = 0.0;
        for (const double value : x) sum += value;
        for (double& value : x) value /= sum;
    }

    double sign_of(std::size_t variable) const { return variable < at(models_) ? 1.0 : -1.0; }

    double slope_of(const state& s, std::size_t variable) const {
        const double sign = sign_of(variable);
        const double slope = sign * s.slope[variable - (sign < 0.0 ? at(models_) : 0)];
        return bounded_ ? slope + options_.l1 : slope;
    }

    // The multiplier of the sum: what the slopes of the models in use have in common.
    double common_slope(const state& s) const {
        if (!options_.sum_to_one) return 0.0;
        double sum = 0.0, size = 0.0;
        for (std::size_t v = 0; v < s.x.size(); ++v) {
            sum += s.x[v] * sign_of(v) * slope_of(s, v);
            size += s.x[v];
        }
        return sum / size;
    }

    // The move of the variables to the minimum of the quadratic model, among those in use and those
    // whose slope says that they should be.
    vector step_from(const state& s, std::int64_t stride) {
        std::vector<std::size_t> chosen;
        const double common = common_slope(s);
        for (std::size_t v = 0; v < s.x.size(); ++v)
            if (!bounded_ || s.x[v] != 0.0 || slope_of(s, v) < common * sign_of(v))
                chosen.push_back(v);
        std::vector<std::int64_t> models;  // ascending
        std::vector<char> wanted(at(models_));
        for (const std::size_t v : chosen) wanted[v % at(models_)] = 1;
        std::vector<std::size_t> row(at(models_));
        for (std::int64_t j = 0; j < models_; ++j) {
            row[at(j)] = models.size();
            if (wanted[at(j)] != 0) models.push_back(j);
        }
        std::vector<std::size_t> place(chosen.size());
        for (std::size_t a = 0; a < chosen.size(); ++a) place[a] = row[chosen[a] % at(models_)];
        const vector of_models = curvature(models, stride);
        const std::size_t size = chosen.size();
        vector hessian(size * size), slope(size), lower(size), balance;
        for (std::size_t a = 0; a < size; ++a) {
            const double sign = sign_of(chosen[a]);
            for (std::size_t b = 0; b < size; ++b) {
                const double both = sign * sign_of(chosen[b]);
                hessian[a * size + b] = both * (of_models[place[a] * models.size() + place[b]] +
                                                (place[a] == place[b] ? options_.l2 : 0.0));
            }
            // Less what they have in common, which no allowed move meets but rounding would.
            slope[a] = slope_of(s, chosen[a]) - common * sign;
            lower[a] = bounded_ ? -s.x[chosen[a]] : -std::numeric_limits<double>::infinity();
            if (options_.sum_to_one) balance.push_back(sign);
        }
        const vector best = minimize_quadratic(hessian, slope, lower, balance);
        vector move(s.x.size(), 0.0);
        for (std::size_t a = 0; a < size; ++a) move[chosen[a]] = best[a];
        return move;
    }

    // Of the models' weights; that of an earlier step where steps with it get on fast enough.
    vector curvature(const std::vector<std::int64_t>& models, std::int64_t stride) {
        const auto held = [&](std::int64_t model) {
            return std::binary_search(kept_models_.begin(), kept_models_.end(), model);
        };
        if (!fresh_ || !std::all_of(models.begin(), models.end(), held)) {
            kept_ = rows_.hessian(models, stride);
            kept_models_ = models;
            fresh_ = true;
            return kept_;
        }
        const std::size_t size = models.size(), wide = kept_models_.size();
        std::vector<std::size_t> place(size);
        for (std::size_t a = 0; a < size; ++a)
            place[a] = static_cast<std::size_t>(
                std::lower_bound(kept_models_.begin(), kept_models_.end(), models[a]) -
                kept_models_.begin());
        vector part(size * size);
        for (std::size_t a = 0; a < size; ++a)
            for (std::size_t b = 0; b < size; ++b)
                part[a * size + b] = kept_[place[a] * wide + place[b]];
        return part;
    }

    convex_options options_;
    convex_loss loss_;
    double delta_;      // Huber's
    double smoothing_;  // of the pinball's kink; the delta in use of Huber's loss
    convex_rows rows_;
    std::int64_t models_;
    bool split_;
    bool bounded_;
    state state_;
    vector centre_;  // the last minimum with more smoothing
    vector kept_;    // the last second derivatives, of these models in ascending order
    std::vector<std::int64_t> kept_models_;
    bool fresh_ = false;  // whether they serve another step
};

void check(const convex_data& data, const convex_options& options) {
    const auto require = [](bool fine, const std::string& name, double value, const char* must) {
        if (!fine)
            throw argument_error(name + " is " + std::to_string(value) + ", but must be " + must);
    };
    const auto penalty = [](double value) { return value >= 0.0 && std::isfinite(value); };
    require(penalty(options.l1), "l1", options.l1, "finite and at least 0");
    require(penalty(options.l2), "l2", options.l2, "finite and at least 0");
    require(options.tolerance > 0.0, "tol", options.tolerance, "above 0");
    require(options.max_iterations >= 1, "max_iter", static_cast<double>(options.max_iterations),
            "at least 1");
    if (data.loss == convex_loss::huber)
        require(data.parameter > 0.0 && std::isfinite(data.parameter), "delta", data.parameter,
                "above 0 and finite");
    if (data.loss == convex_loss::pinball)
        require(data.parameter > 0.0 && data.parameter < 1.0, "quantile", data.parameter,
                "between 0 and 1");
    if (data.loss == convex_loss::log && data.layout != convex_layout::column &&
        !options.sum_to_one)
        throw argument_error(
            "sum_to_one is False, but the log loss of several classes has no minimum without it");
}

}  // namespace

convex_result minimize_convex(const convex_data& data, const convex_options& options) {
    check(data, options);
    return solver(data, options).solve();
}

}  // namespace mlestar::ensemble
