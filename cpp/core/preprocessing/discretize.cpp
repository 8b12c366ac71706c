#include "preprocessing/discretize.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "preprocessing/discretize.kernels.hpp"
#include "support/error.hpp"
#include "support/levels.hpp"
#include "support/loader.hpp"

namespace mlestar::preprocessing {

MLESTAR_SELECT_KERNELS(discretize_kernels)

namespace {

constexpr std::size_t few = 20;

class bin_coder final : public column_coder {
public:
    explicit bin_coder(const std::vector<double>& edges)
        : edges_(edges), size_(static_cast<std::int64_t>(edges.size()) + 1) {
        if (edges.size() <= few) return;
        const auto room = std::bit_ceil(edges.size() + 1);
        half_ = static_cast<std::int64_t>(room / 2);
        edges_.resize(room - 1, std::numeric_limits<double>::infinity());
    }
    std::int64_t size() const override { return size_; }
    bool codes(const category_column& x, std::int64_t first, std::int64_t count,
               std::int32_t* codes) const override {
        if (x.textual()) return false;
        double buffer[block_size];
        const double* loaded = load_f64(x.numbers, first, count, buffer);
        const bool declined =
            half_ == 0 ? kernels().count_few(loaded, count, edges_.data(),
                                             static_cast<std::int64_t>(edges_.size()), codes)
                       : kernels().bisect(loaded, count, edges_.data(), half_, codes);
        return !declined;
    }

private:
    std::vector<double> edges_;
    std::int64_t size_;
    std::int64_t half_ = 0;
};

}  // namespace

coder coder_of_bins(const std::vector<double>& edges) {
    if (edges.size() >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        throw argument_error("edges has too many numbers");
    for (std::size_t k = 0; k < edges.size(); ++k)
        if (edges[k] != edges[k] || (k > 0 && edges[k] < edges[k - 1]))
            throw argument_error("edges must ascend, and none may be NaN");
    return std::make_unique<bin_coder>(edges);
}

}  // namespace mlestar::preprocessing
