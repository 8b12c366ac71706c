// What finds the codes of a table's columns, as Python holds it.
#pragma once

#include <vector>

#include "bindings/array.hpp"
#include "preprocessing/encode.hpp"
#include "support/error.hpp"

namespace mlestar::bindings {

struct column_coders {
    column_coders() = default;
    column_coders(column_coders&&) = default;
    column_coders(const column_coders&) = delete;
    column_coders& operator=(const column_coders&) = delete;

    std::vector<preprocessing::coder> coders;
};

inline void require_as_many(const column_coders& coders,
                            const std::vector<preprocessing::category_column>& columns) {
    if (coders.coders.size() != columns.size())
        throw argument_error("X has " + std::to_string(columns.size()) +
                             " columns, but must have " + std::to_string(coders.coders.size()));
}

}  // namespace mlestar::bindings
