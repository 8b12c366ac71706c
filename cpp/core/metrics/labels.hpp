// Class labels: which there are, and the code (rank among the sorted labels) of each.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "support/span.hpp"

namespace mlestar::metrics {

struct label_range {
    std::int64_t minimum;
    std::int64_t maximum;
};

// Smallest and largest label of all the arrays together; nothing when an element is not an integer
// or there is no element.
std::optional<label_range> range_of(std::initializer_list<vector_view> arrays);

// The distinct labels of some arrays. Codes come from a table where the labels lie close together,
// else from a hash.
class label_set {
public:
    // Nothing when an element is not an integer.
    static std::optional<label_set> of(std::initializer_list<vector_view> arrays);

    const std::vector<std::int64_t>& values() const { return values_; }
    std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }

    // -1 for a label that is not in the set.
    std::int32_t code_of(std::int64_t label) const;

    // Codes of labels that are all in the set.
    void encode(const std::int64_t* labels, std::int64_t count, std::int32_t* codes) const;

private:
    void find_dense(std::initializer_list<vector_view> arrays);
    void find_hashed(std::initializer_list<vector_view> arrays);

    std::vector<std::int64_t> values_;
    label_range range_{};
    std::vector<std::int32_t> table_;  // dense: code of label minus minimum, -1 where absent
    std::vector<std::int64_t> keys_;   // hashed: open addressing, a power of two of slots
    std::vector<std::int32_t> slots_;  // code of the key in the slot, -1 where free
};

struct encoded_integers {
    std::vector<std::int32_t> codes;
    std::vector<std::int64_t> values;  // ascending
};

// Codes of labels among the distinct ones, or among `labels` where those are given, ascending.
// Nothing where an element is not an integer or not among the labels given.
std::optional<encoded_integers> encode_integers(const vector_view& y, const vector_view& labels);

// An array of fixed-width UCS-4 strings (NumPy's dtype "U"), zero padded.
struct string_array {
    const std::byte* data = nullptr;
    std::int64_t size = 0;
    std::int64_t stride = 0;      // bytes
    std::int64_t characters = 0;  // per element
};

struct encoded_strings {
    std::vector<std::vector<std::int64_t>> codes;  // one array per input
    std::vector<std::u32string> values;            // sorted by code point
};

// Codes of strings among the sorted distinct strings of all arrays together.
encoded_strings encode_strings(const std::vector<string_array>& arrays);

}  // namespace mlestar::metrics
