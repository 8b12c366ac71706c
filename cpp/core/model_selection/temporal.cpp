#include "model_selection/temporal.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_map>

#include "model_selection/temporal.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"
#include "support/scratch.hpp"

namespace mlestar::model_selection {

MLESTAR_SELECT_KERNELS(temporal_kernels)

namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

double time_of(std::int64_t key) {
    const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(key >> 63) >> 1);
    return __builtin_bit_cast(double, key ^ low);
}

__extension__ typedef __int128 wide;  // NOLINT: -Wpedantic knows no other spelling

std::int64_t saturated(wide value) {
    constexpr wide low = std::numeric_limits<std::int64_t>::min();
    constexpr wide high = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(value, low, high));
}

// body(first, count) over the tasks of `rows`.
template <class Body>
void by_tasks(std::int64_t rows, Body body) {
    parallel_for(
        task_count(rows),
        [&](std::int64_t task) {
            body(task * task_size, std::min(task_size, rows - task * task_size));
        },
        rows < serial_below);
}

std::vector<std::int64_t> keys_of(const vector_view& times, const char* name) {
    std::vector<std::int64_t> keys(at(times.size));
    std::vector<char> fine(at(task_count(times.size)), 1);
    const bool floating = is_floating(times.type);
    by_tasks(times.size, [&](std::int64_t first, std::int64_t count) {
        bool exact = true;
        std::int64_t whole[block_size];
        double real[block_size];
        for (std::int64_t i = first; i < first + count; i += block_size) {
            const std::int64_t size = std::min(block_size, first + count - i);
            if (floating) {
                kernels().order_keys(load_f64(times, i, size, real), size, keys.data() + i, exact);
            } else {
                const std::int64_t* const loaded = load_i64(times, i, size, whole, exact);
                std::copy_n(loaded, size, keys.data() + i);
            }
        }
        fine[at(first / task_size)] = exact ? 1 : 0;
    });
    if (std::find(fine.begin(), fine.end(), 0) != fine.end())
        throw argument_error(std::string(name) +
                             (floating ? " holds NaN or infinity, but times must be finite"
                                       : " holds a time beyond a signed integer of 64 bits"));
    return keys;
}

}  // namespace

marked_rows::marked_rows(std::vector<std::uint8_t>&& roles, std::int64_t base)
    : roles_(std::move(roles)),
      first_(base),
      train_(at(task_count(static_cast<std::int64_t>(roles_.size())) + 1), 0),
      test_(train_) {
    by_tasks(static_cast<std::int64_t>(roles_.size()), [&](std::int64_t first, std::int64_t count) {
        const std::size_t place = at(first / task_size) + 1;
        train_[place] = kernels().count_role(roles_.data() + first, count, role_train);
        test_[place] = kernels().count_role(roles_.data() + first, count, role_test);
    });
    std::partial_sum(train_.begin(), train_.end(), train_.begin());
    std::partial_sum(test_.begin(), test_.end(), test_.begin());
}

void marked_rows::write(std::int64_t* train, std::int64_t* test) const {
    const auto write_role = [&](std::uint8_t role, const std::vector<std::int64_t>& places,
                                std::int64_t* target, std::int64_t first, std::int64_t count) {
        const std::size_t task = at(first / task_size);
        kernels().select_role(roles_.data() + first, first_ + first, count, role,
                              target + places[task], target + places[task + 1]);
    };
    by_tasks(static_cast<std::int64_t>(roles_.size()), [&](std::int64_t first, std::int64_t count) {
        write_role(role_train, train_, train, first, count);
        write_role(role_test, test_, test, first, count);
    });
}

timeline::timeline(std::int64_t rows) : starts_(at(rows)) {
    std::iota(starts_.begin(), starts_.end(), std::int64_t{0});
}

timeline::timeline(const vector_view& t0, const vector_view& t1)
    : floating_(is_floating(t0.type)), starts_(keys_of(t0, "t0")) {
    if (t1) {
        if (t1.size != t0.size)
            throw argument_error("t1 has " + std::to_string(t1.size) + " values, but t0 has " +
                                 std::to_string(t0.size));
        if (is_floating(t1.type) != floating_)
            throw argument_error("t0 and t1 must both be integers or both floats");
        ends_ = keys_of(t1, "t1");
        const auto early = std::mismatch(starts_.begin(), starts_.end(), ends_.begin(),
                                         [](std::int64_t a, std::int64_t b) { return a <= b; });
        if (early.first != starts_.end())
            throw argument_error("t1 must not be before t0, but is in row " +
                                 std::to_string(early.first - starts_.begin()));
    }
    if (std::is_sorted(starts_.begin(), starts_.end())) return;
    scratch_array<timed_row> items(starts_.size());
    scratch_array<timed_row> sorted(starts_.size());
    for (std::int64_t row = 0; row < rows(); ++row)
        items[at(row)] = {static_cast<std::uint64_t>(starts_[at(row)]) ^ sign64, row};
    kernels().sort(items.data(), rows(), sorted.data());
    order_.resize(starts_.size());
    const std::vector<std::int64_t> ends = std::move(ends_);
    ends_.resize(ends.size());
    by_tasks(rows(), [&](std::int64_t first, std::int64_t count) {
        for (std::int64_t i = first; i < first + count; ++i) {
            order_[at(i)] = sorted[at(i)].row;
            starts_[at(i)] = static_cast<std::int64_t>(sorted[at(i)].key ^ sign64);
            if (!ends.empty()) ends_[at(i)] = ends[at(sorted[at(i)].row)];
        }
    });
}

std::int64_t timeline::position_of(std::int64_t time) const {
    return std::lower_bound(starts_.begin(), starts_.end(), time) - starts_.begin();
}

std::int64_t timeline::position_after(std::int64_t time) const {
    return std::upper_bound(starts_.begin(), starts_.end(), time) - starts_.begin();
}

std::int64_t timeline::moved(std::int64_t time, const duration& by, std::int64_t times) const {
    if (!floating_) return saturated(wide{time} + wide{by.whole} * times);
    return signed_order(time_of(time) + by.real * static_cast<double>(times));
}

duration timeline::between(std::int64_t from, std::int64_t to) const {
    if (!floating_) return {saturated(wide{to} - wide{from}), 0.0};
    return {0, time_of(to) - time_of(from)};
}

marked_rows timeline::by_row(std::vector<std::uint8_t>&& roles, std::int64_t first) const {
    if (order_.empty()) return marked_rows(std::move(roles), first);
    const std::int64_t* const order = order_.data() + first;
    const auto size = static_cast<std::int64_t>(roles.size());
    const auto [low, high] = std::minmax_element(order, order + size);
    std::vector<std::uint8_t> result(at(*high - *low + 1), role_none);
    const std::int64_t base = *low;
    by_tasks(size, [&](std::int64_t begin, std::int64_t count) {
        for (std::int64_t i = begin; i < begin + count; ++i)
            result[at(order[i] - base)] = roles[at(i)];
    });
    return marked_rows(std::move(result), base);
}

marked_rows timeline::mark(const std::vector<piece>& pieces, std::int64_t first,
                           std::int64_t last) const {
    std::vector<std::uint8_t> roles(at(last - first), role_none);
    by_tasks(last - first, [&](std::int64_t task_first, std::int64_t count) {
        const std::int64_t from = first + task_first;
        for (const piece& part : pieces) {
            const std::int64_t begin = std::max(part.first, from);
            const std::int64_t end = std::min(part.last, from + count);
            if (begin >= end) continue;
            std::uint8_t* const target = roles.data() + (begin - first);
            if (part.limit)
                kernels().mark_before(ends().data() + begin, end - begin, *part.limit, target);
            else
                std::fill_n(target, end - begin, part.role);
        }
    });
    return by_row(std::move(roles), first);
}

purged_folds::purged_folds(std::shared_ptr<const timeline> times, std::int64_t count,
                           const embargo& after)
    : times_(std::move(times)) {
    const auto& starts = times_->starts();
    const auto& ends = times_->ends();
    bounds_.push_back(0);
    for (std::int64_t f = 0; f < count; ++f) {
        const std::int64_t first = bounds_.back();
        const std::int64_t last = first + rows() / count + (f < rows() % count ? 1 : 0);
        bounds_.push_back(last);
        begins_.push_back(starts[at(first)]);
        const std::int64_t end = *std::max_element(ends.begin() + first, ends.begin() + last);
        const std::int64_t clear = after.time
                                       ? times_->position_after(times_->moved(end, *after.time))
                                       : times_->position_after(end);
        reach_.push_back(clear + std::min(after.rows, rows() - clear));
    }
}

marked_rows purged_folds::split(const std::vector<std::int64_t>& test_folds) const {
    // Positions before a fold's reach are trained on where their label ends before the fold begins.
    // Between two reaches the folds that still matter stay the same, and the earliest decides.
    std::vector<std::int64_t> cuts{0, rows()};
    for (std::int64_t f : test_folds) {
        cuts.push_back(reach_[at(f)]);
    }
    std::sort(cuts.begin(), cuts.end());
    std::vector<piece> pieces;
    for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
        if (cuts[c] == cuts[c + 1]) continue;
        piece part{cuts[c], cuts[c + 1], role_train, std::nullopt};
        for (std::int64_t f : test_folds)
            if (reach_[at(f)] > cuts[c])
                part.limit = part.limit ? std::min(*part.limit, begins_[at(f)]) : begins_[at(f)];
        pieces.push_back(part);
    }
    for (std::int64_t f : test_folds)  // later pieces win
        pieces.push_back({bounds_[at(f)], bounds_[at(f) + 1], role_test, std::nullopt});
    return times_->mark(pieces, 0, rows());
}

void purged_folds::fold_of_row(std::int64_t* target) const {
    for (std::int64_t f = 0; f < count(); ++f)
        for (std::int64_t i = bounds_[at(f)]; i < bounds_[at(f) + 1]; ++i)
            target[times_->row_at(i)] = f;
}

marked_rows split_window(const timeline& times, const window& spot) {
    const std::int64_t limit = times.starts()[at(spot.test_first)];
    return times.mark({{spot.train_first, spot.train_last, role_train, limit},
                       {spot.test_first, spot.test_last, role_test, std::nullopt}},
                      spot.train_first, spot.test_last);
}

group_series::group_series(std::shared_ptr<const timeline> times, const vector_view& groups)
    : times_(std::move(times)), ranks_(at(times_->rows())) {
    if (groups.size != rows())
        throw argument_error("groups has " + std::to_string(groups.size) +
                             " values, but must have " + std::to_string(rows()));
    std::vector<std::int64_t> codes(at(rows()));
    bool exact = true;
    std::int64_t buffer[block_size];
    for (std::int64_t i = 0; i < rows(); i += block_size) {
        const std::int64_t count = std::min(block_size, rows() - i);
        std::copy_n(load_i64(groups, i, count, buffer, exact), count, codes.data() + i);
    }
    if (!exact || rows() > std::numeric_limits<std::int32_t>::max())
        throw argument_error("groups must be integers, one for each of fewer than 2**31 rows");
    const auto [low, high] = std::minmax_element(codes.begin(), codes.end());
    const auto range = static_cast<std::uint64_t>(*high) - static_cast<std::uint64_t>(*low);
    const auto rank_rows = [&](auto rank_of) {
        for (std::int64_t position = 0; position < rows(); ++position) {
            std::int32_t& rank = rank_of(codes[at(times_->row_at(position))]);
            if (rank < 0) {
                rank = static_cast<std::int32_t>(begins_.size());
                begins_.push_back(times_->starts()[at(position)]);
            }
            ranks_[at(position)] = rank;
        }
    };
    if (range < static_cast<std::uint64_t>(rows()) * 4) {
        std::vector<std::int32_t> table(range + 1, -1);
        const std::int64_t first = *low;
        rank_rows([&](std::int64_t code) -> std::int32_t& { return table[at(code - first)]; });
    } else {
        std::unordered_map<std::int64_t, std::int32_t> table;
        rank_rows([&](std::int64_t code) -> std::int32_t& {
            return table.try_emplace(code, -1).first->second;
        });
    }
}

marked_rows group_series::split(const window& ranks) const {
    const rank_ranges ranges{
        static_cast<std::int32_t>(ranks.train_first), static_cast<std::int32_t>(ranks.train_last),
        static_cast<std::int32_t>(ranks.test_first), static_cast<std::int32_t>(ranks.test_last)};
    const std::int64_t limit = begins_[at(ranks.test_first)];
    std::vector<std::uint8_t> roles(at(rows()));
    by_tasks(rows(), [&](std::int64_t first, std::int64_t count) {
        kernels().mark_ranks(ranks_.data() + first, times_->ends().data() + first, count, ranges,
                             limit, roles.data() + first);
    });
    return times_->by_row(std::move(roles));
}

}  // namespace mlestar::model_selection
