// Large temporary arrays: uninitialized, so that a page is touched first by the thread that fills
// it, and in huge pages where the system has them, so that scattered writes do not miss the TLB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mlestar {

namespace detail {
void* allocate_scratch(std::size_t size, std::size_t element);  // throws std::bad_alloc
void release_scratch(void* memory);
}  // namespace detail

template <class T>
class scratch_array {
public:
    explicit scratch_array(std::size_t size = 0)
        : size_(size),
          data_(size == 0 ? nullptr : static_cast<T*>(detail::allocate_scratch(size, sizeof(T)))) {}
    ~scratch_array() {
        if (data_ != nullptr) detail::release_scratch(data_);
    }
    scratch_array(const scratch_array&) = delete;
    scratch_array& operator=(const scratch_array&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data_[i]; }

private:
    std::size_t size_;
    T* data_;
};

}  // namespace mlestar
