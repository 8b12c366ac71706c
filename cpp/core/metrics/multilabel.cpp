#include "metrics/multilabel.hpp"

#include <cmath>

#include "metrics/multilabel.kernels.hpp"
#include "support/blocks.hpp"
#include "support/levels.hpp"

namespace mlestar::metrics {

MLESTAR_SELECT_KERNELS(multilabel_kernels)

namespace {

// A task sums in vectors of its own: more labels than this are left alone.
constexpr std::int64_t most_labels = std::int64_t{1} << 18;

bool fits(const matrix_view& y_true, const matrix_view& y_pred, const vector_view& weight) {
    return y_true.rows > 0 && y_true.rows == y_pred.rows && y_true.columns == y_pred.columns &&
           y_true.columns > 1 && y_true.columns < most_labels &&
           (!weight || weight.size == y_true.rows);
}

}  // namespace

std::optional<set_counts> count_by_label(const matrix_view& y_true, const matrix_view& y_pred,
                                         const vector_view& weight) {
    if (!fits(y_true, y_pred, weight)) return std::nullopt;
    struct partial {
        set_counts counts;
        bool valid = true;
    };
    const std::vector<double> zeros(static_cast<std::size_t>(y_true.columns), 0.0);
    const partial empty{{zeros, zeros, zeros}};
    const auto partials =
        map_blocks(y_true.rows, empty, [&](partial& part, std::int64_t at, std::int64_t count) {
            double buffer[block_size];
            const double* w = load_weight(weight, at, count, buffer);
            for (std::int64_t i = 0; i < count; ++i) part.counts.weight += w ? w[i] : 1.0;
            part.valid &= over_rows(
                y_true, y_pred, at, count,
                [&](const double* t, const double* p, std::int64_t row, std::int64_t some) {
                    auto& c = part.counts;
                    return kernels().by_label(t, p, w ? w + (row - at) : nullptr, some,
                                              y_true.columns, c.hit.data(), c.predicted.data(),
                                              c.truth.data(), &c.exact);
                });
        });
    partial whole = empty;
    for (const partial& part : partials) {
        for (std::size_t k = 0; k < zeros.size(); ++k) {
            whole.counts.hit[k] += part.counts.hit[k];
            whole.counts.predicted[k] += part.counts.predicted[k];
            whole.counts.truth[k] += part.counts.truth[k];
        }
        whole.counts.exact += part.counts.exact;
        whole.counts.weight += part.counts.weight;
        whole.valid &= part.valid;
    }
    if (!whole.valid || !std::isfinite(whole.counts.weight) || whole.counts.weight == 0.0)
        return std::nullopt;
    return whole.counts;
}

std::optional<set_counts> count_by_sample(const matrix_view& y_true, const matrix_view& y_pred) {
    if (!fits(y_true, y_pred, {})) return std::nullopt;
    const auto n = static_cast<std::size_t>(y_true.rows);
    set_counts result{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
    const auto valid =
        map_blocks(y_true.rows, char{1}, [&](char& part, std::int64_t at, std::int64_t count) {
            part = over_rows(
                y_true, y_pred, at, count,
                [&](const double* t, const double* p, std::int64_t row, std::int64_t some) {
                    return kernels().by_sample(t, p, some, y_true.columns, result.hit.data() + row,
                                               result.predicted.data() + row,
                                               result.truth.data() + row);
                });
        });
    for (const char part : valid)
        if (part == 0) return std::nullopt;
    result.weight = static_cast<double>(n);
    return result;
}

}  // namespace mlestar::metrics
