#include "memory/pool_extents.hpp"

#include <new>

namespace mlestar::memory {

extent_map::extent_map(std::size_t granules) : granules_(granules), table_(nullptr) {
    void* pages = ::mmap(nullptr, granules * sizeof(extent*), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    table_ = static_cast<extent**>(pages);
    nodes_.reserve(64);
    extent* whole = make();
    whole->count = granules;
    place(whole);
    add_free(whole);
}

extent_map::~extent_map() { ::munmap(table_, granules_ * sizeof(extent*)); }

extent* extent_map::make() {
    if (unused_.empty()) {
        unused_.reserve(all_.size() + 1);  // dropping it will not need memory
        return &all_.emplace_back();
    }
    extent* part = unused_.back();
    unused_.pop_back();
    return part;
}

void extent_map::drop(extent* part) {
    *part = extent{};
    unused_.push_back(part);
}

void extent_map::place(extent* part) {
    table_[part->first] = part;
    table_[part->first + part->count - 1] = part;
}

void extent_map::add_free(extent* part) {
    std::set<key>& set = free_of(part->state);
    if (nodes_.empty()) {
        set.emplace(part->count, part->first);
    } else {
        auto node = std::move(nodes_.back());
        nodes_.pop_back();
        node.value() = {part->count, part->first};
        set.insert(std::move(node));
    }
    if (part->state != extent_state::cached) return;
    part->older = newest_;
    part->newer = nullptr;
    (newest_ == nullptr ? oldest_ : newest_->newer) = part;
    newest_ = part;
}

void extent_map::remove_free(extent* part) {
    std::set<key>& set = free_of(part->state);
    auto node = set.extract(key{part->count, part->first});
    if (nodes_.size() < nodes_.capacity()) nodes_.push_back(std::move(node));
    if (part->state != extent_state::cached) return;
    (part->older == nullptr ? oldest_ : part->older->newer) = part->newer;
    (part->newer == nullptr ? newest_ : part->newer->older) = part->older;
    part->older = part->newer = nullptr;
}

extent* extent_map::take(extent_state state, std::size_t count) {
    std::set<key>& set = free_of(state);
    const auto found = set.lower_bound(key{count, 0});
    if (found == set.end()) return nullptr;
    extent* part = table_[found->second];
    extent* rest = part->count > count ? make() : nullptr;  // before anything changes
    remove_free(part);
    if (rest != nullptr) {
        rest->first = part->first + count;
        rest->count = part->count - count;
        rest->state = state;
        part->count = count;
        place(rest);
        add_free(rest);
    }
    part->state = extent_state::block;
    place(part);
    return part;
}

// The neighbour's granules become those of `part`.
extent* extent_map::absorb(extent* part, extent* neighbour) {
    remove_free(neighbour);
    extent* left = neighbour->first < part->first ? neighbour : part;
    extent* right = left == part ? neighbour : part;
    // Where no extent begins or ends any more, the table has nothing.
    table_[left->first + left->count - 1] = nullptr;
    table_[right->first] = nullptr;
    part->count += neighbour->count;
    part->first = left->first;
    drop(neighbour);
    place(part);
    return part;
}

extent* extent_map::give(extent* part, extent_state state) {
    if (part->state != extent_state::block) remove_free(part);
    part->state = state;
    part->tag = 0;
    part->bytes = 0;
    part->origin.clear();
    extent* left = part->first == 0 ? nullptr : table_[part->first - 1];
    if (left != nullptr && left->state == state) absorb(part, left);
    const std::size_t end = part->first + part->count;
    extent* right = end == granules_ ? nullptr : table_[end];
    if (right != nullptr && right->state == state) absorb(part, right);
    add_free(part);
    return part;
}

extent* extent_map::begins_at(std::size_t granule) const {
    extent* part = table_[granule];
    return part != nullptr && part->first == granule ? part : nullptr;
}

}  // namespace mlestar::memory
