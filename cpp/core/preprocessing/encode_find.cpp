// The categories of columns: counted in hash tables, a part of the rows at a time, and merged.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <string_view>

#include "preprocessing/encode.hpp"
#include "preprocessing/encode.kernels.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"
#include "support/parallel.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(encode_kernels)

namespace {

// The upper half too: doubles that are small integers differ in nothing else.
std::uint64_t mixed(std::uint64_t key) {
    const std::uint64_t x = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
    return x ^ (x >> 32);
}

std::u32string_view text_at(const metrics::string_array& array, std::int64_t row) {
    const auto* data = reinterpret_cast<const char32_t*>(array.data + row * array.stride);
    auto length = static_cast<std::size_t>(array.characters);
    while (length > 0 && data[length - 1] == 0) --length;
    return {data, length};
}

// Keys in the order in which they came, with the first row and the number of each. Keys of strings
// are hashes: rows tell strings of one hash apart.
class key_counter {
public:
    struct entry {
        std::uint64_t key;
        std::int64_t row;
        std::int64_t count;
    };

    // `same(row of an entry, row)` where keys are equal.
    template <class Same>
    void add(std::uint64_t key, std::int64_t row, std::int64_t count, Same same) {
        std::size_t at = mixed(key) & (slots_.size() - 1);
        for (; slots_[at] >= 0; at = (at + 1) & (slots_.size() - 1)) {
            entry& one = entries_[static_cast<std::size_t>(slots_[at])];
            if (one.key == key && same(one.row, row)) {
                one.count += count;
                return;
            }
        }
        slots_[at] = static_cast<std::int64_t>(entries_.size());
        entries_.push_back({key, row, count});
        if (entries_.size() * 2 > slots_.size()) grow();
    }
    std::vector<entry>& entries() { return entries_; }

private:
    void grow() {
        slots_.assign(slots_.size() * 2, -1);
        for (std::size_t k = 0; k < entries_.size(); ++k) {
            std::size_t at = mixed(entries_[k].key) & (slots_.size() - 1);
            while (slots_[at] >= 0) at = (at + 1) & (slots_.size() - 1);
            slots_[at] = static_cast<std::int64_t>(k);
        }
    }

    std::vector<std::int64_t> slots_ = std::vector<std::int64_t>(64, -1);
    std::vector<entry> entries_;
};

constexpr std::int64_t rows_of_part = 128 * block_size;
constexpr std::int64_t columns_of_part = 8;  // a cache line of doubles

// False for infinity, and for integers beyond int64.
bool count_block(const category_column& x, std::int64_t at, std::int64_t count,
                 key_counter& counter) {
    std::uint64_t keys[block_size];
    if (x.textual()) {
        const auto& text = x.strings;
        kernels().hash_strings(text.data + at * text.stride, text.stride, text.characters, count,
                               keys);
        const auto same = [&](std::int64_t a, std::int64_t b) {
            return text_at(text, a) == text_at(text, b);
        };
        for (std::int64_t i = 0; i < count; ++i) counter.add(keys[i], at + i, 1, same);
        return true;
    }
    if (is_floating(x.numbers.type)) {
        double buffer[block_size];
        if (kernels().keys(load_f64(x.numbers, at, count, buffer), count, keys)) return false;
    } else {
        std::int64_t buffer[block_size];
        bool exact = true;
        const std::int64_t* loaded = load_i64(x.numbers, at, count, buffer, exact);
        if (!exact) return false;
        std::copy(loaded, loaded + count, keys);
    }
    const auto same = [](std::int64_t, std::int64_t) { return true; };
    for (std::int64_t i = 0; i < count; ++i) counter.add(keys[i], at + i, 1, same);
    return true;
}

// Ascending, NaN last.
void sort_entries(const category_column& x, std::vector<key_counter::entry>& entries) {
    using entry = key_counter::entry;
    if (x.textual()) {
        std::sort(entries.begin(), entries.end(), [&](const entry& a, const entry& b) {
            return text_at(x.strings, a.row) < text_at(x.strings, b.row);
        });
    } else if (is_floating(x.numbers.type)) {
        std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) {
            const auto one = __builtin_bit_cast(double, a.key);
            const auto other = __builtin_bit_cast(double, b.key);
            return one < other || (one == one && other != other);
        });
    } else {
        std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) {
            return static_cast<std::int64_t>(a.key) < static_cast<std::int64_t>(b.key);
        });
    }
}

}  // namespace

std::optional<std::vector<found_categories>> categories_of(
    const std::vector<category_column>& columns) {
    const std::int64_t rows = columns.empty() ? 0 : columns[0].rows();
    const auto many = static_cast<std::int64_t>(columns.size());
    const std::int64_t parts = (rows + rows_of_part - 1) / rows_of_part;
    const std::int64_t groups = (many + columns_of_part - 1) / columns_of_part;
    std::vector<key_counter> counters(static_cast<std::size_t>(parts * many));
    std::atomic<bool> declined{false};
    const bool serial = rows * many < serial_below / 4;
    parallel_for(
        parts * groups,
        [&](std::int64_t task) {
            const std::int64_t part = task / groups, group = task % groups;
            const std::int64_t last = std::min(rows, (part + 1) * rows_of_part);
            const std::int64_t end = std::min(many, (group + 1) * columns_of_part);
            for (std::int64_t at = part * rows_of_part; at < last; at += block_size) {
                for (std::int64_t j = group * columns_of_part; j < end; ++j) {
                    if (declined) return;
                    if (!count_block(columns[static_cast<std::size_t>(j)], at,
                                     std::min(block_size, last - at),
                                     counters[static_cast<std::size_t>(part * many + j)]))
                        declined = true;
                }
            }
        },
        serial);
    if (declined) return std::nullopt;
    std::vector<found_categories> result(columns.size());
    parallel_for(
        many,
        [&](std::int64_t j) {
            const category_column& x = columns[static_cast<std::size_t>(j)];
            key_counter& whole = counters[static_cast<std::size_t>(j)];
            for (std::int64_t part = 1; part < parts; ++part) {
                auto& entries = counters[static_cast<std::size_t>(part * many + j)].entries();
                for (const auto& one : entries)
                    whole.add(one.key, one.row, one.count, [&](std::int64_t a, std::int64_t b) {
                        return !x.textual() || text_at(x.strings, a) == text_at(x.strings, b);
                    });
                entries = {};
            }
            sort_entries(x, whole.entries());
            found_categories& found = result[static_cast<std::size_t>(j)];
            for (const auto& one : whole.entries()) {
                found.rows.push_back(one.row);
                found.counts.push_back(one.count);
            }
        },
        serial);
    return result;
}

}  // namespace mlestar::preprocessing
