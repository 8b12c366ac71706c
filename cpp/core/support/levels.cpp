#include "support/levels.hpp"

#include <cstdlib>
#include <string>

#include "support/error.hpp"

namespace mlestar {
namespace {

bool cpu_runs(level value) {
    if (value == level::baseline) return true;
#if defined(__x86_64__)
    // x86-64-v3 is more than AVX2, and v4 more than AVX-512: a CPU must have every extension the
    // compiler may use.
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    if (value == level::avx2) return v3;
    return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

level choose() {
    const auto compiled = compiled_levels();
    const char* forced = std::getenv("MLESTAR_SIMD");
    if (forced == nullptr || *forced == '\0') {
        level best = level::baseline;
        for (level candidate : compiled)
            if (cpu_runs(candidate)) best = candidate;
        return best;
    }
    std::string runnable;
    for (level candidate : compiled) {
        if (!cpu_runs(candidate)) continue;
        if (std::string(forced) == name_of(candidate)) return candidate;
        runnable += std::string(runnable.empty() ? "" : ", ") + name_of(candidate);
    }
    throw argument_error(std::string("MLESTAR_SIMD is '") + forced +
                         "', but this build on this CPU can run: " + runnable);
}

}  // namespace

level active_level() {
    static const level chosen = choose();
    return chosen;
}

const char* name_of(level value) {
    switch (value) {
        case level::avx512: return "avx512";
        case level::avx2: return "avx2";
        default: return "baseline";
    }
}

std::vector<level> compiled_levels() {
#ifdef MLESTAR_HAVE_AVX2
    return {level::baseline, level::avx2, level::avx512};
#else
    return {level::baseline};
#endif
}

std::vector<std::string> level_names() {
    std::vector<std::string> names;
    for (level value : compiled_levels())
        if (cpu_runs(value)) names.emplace_back(name_of(value));
    return names;
}

}  // namespace mlestar
