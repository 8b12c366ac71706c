// The exact sum of any number of doubles: a fixed-point number wide enough for all of them (Neal,
// "Fast exact summation using small and large superaccumulators", 2015). Sums are integers, so they
// are the same for any order and any grouping, and are rounded once, when they are read.
#pragma once

#include <array>
#include <cstdint>

namespace mlestar {

class exact_sum {
public:
    // 32 bits a digit, the lowest bit of the first being 2^-1074; two beyond the largest double.
    static constexpr int digit_count = 68;
    using digit_array = std::array<std::int64_t, digit_count>;

    // `term` must be finite.
    void add(double term) {
        const auto bits = __builtin_bit_cast(std::uint64_t, term);
        const auto exponent = static_cast<int>(bits >> 52 & 0x7FF);
        const std::uint64_t fraction = bits & 0xFFFFFFFFFFFFF;
        const std::uint64_t mantissa = exponent == 0 ? fraction : fraction | std::uint64_t{1} << 52;
        const int shift = exponent == 0 ? 0 : exponent - 1;
        const int bit = shift & 31;
        std::int64_t* const digit = digits_.data() + (shift >> 5);
        const std::uint64_t low = mantissa << bit;
        const std::uint64_t high = bit == 0 ? 0 : mantissa >> (64 - bit);
        const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
        digit[0] += sign * static_cast<std::int64_t>(low & 0xFFFFFFFF);
        digit[1] += sign * static_cast<std::int64_t>(low >> 32);
        digit[2] += sign * static_cast<std::int64_t>(high);
        // Each addition moves a digit by less than 2^32.
        if (++pending_ == limit) normalize();
    }

    void add(const exact_sum& other) {
        if (pending_ + other.pending_ >= limit - 2) {
            normalize();
            exact_sum copy = other;
            copy.normalize();
            return add(copy);
        }
        for (std::size_t i = 0; i < digit_count; ++i) digits_[i] += other.digits_[i];
        pending_ += other.pending_ + 1;  // its carried digits are as one term
    }

    // The sum, rounded to the nearest double, ties to even; infinity beyond the largest.
    double value() const;

    // Digits in [0, 2^32) but the last, which has the sign: one form for each sum.
    digit_array digits() const {
        exact_sum copy = *this;
        copy.normalize();
        return copy.digits_;
    }
    static exact_sum from_digits(const digit_array& digits) {
        exact_sum sum;
        sum.digits_ = digits;
        sum.normalize();
        return sum;
    }

private:
    static constexpr std::int64_t limit = std::int64_t{1} << 30;

    void normalize() {
        std::int64_t carry = 0;
        for (std::size_t i = 0; i + 1 < digit_count; ++i) {
            const std::int64_t digit = digits_[i] + carry;
            carry = digit >> 32;
            digits_[i] = digit & 0xFFFFFFFF;
        }
        digits_[digit_count - 1] += carry;
        pending_ = 0;
    }

    digit_array digits_{};
    std::int64_t pending_ = 0;
};

inline double exact_sum::value() const {
    exact_sum whole = *this;
    whole.normalize();
    const bool negative = whole.digits_[digit_count - 1] < 0;
    if (negative) {
        for (std::int64_t& digit : whole.digits_) digit = -digit;
        whole.normalize();
    }
    int top = digit_count - 1;
    while (top >= 0 && whole.digits_[static_cast<std::size_t>(top)] == 0) --top;
    if (top < 0) return 0.0;
    const auto digit = [&](int i) {
        return i < 0 ? std::uint64_t{0}
                     : static_cast<std::uint64_t>(whole.digits_[static_cast<std::size_t>(i)]);
    };
    // The highest 64 bits that matter, and whether anything lies below.
    const int leading = 64 - __builtin_clzll(digit(top));  // bits of the top digit
    const int bits = 32 * top + leading;                   // bits of the sum
    std::uint64_t head = digit(top) << (64 - leading);
    bool below = false;
    int filled = leading;
    for (int i = top - 1; i >= 0; --i) {
        const int room = 64 - filled;
        if (room >= 32) {
            head |= digit(i) << (room - 32);
            filled += 32;
        } else if (room > 0) {
            head |= digit(i) >> (32 - room);
            below |= (digit(i) & ((std::uint64_t{1} << (32 - room)) - 1)) != 0;
            filled = 64;
        } else {
            below |= digit(i) != 0;
        }
    }
    // The unit is 2^-1074, so what has at most 53 bits is a double as it is.
    std::uint64_t mantissa = head >> 11;
    const std::uint64_t rest = head & 0x7FF;
    if (rest > 0x400 || (rest == 0x400 && (below || (mantissa & 1) != 0))) ++mantissa;
    // mantissa * 2^(bits - 53 - 1074), in two steps that neither overflow nor round.
    int exponent = bits - 53 - 1074;
    double result = static_cast<double>(mantissa);
    const auto power = [](int e) {
        return __builtin_bit_cast(double, static_cast<std::uint64_t>(e + 1023) << 52);
    };
    while (exponent > 900) {
        result *= power(900);
        exponent -= 900;
    }
    while (exponent < -900) {
        result *= power(-900);
        exponent += 900;
    }
    result *= power(exponent);
    return negative ? -result : result;
}

}  // namespace mlestar
