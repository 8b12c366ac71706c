// The rows of a convex weights problem: columns of predictions that are read in place where they
// can be, the loss of their blend, and its derivatives by the weights.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "support/scratch.hpp"
#include "support/span.hpp"

namespace mlestar::ensemble {

enum class convex_loss { log, squared, huber, pinball, custom };

// Which values of a model's matrix are its column: the only one; the one of the row's true class;
// or those of all classes, one class behind the other, each with the target 1 where it is the row's
// class and 0 elsewhere.
enum class convex_layout { column, true_class, every_class };

// A loss of one's own: the values' weighted sum, with the weighted first and second derivatives by
// the blend written to the last two.
using custom_loss = std::function<double(const double* blend, double* first, double* second)>;

struct convex_data {
    convex_loss loss = convex_loss::log;
    convex_layout layout = convex_layout::column;
    double parameter = 0.0;  // Huber's delta, the pinball's quantile
    std::vector<matrix_view> predictions;
    vector_view y;
    vector_view weight;  // may be empty
    bool probabilities = false;
    custom_loss custom;
    // Bytes that columns may take which cannot be read in place; those beyond are read again at
    // each pass.
    std::int64_t cache = std::int64_t{4} << 30;
};

class convex_rows {
public:
    // Throws argument_error naming the model whose predictions are not usable. The views must
    // outlive the object.
    explicit convex_rows(const convex_data& data);

    std::int64_t models() const { return models_; }
    std::int64_t tiles() const { return tiles_; }
    std::int64_t rows() const { return rows_; }

    struct evaluation {
        double smooth = 0.0;
        double loss = 0.0;
        double slack = 0.0;
        std::vector<double> gradient;
    };

    // The mean loss at these weights over every stride-th tile. `smoothing`: of the pinball's kink,
    // or Huber's delta. `move`, for the pinball, may be empty: the next step of the
    // weights, with which slack and gradient are those of derivatives taken along it.
    evaluation evaluate(const std::vector<double>& weights, std::int64_t stride, double smoothing,
                        const std::vector<double>& move = {});

    // The second derivatives of the last evaluation by the weights of these models, row-major.
    std::vector<double> hessian(const std::vector<std::int64_t>& models, std::int64_t stride) const;

private:
    struct tile {
        std::int64_t part;   // the class, where the layout is every class
        std::int64_t first;  // row of the matrices
        std::int64_t count;
        std::int64_t place;  // position in a column
    };

    tile tile_at(std::int64_t number) const;
    void read_target();
    void read_weight();
    void prepare();
    bool keep_copy(std::int64_t model);
    bool usable(std::int64_t model, const tile& at, const double* values, bool& near) const;
    bool sum_to_one(std::int64_t model, const tile& at) const;
    [[noreturn]] void refuse(std::int64_t model) const;
    const double* read_tile(std::int64_t model, const tile& at, double* buffer) const;
    void clip(const double* values, std::int64_t count, double* clipped) const;
    const double* column(std::int64_t model, const tile& at, double* buffer) const;
    const double* target_of(const tile& at, double* buffer) const;
    double total(std::int64_t stride) const;
    template <class Body>
    std::vector<double> sum_tiles(std::int64_t stride, std::size_t sums, Body body) const;

    convex_data data_;
    std::int64_t models_;
    std::int64_t rows_;
    std::int64_t parts_ = 1;
    std::int64_t tiles_of_part_;
    std::int64_t tiles_;
    std::vector<std::int64_t> label_;
    std::vector<double> target_;
    std::vector<double> weight_;
    // Per model: null where every pass reads the view again.
    std::vector<const double*> direct_;
    std::vector<std::unique_ptr<scratch_array<double>>> cached_;
    std::int64_t cached_bytes_ = 0;
    std::unique_ptr<scratch_array<double>> second_;  // of the last evaluation
};

}  // namespace mlestar::ensemble
