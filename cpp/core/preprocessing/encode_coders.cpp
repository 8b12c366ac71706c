// The coders: a table where categories are integers that lie close together, else a hash.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "preprocessing/encode.hpp"
#include "preprocessing/encode.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(encode_kernels)

namespace {

// Integers below are doubles of their own.
constexpr std::int64_t exact_below = std::int64_t{1} << 53;

// The upper half too: doubles that are small integers differ in nothing else.
std::uint64_t mixed(std::uint64_t key) {
    const std::uint64_t x = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
    return x ^ (x >> 32);
}

std::int32_t code_count(std::size_t values) {
    if (values >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        throw argument_error("categories has " + std::to_string(values) +
                             " values, but must have less than 2147483647");
    return static_cast<std::int32_t>(values);
}

// `hash_of(key)` is where a key is looked for first.
template <class Hash>
std::vector<category_slot> slots_of(const std::vector<std::uint64_t>& keys, Hash hash_of) {
    const std::int32_t unknown = code_count(keys.size());
    const std::uint64_t room = std::bit_ceil(std::max<std::uint64_t>(16, keys.size() * 3));
    std::vector<category_slot> slots(room, category_slot{0, unknown, 0});
    for (std::size_t k = 0; k < keys.size(); ++k) {
        std::uint64_t at = hash_of(keys[k]) & (room - 1);
        while (slots[at].used != 0) at = (at + 1) & (room - 1);
        slots[at] = {keys[k], static_cast<std::int32_t>(k), 1};
    }
    return slots;
}

class direct_coder final : public column_coder {
public:
    direct_coder(const std::vector<std::int64_t>& values, std::int64_t low, std::int64_t span,
                 std::int64_t nan)
        : low_(low), span_(span), size_(code_count(values.size())) {
        const bool holds_nan = nan >= 0;
        size_ += holds_nan ? 1 : 0;
        table_.assign(static_cast<std::size_t>(span) + 2, size_);
        std::int32_t code = 0;
        for (const std::int64_t value : values) {
            if (code == nan) ++code;
            table_[static_cast<std::size_t>(value - low)] = code++;
        }
        if (holds_nan) table_.back() = static_cast<std::int32_t>(nan);
    }
    std::int64_t size() const override { return size_; }
    bool codes(const category_column& x, std::int64_t first, std::int64_t count,
               std::int32_t* codes) const override {
        if (x.textual()) return false;
        if (is_floating(x.numbers.type)) {
            double buffer[block_size];
            return !kernels().direct_real(load_f64(x.numbers, first, count, buffer), count, low_,
                                          span_, table_.data(), codes);
        }
        std::int64_t buffer[block_size];
        bool exact = true;
        const std::int64_t* loaded = load_i64(x.numbers, first, count, buffer, exact);
        if (!exact) return false;
        kernels().direct(loaded, count, low_, static_cast<std::uint64_t>(span_), table_.data(),
                         codes);
        return true;
    }

private:
    std::int64_t low_, span_;
    std::int32_t size_;
    std::vector<std::int32_t> table_;
};

// Keys are bits of doubles, or integers that no double holds.
class hash_coder final : public column_coder {
public:
    hash_coder(const std::vector<std::uint64_t>& keys, bool integers)
        : slots_(slots_of(keys, mixed)),
          size_(static_cast<std::int64_t>(keys.size())),
          integers_(integers) {}
    std::int64_t size() const override { return size_; }
    bool codes(const category_column& x, std::int64_t first, std::int64_t count,
               std::int32_t* codes) const override {
        if (x.textual() || (integers_ && is_floating(x.numbers.type))) return false;
        std::uint64_t keys[block_size];
        if (integers_) {
            std::int64_t buffer[block_size];
            bool exact = true;
            const std::int64_t* loaded = load_i64(x.numbers, first, count, buffer, exact);
            if (!exact) return false;
            std::copy(loaded, loaded + count, keys);
        } else {
            double buffer[block_size];
            if (kernels().keys(load_f64(x.numbers, first, count, buffer), count, keys))
                return false;
        }
        kernels().hashed(keys, count, slots_.data(), slots_.size() - 1, codes);
        return true;
    }

private:
    std::vector<category_slot> slots_;
    std::int64_t size_;
    bool integers_;
};

class string_coder final : public column_coder {
public:
    explicit string_coder(const std::vector<std::u32string>& values)
        : size_(code_count(values.size())) {
        width_ = 1;
        for (const auto& value : values)
            width_ = std::max(width_, static_cast<std::int64_t>(value.size()));
        if (values.size() > characters_.max_size() / static_cast<std::size_t>(width_))
            throw argument_error("categories holds strings that are too long together");
        characters_.assign(values.size() * static_cast<std::size_t>(width_), 0);
        for (std::size_t k = 0; k < values.size(); ++k) {
            std::u32string value = values[k];
            while (!value.empty() && value.back() == 0) value.pop_back();
            std::copy(value.begin(), value.end(),
                      &characters_[k * static_cast<std::size_t>(width_)]);
            lengths_.push_back(static_cast<std::int64_t>(value.size()));
        }
        std::vector<std::uint64_t> hashes(values.size());
        kernels().hash_strings(reinterpret_cast<const std::byte*>(characters_.data()), 4 * width_,
                               width_, size_, hashes.data());
        slots_ = slots_of(hashes, [](std::uint64_t hash) { return hash; });
    }
    std::int64_t size() const override { return size_; }
    bool codes(const category_column& x, std::int64_t first, std::int64_t count,
               std::int32_t* codes) const override {
        if (!x.textual()) return false;
        const auto& text = x.strings;
        const std::byte* const data = text.data + first * text.stride;
        std::uint64_t hashes[block_size];
        kernels().hash_strings(data, text.stride, text.characters, count, hashes);
        const string_slots table{slots_.data(), slots_.size() - 1, characters_.data(),
                                 lengths_.data(), width_};
        kernels().strings(data, text.stride, text.characters, count, hashes, table, codes);
        return true;
    }

private:
    std::int32_t size_;
    std::int64_t width_;
    std::vector<char32_t> characters_;
    std::vector<std::int64_t> lengths_;
    std::vector<category_slot> slots_;
};

std::vector<std::uint64_t> keys_of(const std::vector<double>& values) {
    std::vector<std::uint64_t> keys(values.size());
    kernels().keys(values.data(), static_cast<std::int64_t>(values.size()), keys.data());
    return keys;
}

// Where integers lie close together; `nan` is its code, or -1. Null where a table would be large.
coder direct_of(const std::vector<std::int64_t>& values, std::int64_t nan) {
    if (values.empty()) return nullptr;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const std::uint64_t span =
        static_cast<std::uint64_t>(*most) - static_cast<std::uint64_t>(*least);
    const std::uint64_t affordable = std::max<std::uint64_t>(4096, 4 * values.size());
    if (*least <= -exact_below || *most >= exact_below || span >= affordable) return nullptr;
    return std::make_unique<direct_coder>(values, *least, static_cast<std::int64_t>(span) + 1, nan);
}

}  // namespace

coder coder_of_integers(const std::vector<std::int64_t>& values) {
    if (coder direct = direct_of(values, -1)) return direct;
    const bool exact = std::all_of(values.begin(), values.end(), [](std::int64_t v) {
        return v > -exact_below && v < exact_below;
    });
    if (!exact)
        return std::make_unique<hash_coder>(
            std::vector<std::uint64_t>(values.begin(), values.end()), true);
    return std::make_unique<hash_coder>(keys_of({values.begin(), values.end()}), false);
}

coder coder_of_reals(const std::vector<double>& values) {
    std::vector<std::int64_t> whole;
    std::int64_t nan = -1;
    bool integral = true;
    for (std::size_t k = 0; k < values.size() && integral; ++k) {
        const double value = values[k];
        if (value != value) {
            integral = nan < 0;
            nan = static_cast<std::int64_t>(k);
            continue;
        }
        integral = std::abs(value) < static_cast<double>(exact_below) && std::trunc(value) == value;
        if (integral) whole.push_back(static_cast<std::int64_t>(value));
    }
    if (integral)
        if (coder direct = direct_of(whole, nan)) return direct;
    return std::make_unique<hash_coder>(keys_of(values), false);
}

coder coder_of_strings(const std::vector<std::u32string>& values) {
    return std::make_unique<string_coder>(values);
}

}  // namespace mlestar::preprocessing
