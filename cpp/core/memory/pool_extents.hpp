// A stretch of address space cut into extents: which are blocks, which are free with their pages
// kept, which are free without pages. Best fit, and neighbours of a kind become one. It touches no
// memory and makes no system call; the pool does, and holds the lock.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mlestar::memory {

enum class extent_state : std::uint8_t { block, cached, cold };

struct extent {
    std::size_t first = 0;  // in granules
    std::size_t count = 0;
    extent_state state = extent_state::cold;
    // Of a block:
    std::uint32_t tag = 0;
    std::size_t bytes = 0;  // asked for
    std::uint64_t serial = 0;
    std::string origin;
    // Of a cached extent: those freed before and after it.
    extent* older = nullptr;
    extent* newer = nullptr;
};

class extent_map {
public:
    explicit extent_map(std::size_t granules);
    ~extent_map();
    extent_map(const extent_map&) = delete;
    extent_map& operator=(const extent_map&) = delete;

    // The smallest free extent of that state that holds `count`, cut to it and made a block;
    // nullptr where there is none.
    extent* take(extent_state state, std::size_t count);

    // Turns an extent into one of a free state, merged with its neighbours of that state.
    extent* give(extent* part, extent_state state);

    // The extent that begins at a granule; nullptr where none does.
    extent* begins_at(std::size_t granule) const;
    extent* oldest_cached() const { return oldest_; }

    template <class Visit>
    void each_block(Visit visit) const {
        for (std::size_t at = 0; at < granules_; at += table_[at]->count)
            if (table_[at]->state == extent_state::block) visit(*table_[at]);
    }

private:
    using key = std::pair<std::size_t, std::size_t>;  // count, first
    std::set<key>& free_of(extent_state state) {
        return state == extent_state::cached ? cached_ : cold_;
    }
    extent* make();
    void drop(extent* part);
    void place(extent* part);
    void add_free(extent* part);
    void remove_free(extent* part);
    extent* absorb(extent* part, extent* neighbour);

    std::size_t granules_;
    extent** table_;  // of the first and the last granule of each extent; pages come when touched
    std::set<key> cached_, cold_;
    std::vector<std::set<key>::node_type> nodes_;  // kept, so that a hit allocates nothing
    std::deque<extent> all_;
    std::vector<extent*> unused_;
    extent* oldest_ = nullptr;
    extent* newest_ = nullptr;
};

}  // namespace mlestar::memory
