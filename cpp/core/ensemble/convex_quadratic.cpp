#include "ensemble/convex_quadratic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlestar::ensemble {
namespace {

using vector = std::vector<double>;

// A ridge, relative to each diagonal element: identical models make the hessian singular in a
// direction in which nothing changes.
constexpr double ridge = 1e-12;

class program {
public:
    program(const vector& hessian, const vector& gradient, const vector& lower,
            const vector& balance)
        : hessian_(hessian),
          gradient_(gradient),
          lower_(lower),
          balance_(balance),
          size_(gradient.size()),
          move_(size_, 0.0),
          held_(size_, 0) {
        for (const double g : gradient_) scale_ = std::max(scale_, std::abs(g));
    }

    vector solve() {
        if (!guess()) walk();
        return move_;
    }

private:
    // Gradient of the program at `move`, less the multiplier of the balance.
    vector slopes(const vector& move) const {
        vector slope = gradient_;
        for (std::size_t j = 0; j < size_; ++j) {
            if (move[j] == 0.0) continue;
            const double* row = hessian_.data() + j * size_;
            for (std::size_t i = 0; i < size_; ++i) slope[i] += row[i] * move[j];
        }
        if (!balance_.empty())
            for (std::size_t i = 0; i < size_; ++i) slope[i] -= multiplier_ * balance_[i];
        return slope;
    }

    // The best move with the held variables at their bounds, or at `fixed`. False without a
    // solution.
    bool solve_free(const vector& fixed, vector& move) {
        move = fixed;
        free_.clear();
        for (std::size_t j = 0; j < size_; ++j)
            if (held_[j] == 0) free_.push_back(j);
        const std::size_t count = free_.size();
        if (count == 0) return false;
        if (!factorize()) return false;
        double kept = 0.0;  // of the balance, by the variables that are held
        vector right(count), sided(count);
        for (std::size_t a = 0; a < count; ++a) {
            right[a] = -gradient_[free_[a]];
            const double* row = hessian_.data() + free_[a] * size_;
            for (std::size_t j = 0; j < size_; ++j)
                if (held_[j] != 0) right[a] -= row[j] * fixed[j];
        }
        substitute(right);
        multiplier_ = 0.0;
        if (!balance_.empty()) {
            for (std::size_t j = 0; j < size_; ++j)
                if (held_[j] != 0) kept += balance_[j] * fixed[j];
            for (std::size_t a = 0; a < count; ++a) sided[a] = balance_[free_[a]];
            substitute(sided);
            double have = kept, gained = 0.0;
            for (std::size_t a = 0; a < count; ++a) {
                have += balance_[free_[a]] * right[a];
                gained += balance_[free_[a]] * sided[a];
            }
            if (!(gained > 0.0)) return false;
            multiplier_ = -have / gained;
            for (std::size_t a = 0; a < count; ++a) right[a] += multiplier_ * sided[a];
        }
        for (std::size_t a = 0; a < count; ++a) {
            if (!std::isfinite(right[a])) return false;
            move[free_[a]] = right[a];
        }
        return true;
    }

    // Cholesky's factor of the free variables' hessian, lower triangle by rows.
    bool factorize() {
        const std::size_t count = free_.size();
        factor_.resize(count * count);
        for (std::size_t a = 0; a < count; ++a) {
            double* row = factor_.data() + a * count;
            const double* source = hessian_.data() + free_[a] * size_;
            for (std::size_t b = 0; b <= a; ++b) {
                const double* other = factor_.data() + b * count;
                double sum = source[free_[b]];
                if (a == b) sum += ridge * std::abs(sum) + std::numeric_limits<double>::min();
                for (std::size_t k = 0; k < b; ++k) sum -= row[k] * other[k];
                if (a != b) {
                    row[b] = sum / other[b];
                } else {
                    if (!(sum > 0.0)) return false;
                    row[a] = std::sqrt(sum);
                }
            }
        }
        return true;
    }

    void substitute(vector& x) const {
        const std::size_t count = free_.size();
        for (std::size_t a = 0; a < count; ++a) {
            const double* row = factor_.data() + a * count;
            for (std::size_t k = 0; k < a; ++k) x[a] -= row[k] * x[k];
            x[a] /= row[a];
        }
        for (std::size_t a = count; a-- > 0;) {
            x[a] /= factor_[a * count + a];
            for (std::size_t k = 0; k < a; ++k) x[k] -= factor_[a * count + k] * x[a];
        }
    }

    // Primal-dual active sets (Hintermueller, Ito & Kunisch, SIAM J. Optim. 2002): all variables
    // change sides at once. A few solutions where it ends, which it nearly always does.
    bool guess() {
        constexpr int rounds = 25;
        for (std::size_t j = 0; j < size_; ++j) held_[j] = lower_[j] == 0.0 && pulls_down(j);
        vector fixed(size_, 0.0), move;
        for (int round = 0; round < rounds; ++round) {
            for (std::size_t j = 0; j < size_; ++j) fixed[j] = held_[j] != 0 ? lower_[j] : 0.0;
            if (!solve_free(fixed, move)) return false;
            const vector slope = slopes(move);
            bool changed = false;
            for (std::size_t j = 0; j < size_; ++j) {
                const bool wrong = held_[j] != 0 ? slope[j] < -1e-13 * scale_ : move[j] < lower_[j];
                if (wrong) held_[j] = held_[j] == 0;
                changed |= wrong;
            }
            if (!changed) {
                move_ = move;
                return true;
            }
        }
        return false;
    }

    // At its bound with a gradient above the mean of those that are not: likely to stay.
    bool pulls_down(std::size_t j) const {
        if (balance_.empty()) return gradient_[j] > 0.0;
        double sum = 0.0, count = 0.0;
        for (std::size_t i = 0; i < size_; ++i) {
            if (lower_[i] == 0.0) continue;
            sum += gradient_[i] / balance_[i];
            count += 1.0;
        }
        return count > 0.0 && gradient_[j] > sum / count * balance_[j];
    }

    // The primal active-set method (Nocedal & Wright, 16.5): feasible and descending throughout.
    void walk() {
        for (std::size_t j = 0; j < size_; ++j) held_[j] = lower_[j] == 0.0;
        if (std::all_of(held_.begin(), held_.end(), [](char h) { return h != 0; })) held_[0] = 0;
        move_.assign(size_, 0.0);
        vector target;
        const std::size_t limit = 10 * size_ + 50;
        for (std::size_t step = 0; step < limit; ++step) {
            if (!solve_free(move_, target)) return;
            double share = 1.0;
            std::size_t blocking = size_;
            for (const std::size_t j : free_) {
                if (target[j] >= lower_[j]) continue;
                const double ratio = (lower_[j] - move_[j]) / (target[j] - move_[j]);
                if (ratio < share) {
                    share = ratio;
                    blocking = j;
                }
            }
            for (const std::size_t j : free_) move_[j] += share * (target[j] - move_[j]);
            if (blocking < size_) {
                held_[blocking] = 1;
                move_[blocking] = lower_[blocking];
                continue;
            }
            const vector slope = slopes(move_);
            std::size_t worst = size_;
            double least = -1e-13 * scale_;
            for (std::size_t j = 0; j < size_; ++j) {
                if (held_[j] == 0 || slope[j] >= least) continue;
                least = slope[j];
                worst = j;
            }
            if (worst == size_) return;
            held_[worst] = 0;
        }
    }

    const vector& hessian_;
    const vector& gradient_;
    const vector& lower_;
    const vector& balance_;
    std::size_t size_;
    vector move_;
    std::vector<char> held_;
    std::vector<std::size_t> free_;
    vector factor_;
    double multiplier_ = 0.0;
    double scale_ = 0.0;
};

}  // namespace

std::vector<double> minimize_quadratic(const std::vector<double>& hessian,
                                       const std::vector<double>& gradient,
                                       const std::vector<double>& lower,
                                       const std::vector<double>& balance) {
    return program(hessian, gradient, lower, balance).solve();
}

}  // namespace mlestar::ensemble
