#include "support/scratch.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace mlestar::detail {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void* allocate_scratch(std::size_t size, std::size_t element) {
    if (size > static_cast<std::size_t>(PTRDIFF_MAX) / element) throw std::bad_alloc();
    const std::size_t bytes = size * element;
    if (bytes < 2 * huge_page) {
        void* memory = std::malloc(bytes);
        if (memory == nullptr) throw std::bad_alloc();
        return memory;
    }
    void* memory = nullptr;
    if (posix_memalign(&memory, huge_page, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);  // advice: nothing is lost where it is not taken
#endif
    return memory;
}

void release_scratch(void* memory) { std::free(memory); }

}  // namespace mlestar::detail
