// A sketch of columns' quantiles: a fixed number of values a level, each standing for twice as many
// rows as those of the level below; a full level is sorted, and every other value of it goes up
// (Manku, Rajagopalan and Lindsay, 1999; Karnin, Lang and Liberty, "Optimal quantile approximation
// in streams", 2016).
//
// A rank is off by less than a thousandth of the rows with a probability above 99%, whatever the
// rows, their order, their batches and how sketches are merged; ranks of up to `base_size` rows are
// exact.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "preprocessing/quantiles.hpp"
#include "support/span.hpp"

namespace mlestar::preprocessing {

class quantile_sketch {
public:
    static constexpr std::int64_t base_size = 8192;
    static constexpr std::int64_t level_size = 4096;

    // The seed decides which values go up. There are as many columns as what is first seen has.
    explicit quantile_sketch(std::uint64_t seed) : seed_(seed) {}

    std::int64_t columns() const { return static_cast<std::int64_t>(columns_.size()); }

    // False, and nothing changes, where x holds infinity or is not as wide; `missing` as for
    // order_statistics.
    bool update(const matrix_view& x, double missing);
    void merge(const quantile_sketch& other);  // argument_error unless it is as wide
    order_pairs pairs(const std::vector<double>& fractions) const;

    // Seed and columns; for each column: rows, draws made, and the sizes of its levels after their
    // number.
    struct state {
        std::vector<std::int64_t> integers;
        std::vector<double> reals;
    };
    state save() const;
    static quantile_sketch load(const state& saved);  // argument_error where it is none

private:
    // A level of weight 2^h holds fewer values than its size once an update is over.
    struct column_sketch {
        std::int64_t rows = 0;
        std::uint64_t draws = 0;
        std::vector<std::vector<double>> levels{1};

        void add(const double* values, std::int64_t count, std::uint64_t seed);
        void merge(const column_sketch& other, std::uint64_t seed);
        void compact(std::size_t level, std::uint64_t seed);
        void compact_all(std::uint64_t seed);
    };

    std::uint64_t seed_;
    std::vector<column_sketch> columns_;
};

}  // namespace mlestar::preprocessing
