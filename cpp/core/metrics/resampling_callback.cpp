#include "metrics/resampling_callback.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <string>

#include "metrics/resampling_callback.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(resampling_callback_kernels)

namespace {

constexpr std::int64_t at_a_time = 2048;
constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

void check_units(const callback_rows& data, std::int64_t units) {
    if (data.unit == nullptr && units != data.rows)
        throw argument_error("sizes amount to " + std::to_string(units) + " units, but there are " +
                             std::to_string(data.rows) + " rows");
    for (std::int64_t i = 0; data.unit != nullptr && i < data.rows; ++i)
        if (data.unit[i] < 0 || data.unit[i] >= units)
            throw argument_error("unit holds " + std::to_string(data.unit[i]) +
                                 ", but must lie in [0, " + std::to_string(units) + ")");
}

// Arrays of a task's own, which grow with the largest resample (groups differ in size).
class buffers {
public:
    explicit buffers(std::size_t arrays) : arrays_(arrays) {}

    void reserve(std::int64_t size) {
        if (size <= capacity_) return;
        capacity_ = size + (capacity_ > 0 ? size / 4 : 0);
        memory_.reset();
        memory_.emplace(arrays_ * static_cast<std::size_t>(capacity_));
    }

    double* array(std::size_t i) {
        return memory_->data() + i * static_cast<std::size_t>(capacity_);
    }

private:
    std::size_t arrays_;
    std::int64_t capacity_ = 0;
    std::optional<scratch_array<double>> memory_;
};

// One answer of one resample: false where the metric failed.
bool call(metric_callback metric, const double* y_true, const double* y_pred, const double* weight,
          std::int64_t rows, double& value) {
    std::int32_t status = 0;
    value = metric(y_true, y_pred, weight, rows, &status);
    return status == 0;
}

// function(resample, state, values) for every resample, several to a task, which share its state;
// returns the answer that failed, or -1. Tasks behind a failure are left out: those before it all
// run, so the first failure is the same however many threads there are.
template <class MakeState, class Function>
callback_values over_resamples(std::int64_t resamples, std::size_t answers, std::int64_t rows,
                               MakeState make_state, Function function) {
    constexpr std::int64_t at_once = 8;
    const auto width = static_cast<std::int64_t>(answers);
    callback_values result;
    result.values.assign(static_cast<std::size_t>(resamples) * answers,
                         std::numeric_limits<double>::quiet_NaN());
    std::atomic<std::int64_t> failed{none};  // resample * width + answer
    parallel_for((resamples + at_once - 1) / at_once,
                 [&](std::int64_t task) {
                     if (task * at_once * width > failed.load()) return;
                     auto state = make_state();
                     const std::int64_t last = std::min(resamples, (task + 1) * at_once);
                     for (std::int64_t r = task * at_once; r < last; ++r) {
                         const std::int64_t answer =
                             function(r, state, result.values.data() + r * width);
                         if (answer < 0) continue;
                         const std::int64_t mine = r * width + answer;
                         std::int64_t first = failed.load();
                         while (mine < first && !failed.compare_exchange_weak(first, mine)) {
                         }
                         return;
                     }
                 },
                 rows * width * resamples < 20'000);
    if (failed.load() != none) {
        result.failed_resample = failed.load() / width;
        result.failed_answer = failed.load() % width;
    }
    return result;
}

struct drawn_rows {
    scratch_array<std::uint8_t> counts;
    buffers taken;
    std::optional<scratch_array<std::int32_t>> chosen;

    drawn_rows(std::int64_t units, const callback_rows& data)
        : counts(static_cast<std::size_t>(units)),
          taken(data.answers.size() + (data.weight == nullptr ? 1 : 2)) {
        std::fill_n(counts.data(), units, std::uint8_t{1});
    }
};

// The metric of each answer on the rows that `state.counts` says.
std::int64_t on_drawn(metric_callback metric, const callback_rows& data, drawn_rows& state,
                      double* values) {
    const auto& kernel = kernels();
    const std::uint8_t* const counts = state.counts.data();
    std::int64_t size = 0;
    if (data.unit == nullptr)
        for (std::int64_t i = 0; i < data.rows; ++i) size += counts[i];
    else
        for (std::int64_t i = 0; i < data.rows; ++i) size += counts[data.unit[i]];
    if (size == 0) return -1;
    if (size >= (std::int64_t{1} << 31))
        throw argument_error("a resample of whole groups has " + std::to_string(size) +
                             " rows, but at most 2^31 - 1 can be drawn");
    const auto room = static_cast<std::size_t>(size) + 3;
    if (!state.chosen || state.chosen->size() < room) {
        state.chosen.reset();
        state.chosen.emplace(room);
    }
    std::int32_t* const chosen = state.chosen->data();
    state.taken.reserve(size);
    const std::size_t answers = data.answers.size();
    double* const truth = state.taken.array(answers);
    double* const weight = data.weight == nullptr ? nullptr : state.taken.array(answers + 1);
    // Some rows at a time, so that their numbers stay in the cache for every array.
    std::int64_t at = 0;
    for (std::int64_t first = 0; first < data.rows; first += at_a_time) {
        const std::int64_t last = std::min(data.rows, first + at_a_time);
        const std::int64_t some = kernel.expand(counts, data.unit, first, last, chosen);
        kernel.take(data.y_true, chosen, some, truth + at);
        if (weight != nullptr) kernel.take(data.weight, chosen, some, weight + at);
        for (std::size_t m = 0; m < answers; ++m)
            kernel.take(data.answers[m], chosen, some, state.taken.array(m) + at);
        at += some;
    }
    for (std::size_t m = 0; m < answers; ++m)
        if (!call(metric, truth, state.taken.array(m), weight, size, values[m]))
            return static_cast<std::int64_t>(m);
    return -1;
}

}  // namespace

callback_values resample_callback(metric_callback metric, const callback_rows& data,
                                  const resample_plan& plan, std::int64_t resamples) {
    if (plan.entries() != plan.units()) throw argument_error("kind must be 'bootstrap'");
    check_units(data, plan.units());
    return over_resamples(
        resamples, data.answers.size(), data.rows, [&] { return drawn_rows(plan.units(), data); },
        [&](std::int64_t r, drawn_rows& state, double* values) {
            plan.draw(r, state.counts.data());
            return on_drawn(metric, data, state, values);
        });
}

callback_values leave_out_callback(metric_callback metric, const callback_rows& data,
                                   std::int64_t units) {
    check_units(data, units);
    return over_resamples(
        units, data.answers.size(), data.rows, [&] { return drawn_rows(units, data); },
        [&](std::int64_t u, drawn_rows& state, double* values) {
            std::uint8_t& count = state.counts[static_cast<std::size_t>(u)];
            count = 0;
            const std::int64_t failed = on_drawn(metric, data, state, values);
            count = 1;
            return failed;
        });
}

callback_values swap_callback(metric_callback metric, const callback_rows& data,
                              const resample_plan& plan, std::int64_t resamples) {
    if (plan.entries() == plan.units()) throw argument_error("kind must be 'swap'");
    if (data.answers.size() != 2)
        throw argument_error("answers are " + std::to_string(data.answers.size()) +
                             ", but must be 2");
    check_units(data, plan.units());
    struct traded_rows {
        scratch_array<std::uint8_t> coins;
        scratch_array<double> first, second;
    };
    const auto room = static_cast<std::size_t>(data.rows);
    return over_resamples(
        resamples, 2, data.rows,
        [&] {
            return traded_rows{
                scratch_array<std::uint8_t>(static_cast<std::size_t>(plan.entries())),
                scratch_array<double>(room), scratch_array<double>(room)};
        },
        [&](std::int64_t r, traded_rows& state, double* values) -> std::int64_t {
            plan.draw(r, state.coins.data());
            double* const first = state.first.data();
            double* const second = state.second.data();
            kernels().trade(state.coins.data(), data.unit, data.answers[0], data.answers[1],
                            data.rows, first, second);
            if (!call(metric, data.y_true, first, data.weight, data.rows, values[0])) return 0;
            if (!call(metric, data.y_true, second, data.weight, data.rows, values[1])) return 1;
            return -1;
        });
}

}  // namespace mlestar::metrics
