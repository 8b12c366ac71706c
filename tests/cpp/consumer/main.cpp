// A program outside the tree that links the installed core.
#include <metrics/ranking.hpp>

#include <cstdio>

int main() {
    const double score[] = {0.1, 0.4, 0.35, 0.8};
    const std::int64_t y[] = {0, 0, 1, 1};
    const auto area = mlestar::metrics::roc_auc(
        {reinterpret_cast<const std::byte*>(y), mlestar::dtype::i64, 4, 8},
        {reinterpret_cast<const std::byte*>(score), mlestar::dtype::f64, 4, 8}, {});
    std::printf("%g\n", *area);
    return *area == 0.75 ? 0 : 1;
}
