// Instruction-set levels: kernels are compiled once per level, one is chosen for the whole process.
#pragma once

#include <string>
#include <vector>

namespace mlestar {

enum class level { baseline, avx2 };

// The level in use: MLESTAR_SIMD if set, else the best one that was compiled and that this CPU
// runs. Throws argument_error when MLESTAR_SIMD names a level that is unknown, not compiled or not
// runnable.
level active_level();

const char* name_of(level value);
std::vector<level> compiled_levels();
std::vector<std::string> level_names();  // of the compiled levels

// Picks a capability's table of function pointers. Called once per capability, at the boundary.
template <class Table>
const Table& select(const Table& baseline, const Table& avx2) {
    return active_level() == level::avx2 ? avx2 : baseline;
}

}  // namespace mlestar

// Declares the tables that the per-level sources of a capability define (Table_table, one a level:
// the name differs by capability, or the linker would take one room's for another's) and
// `kernels()` that picks one. Stands in the capability's namespace, in its .cpp.
#ifdef MLESTAR_HAVE_AVX2
#define MLESTAR_SELECT_KERNELS(Table)                                        \
    namespace baseline {                                                     \
    extern const Table Table##_table;                                        \
    }                                                                        \
    namespace avx2 {                                                         \
    extern const Table Table##_table;                                        \
    }                                                                        \
    namespace {                                                              \
    const Table& kernels() {                                                 \
        static const Table& chosen =                                         \
            ::mlestar::select(baseline::Table##_table, avx2::Table##_table); \
        return chosen;                                                       \
    }                                                                        \
    }
#else
#define MLESTAR_SELECT_KERNELS(Table)                                            \
    namespace baseline {                                                         \
    extern const Table Table##_table;                                            \
    }                                                                            \
    namespace {                                                                  \
    const Table& kernels() {                                                     \
        static const Table& chosen =                                             \
            ::mlestar::select(baseline::Table##_table, baseline::Table##_table); \
        return chosen;                                                           \
    }                                                                            \
    }
#endif
