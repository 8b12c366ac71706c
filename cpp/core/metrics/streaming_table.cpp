#include "metrics/streaming_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/classification.hpp"
#include "support/blocks.hpp"
#include "support/error.hpp"
#include "support/loader.hpp"

namespace mlestar::metrics {

namespace {

constexpr std::int64_t window_size = 4096;
// Labels of a square of counts: 2 MiB at most.
constexpr std::size_t widest_square = 512;
// From here on the kernels of the batch functions pay, for labels as close together as they take.
constexpr std::int64_t many_rows = 4096;
constexpr std::uint64_t narrow = 64;

constexpr std::uint64_t pair_of(std::int32_t truth, std::int32_t predicted) {
    return static_cast<std::uint64_t>(truth) << 32 | static_cast<std::uint32_t>(predicted);
}

[[noreturn]] void refuse_label(const char* name, const vector_view& labels) {
    double buffer[block_size];
    std::int64_t whole[block_size];
    for (std::int64_t row = 0; row < labels.size; ++row) {
        bool exact = true;
        load_i64(labels, row, 1, whole, exact);
        if (!exact)
            throw argument_error(std::string(name) + " holds " +
                                 text_of(*load_f64(labels, row, 1, buffer)) + " in row " +
                                 std::to_string(row) +
                                 ", but every label must be a whole number or a string");
    }
    throw argument_error(std::string(name) + " must hold labels");
}

// Throws unless every label is an integer.
label_range require_integers(const vector_view& y_true, const vector_view& y_pred) {
    const auto range = range_of({y_true, y_pred});
    if (range) return *range;
    if (!range_of({y_true})) refuse_label("y_true", y_true);
    refuse_label("y_pred", y_pred);
}

}  // namespace

void label_table::require_kind(kind wanted) const {
    if (kind_ == kind::nothing || kind_ == wanted) return;
    throw argument_error(wanted == kind::strings
                             ? "y_true holds strings, but must hold numbers as in the rows before"
                             : "y_true holds numbers, but must hold strings as in the rows before");
}

std::int32_t label_table::code_of(std::int64_t label) {
    const auto next = static_cast<std::int32_t>(labels_.size());
    std::int32_t* place;
    if (label >= 0 && label < window_size) {
        if (window_.empty()) window_.assign(window_size, -1);
        place = &window_[static_cast<std::size_t>(label)];
    } else {
        place = &codes_.try_emplace(label, -1).first->second;
    }
    if (*place >= 0) return *place;
    widen(labels_.size() + 1);
    labels_.push_back(label);
    return *place = next;
}

std::int64_t label_table::id_of(const std::u32string& name) {
    const auto [found, isnew] = ids_.try_emplace(name, static_cast<std::int64_t>(names_.size()));
    if (isnew) names_.push_back(name);
    return found->second;
}

template <class Function>
void label_table::each_count(Function function) const {
    for (std::size_t i = 0; i < square_.size(); ++i)
        if (square_[i] != 0)
            function(static_cast<std::int32_t>(i / stride_), static_cast<std::int32_t>(i % stride_),
                     square_[i]);
    for (const auto& [at, counted] : scattered_)
        function(static_cast<std::int32_t>(at >> 32), static_cast<std::int32_t>(at & 0xFFFFFFFF),
                 counted);
}

// Room for that many labels.
void label_table::widen(std::size_t labels) {
    if (labels <= stride_ || stride_ > widest_square) return;
    const std::size_t stride = std::max<std::size_t>(8, 2 * stride_);
    if (stride <= widest_square) {
        std::vector<std::int64_t> square(stride * stride, 0);
        for (std::size_t i = 0; i < stride_; ++i)
            std::copy_n(square_.data() + i * stride_, stride_, square.data() + i * stride);
        square_ = std::move(square);
    } else {
        each_count([&](std::int32_t truth, std::int32_t predicted, std::int64_t counted) {
            scattered_[pair_of(truth, predicted)] = counted;
        });
        square_ = {};
        weight_square_ = {};
        for (std::size_t i = 0; i < weights_.size(); ++i)
            weight_places_[weights_[i].first] = static_cast<std::int32_t>(i);
    }
    stride_ = stride;
}

void label_table::count(std::int32_t truth, std::int32_t predicted, std::int64_t rows) {
    if (stride_ <= widest_square)
        square_[static_cast<std::size_t>(truth) * stride_ + static_cast<std::size_t>(predicted)] +=
            rows;
    else
        scattered_[pair_of(truth, predicted)] += rows;
}

std::int32_t& label_table::weight_place(std::int32_t truth, std::int32_t predicted) {
    if (stride_ > widest_square)
        return weight_places_.try_emplace(pair_of(truth, predicted), -1).first->second;
    if (weight_square_.size() != square_.size()) {  // the first weight, or the square has grown
        weight_square_.assign(square_.size(), -1);
        for (std::size_t i = 0; i < weights_.size(); ++i)
            weight_square_[(weights_[i].first >> 32) * stride_ + (weights_[i].first & 0xFFFFFFFF)] =
                static_cast<std::int32_t>(i);
    }
    return weight_square_[static_cast<std::size_t>(truth) * stride_ +
                          static_cast<std::size_t>(predicted)];
}

running_sum& label_table::weight_at(std::int32_t truth, std::int32_t predicted) {
    std::int32_t& place = weight_place(truth, predicted);
    if (place < 0) {
        place = static_cast<std::int32_t>(weights_.size());
        weights_.emplace_back(pair_of(truth, predicted), running_sum(exact_));
    }
    return weights_[static_cast<std::size_t>(place)].second;
}

void label_table::add_codes(const std::int64_t* truth, const std::int64_t* predicted,
                            const double* weight, std::int64_t rows) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const std::int32_t t = code_of(truth[i]);
        const std::int32_t p = code_of(predicted[i]);
        if (weight == nullptr)
            count(t, p, 1);
        else
            weight_at(t, p).add(weight[i]);
    }
}

// Rows that have been looked at: every label an integer, every weight finite.
void label_table::add_rows(const vector_view& y_true, const vector_view& y_pred,
                           const vector_view& weight) {
    block_buffers buffers;
    bool exact = true;
    for (std::int64_t at = 0; at < y_true.size; at += block_size) {
        const std::int64_t rows = std::min(block_size, y_true.size - at);
        add_codes(load_i64(y_true, at, rows, buffers.a, exact),
                  load_i64(y_pred, at, rows, buffers.b, exact),
                  load_weight(weight, at, rows, buffers.w), rows);
    }
}

void label_table::add(const vector_view& y_true, const vector_view& y_pred,
                      const vector_view& weight) {
    require_kind(kind::integers);
    require_rows("y_pred", y_pred.size, y_true.size);
    if (weight) {
        require_rows("sample_weight", weight.size, y_true.size);
        require_finite("sample_weight", as_column(weight));
    }
    const label_range range = require_integers(y_true, y_pred);
    const std::uint64_t width =
        static_cast<std::uint64_t>(range.maximum) - static_cast<std::uint64_t>(range.minimum);
    if (!weight && y_true.size >= many_rows && width < narrow) {
        const auto found = confusion_matrix(y_true, y_pred, weight, range);
        const std::size_t n = found->labels.size();
        for (std::size_t i = 0; i < n * n; ++i)
            if (found->cells[i] != 0.0) {
                const std::int32_t truth = code_of(found->labels[i / n]);
                count(truth, code_of(found->labels[i % n]),
                      static_cast<std::int64_t>(found->cells[i]));
            }
    } else {
        add_rows(y_true, y_pred, weight);
    }
    kind_ = kind::integers;
    weighted_ |= static_cast<bool>(weight);
    fractional_ |= weight && is_floating(weight.type);
    rows_ += y_true.size;
}

void label_table::add(const string_array& y_true, const string_array& y_pred,
                      const vector_view& weight) {
    require_kind(kind::strings);
    require_rows("y_pred", y_pred.size, y_true.size);
    if (weight) {
        require_rows("sample_weight", weight.size, y_true.size);
        require_finite("sample_weight", as_column(weight));
    }
    encoded_strings encoded = encode_strings({y_true, y_pred});
    std::vector<std::int64_t> ids;
    for (const std::u32string& name : encoded.values) ids.push_back(id_of(name));
    for (auto& codes : encoded.codes)
        for (std::int64_t& code : codes) code = ids[static_cast<std::size_t>(code)];
    const auto view = [](const std::vector<std::int64_t>& codes) {
        return vector_view{reinterpret_cast<const std::byte*>(codes.data()), dtype::i64,
                           static_cast<std::int64_t>(codes.size()), sizeof(std::int64_t)};
    };
    add_rows(view(encoded.codes[0]), view(encoded.codes[1]), weight);
    kind_ = kind::strings;
    weighted_ |= static_cast<bool>(weight);
    fractional_ |= weight && is_floating(weight.type);
    rows_ += y_true.size;
}

void label_table::merge(const label_table& other) {
    if (other.rows_ == 0) return;
    if (&other == this) return merge(label_table(other));
    if (exact_ != other.exact_)
        throw argument_error("other keeps other sums than this accumulator");
    require_kind(other.kind_);
    std::vector<std::int32_t> code;
    for (const std::int64_t label : other.labels_)
        code.push_back(code_of(
            other.strings() ? id_of(other.names_[static_cast<std::size_t>(label)]) : label));
    const auto mine = [&](std::int32_t theirs) { return code[static_cast<std::size_t>(theirs)]; };
    other.each_count([&](std::int32_t truth, std::int32_t predicted, std::int64_t counted) {
        count(mine(truth), mine(predicted), counted);
    });
    for (const auto& [at, sum] : other.weights_)
        weight_at(mine(static_cast<std::int32_t>(at >> 32)),
                  mine(static_cast<std::int32_t>(at & 0xFFFFFFFF)))
            .merge(sum);
    kind_ = other.kind_;
    weighted_ |= other.weighted_;
    fractional_ |= other.fractional_;
    rows_ += other.rows_;
}

table_cells label_table::cells() const {
    table_cells result;
    std::vector<std::int32_t> order(labels_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto name = [&](std::int32_t code) -> const std::u32string& {
        return names_[static_cast<std::size_t>(labels_[static_cast<std::size_t>(code)])];
    };
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return strings()
                   ? name(a) < name(b)
                   : labels_[static_cast<std::size_t>(a)] < labels_[static_cast<std::size_t>(b)];
    });
    std::vector<std::int64_t> place(labels_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        place[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
        if (strings()) result.names.push_back(name(order[i]));
        result.labels.push_back(strings() ? static_cast<std::int64_t>(i)
                                          : labels_[static_cast<std::size_t>(order[i])]);
    }
    struct cell {
        std::int64_t row, column, count;
        double weight;
    };
    std::vector<cell> found;
    std::unordered_map<pair, std::size_t> where;
    each_count([&](std::int32_t truth, std::int32_t predicted, std::int64_t counted) {
        if (weighted_) where[pair_of(truth, predicted)] = found.size();
        found.push_back({place[static_cast<std::size_t>(truth)],
                         place[static_cast<std::size_t>(predicted)], counted, 0.0});
    });
    for (const auto& [at, sum] : weights_) {
        const auto known = where.find(at);
        if (known != where.end())
            found[known->second].weight = sum.value();
        else
            found.push_back({place[at >> 32], place[at & 0xFFFFFFFF], 0, sum.value()});
    }
    std::sort(found.begin(), found.end(), [](const cell& a, const cell& b) {
        return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
    for (const cell& one : found) {
        result.row.push_back(one.row);
        result.column.push_back(one.column);
        result.count.push_back(one.count);
        result.weight.push_back(one.weight);
    }
    return result;
}

streaming_state label_table::state() const {
    const table_cells sorted = cells();
    streaming_state state;
    auto& out = state.integers;
    out = {rows_,
           static_cast<std::int64_t>(kind_),
           weighted_,
           fractional_,
           static_cast<std::int64_t>(sorted.labels.size()),
           static_cast<std::int64_t>(sorted.row.size())};
    if (strings()) {
        for (const std::u32string& name : sorted.names) {
            out.push_back(static_cast<std::int64_t>(name.size()));
            for (const char32_t c : name) out.push_back(static_cast<std::int64_t>(c));
        }
    } else {
        out.insert(out.end(), sorted.labels.begin(), sorted.labels.end());
    }
    // Which code each label has, to find its weights.
    std::unordered_map<std::int64_t, std::int32_t> code;
    for (std::size_t c = 0; c < labels_.size(); ++c) {
        std::int64_t key = labels_[c];
        if (strings()) {
            const auto& name = names_[static_cast<std::size_t>(labels_[c])];
            key = std::lower_bound(sorted.names.begin(), sorted.names.end(), name) -
                  sorted.names.begin();
        }
        code[key] = static_cast<std::int32_t>(c);
    }
    std::unordered_map<pair, std::size_t> place;
    for (std::size_t i = 0; i < weights_.size(); ++i) place[weights_[i].first] = i;
    for (std::size_t i = 0; i < sorted.row.size(); ++i) {
        const auto label = [&](std::int64_t at) {
            return code.at(sorted.labels[static_cast<std::size_t>(at)]);
        };
        out.insert(out.end(), {sorted.row[i], sorted.column[i], sorted.count[i]});
        const auto found = place.find(pair_of(label(sorted.row[i]), label(sorted.column[i])));
        out.push_back(found != place.end());
        if (found != place.end()) weights_[found->second].second.write(state);
    }
    return state;
}

void label_table::load(const streaming_state& state) {
    const auto size = static_cast<std::int64_t>(state.integers.size());
    state_reader reader(state);
    label_table loaded(exact_);
    loaded.rows_ = reader.count(0, most_rows);
    loaded.kind_ = static_cast<kind>(reader.count(0, 2));
    loaded.weighted_ = reader.count(0, 1) == 1;
    loaded.fractional_ = reader.count(0, 1) == 1;
    const std::int64_t labels = reader.count(0, size);
    const std::int64_t cells = reader.count(0, size);
    for (std::int64_t i = 0; i < labels; ++i) {
        if (!loaded.strings()) {
            loaded.code_of(reader.integer());
            continue;
        }
        std::u32string name;
        for (std::int64_t left = reader.count(0, size); left > 0; --left)
            name.push_back(static_cast<char32_t>(reader.count(0, 0x10FFFF)));
        loaded.code_of(loaded.id_of(name));
    }
    if (static_cast<std::int64_t>(loaded.labels_.size()) != labels)
        throw argument_error("state holds a label twice");
    for (std::int64_t i = 0; i < cells; ++i) {
        const auto truth = static_cast<std::int32_t>(reader.count(0, labels - 1));
        const auto predicted = static_cast<std::int32_t>(reader.count(0, labels - 1));
        const std::int64_t counted = reader.count(0, most_rows);
        if (counted > 0) loaded.count(truth, predicted, counted);
        if (reader.count(0, 1) == 1) loaded.weight_at(truth, predicted).read(reader);
    }
    reader.finish();
    *this = std::move(loaded);
}

}  // namespace mlestar::metrics
