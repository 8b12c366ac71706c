#include "metrics/labels.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include "metrics/labels.kernels.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(label_kernels)

namespace {

constexpr label_range nothing = {std::numeric_limits<std::int64_t>::max(),
                                 std::numeric_limits<std::int64_t>::min()};

// Calls function(labels, count) for each block of a task; false when an element is not an integer.
template <class Function>
bool for_blocks(const vector_view& array, std::int64_t first, std::int64_t last,
                Function function) {
    std::int64_t buffer[block_size];
    bool exact = true;
    for (std::int64_t at = first; at < last; at += block_size) {
        const std::int64_t count = std::min(block_size, last - at);
        const std::int64_t* labels = load_i64(array, at, count, buffer, exact);
        if (!exact) return false;
        function(labels, count);
    }
    return true;
}

std::uint64_t hash_of(std::int64_t label) {
    auto x = static_cast<std::uint64_t>(label) * 0x9E3779B97F4A7C15;
    return x ^ (x >> 32);
}

}  // namespace

std::optional<label_range> range_of(std::initializer_list<vector_view> arrays) {
    label_range whole = nothing;
    for (const vector_view& array : arrays) {
        if (array.size == 0) return std::nullopt;
        const std::int64_t tasks = task_count(array.size);
        std::vector<label_range> parts(static_cast<std::size_t>(tasks), nothing);
        std::vector<char> integral(static_cast<std::size_t>(tasks), 1);
        parallel_for(
            tasks,
            [&](std::int64_t task) {
                label_range& part = parts[static_cast<std::size_t>(task)];
                const std::int64_t last = std::min(array.size, (task + 1) * task_size);
                const bool ok =
                    for_blocks(array, task * task_size, last,
                               [&](const std::int64_t* labels, std::int64_t count) {
                                   kernels().range(labels, count, &part.minimum, &part.maximum);
                               });
                integral[static_cast<std::size_t>(task)] = ok;
            },
            array.size < serial_below);
        if (std::find(integral.begin(), integral.end(), 0) != integral.end()) return std::nullopt;
        for (const label_range& part : parts) {
            whole.minimum = std::min(whole.minimum, part.minimum);
            whole.maximum = std::max(whole.maximum, part.maximum);
        }
    }
    return whole;
}

std::optional<label_set> label_set::of(std::initializer_list<vector_view> arrays) {
    const auto range = range_of(arrays);
    if (!range) return std::nullopt;
    std::int64_t elements = 0;
    for (const vector_view& array : arrays) elements += array.size;
    label_set found;
    found.range_ = *range;
    // A table costs memory by the range, a hash by the elements; up to 4 Ki entries are next to
    // nothing.
    const std::uint64_t width =
        static_cast<std::uint64_t>(range->maximum) - static_cast<std::uint64_t>(range->minimum);
    const std::uint64_t affordable =
        std::min<std::uint64_t>(std::uint64_t{1} << 20, static_cast<std::uint64_t>(elements));
    if (width < std::max<std::uint64_t>(4096, affordable))
        found.find_dense(arrays);
    else
        found.find_hashed(arrays);
    return found;
}

void label_set::find_dense(std::initializer_list<vector_view> arrays) {
    const auto width = static_cast<std::size_t>(range_.maximum - range_.minimum + 1);
    std::vector<std::uint8_t> present(width, 0);
    for (const vector_view& array : arrays) {
        // Tables of their own for the tasks while they are small; a large one is filled by one
        // thread.
        const bool serial = width > 4096 || array.size < serial_below;
        const std::int64_t tasks = serial ? 1 : task_count(array.size);
        std::vector<std::uint8_t> marks(serial ? 0 : width * static_cast<std::size_t>(tasks), 0);
        parallel_for(
            tasks,
            [&](std::int64_t task) {
                std::uint8_t* target =
                    serial ? present.data() : marks.data() + static_cast<std::size_t>(task) * width;
                const std::int64_t last =
                    serial ? array.size : std::min(array.size, (task + 1) * task_size);
                for_blocks(array, task * task_size, last,
                           [&](const std::int64_t* labels, std::int64_t count) {
                               kernels().mark(labels, count, range_.minimum, target);
                           });
            },
            serial);
        for (std::size_t i = 0; i < marks.size(); ++i) present[i % width] |= marks[i];
    }
    table_.assign(width, -1);
    for (std::size_t i = 0; i < width; ++i) {
        if (!present[i]) continue;
        table_[i] = static_cast<std::int32_t>(values_.size());
        values_.push_back(range_.minimum + static_cast<std::int64_t>(i));
    }
}

void label_set::find_hashed(std::initializer_list<vector_view> arrays) {
    std::size_t slots = 1024;
    keys_.assign(slots, 0);
    slots_.assign(slots, -1);
    const auto insert = [&](std::int64_t label) {
        std::size_t at = hash_of(label) & (slots - 1);
        while (slots_[at] >= 0) {
            if (keys_[at] == label) return;
            at = (at + 1) & (slots - 1);
        }
        keys_[at] = label;
        slots_[at] = 0;
        values_.push_back(label);
    };
    for (const vector_view& array : arrays) {
        for_blocks(array, 0, array.size, [&](const std::int64_t* labels, std::int64_t count) {
            // Room for a whole block of new labels at a load of one half, before the block.
            if ((values_.size() + static_cast<std::size_t>(count)) * 2 > slots) {
                while ((values_.size() + static_cast<std::size_t>(count)) * 2 > slots) slots *= 2;
                const std::vector<std::int64_t> known = std::move(values_);
                values_.clear();
                keys_.assign(slots, 0);
                slots_.assign(slots, -1);
                for (std::int64_t label : known) insert(label);
            }
            for (std::int64_t i = 0; i < count; ++i) insert(labels[i]);
        });
    }
    std::sort(values_.begin(), values_.end());
    for (std::size_t at = 0; at < slots; ++at) {
        if (slots_[at] < 0) continue;
        const auto found = std::lower_bound(values_.begin(), values_.end(), keys_[at]);
        slots_[at] = static_cast<std::int32_t>(found - values_.begin());
    }
}

std::int32_t label_set::code_of(std::int64_t label) const {
    const auto found = std::lower_bound(values_.begin(), values_.end(), label);
    if (found == values_.end() || *found != label) return -1;
    return static_cast<std::int32_t>(found - values_.begin());
}

void label_set::encode(const std::int64_t* labels, std::int64_t count, std::int32_t* codes) const {
    if (!table_.empty()) {
        kernels().encode(labels, count, range_.minimum, table_.data(), codes);
        return;
    }
    const std::size_t mask = keys_.size() - 1;
    for (std::int64_t i = 0; i < count; ++i) {
        std::size_t at = hash_of(labels[i]) & mask;
        while (keys_[at] != labels[i] || slots_[at] < 0) at = (at + 1) & mask;
        codes[i] = slots_[at];
    }
}

std::optional<encoded_integers> encode_integers(const vector_view& y, const vector_view& labels) {
    const auto set = labels ? label_set::of({y, labels}) : label_set::of({y});
    if (!set || (labels && set->size() != labels.size)) return std::nullopt;
    encoded_integers result{std::vector<std::int32_t>(static_cast<std::size_t>(y.size)),
                            set->values()};
    parallel_for(
        task_count(y.size),
        [&](std::int64_t task) {
            std::int32_t* codes = result.codes.data() + task * task_size;
            const std::int64_t last = std::min(y.size, (task + 1) * task_size);
            for_blocks(y, task * task_size, last,
                       [&](const std::int64_t* block, std::int64_t count) {
                           set->encode(block, count, codes);
                           codes += count;
                       });
        },
        y.size < serial_below);
    return result;
}

namespace {

using text = std::u32string_view;

// A string without its zero padding, in place.
text text_at(const string_array& array, std::int64_t i) {
    const auto* data = reinterpret_cast<const char32_t*>(array.data + i * array.stride);
    auto length = static_cast<std::size_t>(array.characters);
    while (length > 0 && data[length - 1] == 0) --length;
    return {data, length};
}

std::uint64_t hash_of(text value) {
    std::uint64_t x = 0xCBF29CE484222325;
    for (const char32_t c : value) x = (x ^ static_cast<std::uint64_t>(c)) * 0x9E3779B97F4A7C15;
    return x ^ (x >> 29);
}

// Strings to codes in the order in which they came. The views must outlive it.
class dictionary {
public:
    std::int64_t code_of(text value) {
        const std::uint64_t hash = hash_of(value);
        std::size_t at = hash & (slots_.size() - 1);
        for (; slots_[at] >= 0; at = (at + 1) & (slots_.size() - 1)) {
            const auto candidate = static_cast<std::size_t>(slots_[at]);
            if (hashes_[candidate] == hash && values_[candidate] == value) return slots_[at];
        }
        slots_[at] = static_cast<std::int64_t>(values_.size());
        values_.push_back(value);
        hashes_.push_back(hash);
        if (values_.size() * 2 > slots_.size()) grow();
        return static_cast<std::int64_t>(values_.size()) - 1;
    }

    const std::vector<text>& values() const { return values_; }

private:
    void grow() {
        slots_.assign(slots_.size() * 2, -1);
        for (std::size_t k = 0; k < hashes_.size(); ++k) {
            std::size_t at = hashes_[k] & (slots_.size() - 1);
            while (slots_[at] >= 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = static_cast<std::int64_t>(k);
        }
    }

    std::vector<std::int64_t> slots_ = std::vector<std::int64_t>(64, -1);
    std::vector<std::uint64_t> hashes_;
    std::vector<text> values_;
};

// Codes of each task's strings in a dictionary of its own.
std::vector<dictionary> encode_tasks(const string_array& array, std::int64_t* codes) {
    std::vector<dictionary> found(static_cast<std::size_t>(task_count(array.size)));
    parallel_for(
        task_count(array.size),
        [&](std::int64_t task) {
            dictionary& own = found[static_cast<std::size_t>(task)];
            const std::int64_t last = std::min(array.size, (task + 1) * task_size);
            for (std::int64_t i = task * task_size; i < last; ++i)
                codes[i] = own.code_of(text_at(array, i));
        },
        array.size < task_size);
    return found;
}

}  // namespace

encoded_strings encode_strings(const std::vector<string_array>& arrays) {
    encoded_strings result;
    std::vector<std::vector<dictionary>> local;
    dictionary whole;
    for (const string_array& array : arrays) {
        auto& codes = result.codes.emplace_back(static_cast<std::size_t>(array.size));
        local.push_back(encode_tasks(array, codes.data()));
        for (const dictionary& task : local.back())
            for (text value : task.values()) whole.code_of(value);
    }
    std::vector<text> sorted = whole.values();
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::int64_t> rank(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        rank[static_cast<std::size_t>(whole.code_of(sorted[i]))] = static_cast<std::int64_t>(i);
        result.values.emplace_back(sorted[i]);
    }
    for (std::size_t a = 0; a < arrays.size(); ++a) {
        std::vector<std::vector<std::int64_t>> final_code;
        for (const dictionary& task : local[a]) {
            auto& codes = final_code.emplace_back();
            for (text value : task.values())
                codes.push_back(rank[static_cast<std::size_t>(whole.code_of(value))]);
        }
        std::int64_t* codes = result.codes[a].data();
        const std::int64_t size = arrays[a].size;
        parallel_for(
            task_count(size),
            [&](std::int64_t task) {
                const auto& to = final_code[static_cast<std::size_t>(task)];
                const std::int64_t last = std::min(size, (task + 1) * task_size);
                for (std::int64_t i = task * task_size; i < last; ++i)
                    codes[i] = to[static_cast<std::size_t>(codes[i])];
            },
            size < serial_below);
    }
    return result;
}

}  // namespace mlestar::metrics
