// How a state is taken apart.
#include "metrics/streaming.hpp"
#include "support/error.hpp"

namespace mlestar::metrics {

std::int64_t state_reader::integer() {
    if (integers_ == state_.integers.size())
        throw argument_error("state is too short: it is not one of this accumulator");
    return state_.integers[integers_++];
}

std::int64_t state_reader::count(std::int64_t least, std::int64_t most) {
    const std::int64_t value = integer();
    if (value < least || value > most)
        throw argument_error("state holds " + std::to_string(value) + " where it must lie in [" +
                             std::to_string(least) + ", " + std::to_string(most) + "]");
    return value;
}

double state_reader::real() {
    if (reals_ == state_.reals.size())
        throw argument_error("state is too short: it is not one of this accumulator");
    return state_.reals[reals_++];
}

void state_reader::finish() const {
    if (integers_ != state_.integers.size() || reals_ != state_.reals.size())
        throw argument_error("state is too long: it is not one of this accumulator");
}

}  // namespace mlestar::metrics
