// Instruction-set levels: kernels are compiled once per level, one is chosen for the whole process.
#pragma once

#include <string>
#include <vector>

namespace mlestar {

enum class level { baseline, avx2, avx512 };

// The level in use: MLESTAR_SIMD if set, else the best one that was compiled and that this CPU
// runs. Throws argument_error when MLESTAR_SIMD names a level that is unknown, not compiled or not
// runnable.
level active_level();

const char* name_of(level value);
std::vector<level> compiled_levels();
std::vector<std::string> level_names();  // of the compiled levels that this CPU runs

// Picks a capability's table of function pointers. Called once per capability, at the boundary.
// What gains nothing by AVX-512 has no code for it and runs that for AVX2.
template <class Table>
const Table& select(const Table& baseline, const Table& avx2, const Table& avx512) {
    switch (active_level()) {
        case level::avx512: return avx512;
        case level::avx2: return avx2;
        default: return baseline;
    }
}

}  // namespace mlestar

// Declares the tables that the per-level sources of a capability define (Table_table, one a level:
// the name differs by capability, or the linker would take one room's for another's) and
// `kernels()` that picks one. Stands in the capability's namespace, in its .cpp.
#define MLESTAR_DECLARE_TABLE(Level, Table) \
    namespace Level {                       \
    extern const Table Table##_table;       \
    }
#define MLESTAR_KERNELS_OF(Table, Second, Third)                                   \
    namespace {                                                                    \
    const Table& kernels() {                                                       \
        static const Table& chosen = ::mlestar::select(                            \
            baseline::Table##_table, Second::Table##_table, Third::Table##_table); \
        return chosen;                                                             \
    }                                                                              \
    }

#ifdef MLESTAR_HAVE_AVX2
#define MLESTAR_SELECT_KERNELS(Table)      \
    MLESTAR_DECLARE_TABLE(baseline, Table) \
    MLESTAR_DECLARE_TABLE(avx2, Table)     \
    MLESTAR_KERNELS_OF(Table, avx2, avx2)
#define MLESTAR_SELECT_KERNELS_AVX512(Table) \
    MLESTAR_DECLARE_TABLE(baseline, Table)   \
    MLESTAR_DECLARE_TABLE(avx2, Table)       \
    MLESTAR_DECLARE_TABLE(avx512, Table)     \
    MLESTAR_KERNELS_OF(Table, avx2, avx512)
#else
#define MLESTAR_SELECT_KERNELS(Table)      \
    MLESTAR_DECLARE_TABLE(baseline, Table) \
    MLESTAR_KERNELS_OF(Table, baseline, baseline)
#define MLESTAR_SELECT_KERNELS_AVX512(Table) MLESTAR_SELECT_KERNELS(Table)
#endif
