#include "memory/pool.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "support/error.hpp"

namespace mlestar::memory {
namespace {

constexpr std::size_t red_zone = 64;
constexpr std::size_t least_reserve = std::size_t{1} << 30;
constexpr unsigned char zone_paint = 0xE7;   // red zones
constexpr unsigned char fresh_paint = 0xCB;  // what nobody has written yet
constexpr unsigned char freed_paint = 0xDD;  // what nobody may write any more
constexpr std::int64_t look_every = 100;     // milliseconds

// Every pool there is, for fork. Never destroyed: a pool may end after the statics.
struct registry {
    std::mutex mutex;
    std::vector<host_pool*> pools;
};

registry& all_pools() {
    static registry* const all = [] {
        auto* made = new registry;
        pthread_atfork(
            [] {
                all_pools().mutex.lock();
                for (host_pool* pool : all_pools().pools) pool->lock();
            },
            [] {
                for (host_pool* pool : all_pools().pools) pool->unlock();
                all_pools().mutex.unlock();
            },
            [] {
                for (host_pool* pool : all_pools().pools) pool->unlock();
                all_pools().mutex.unlock();
            });
        return made;
    }();
    return *all;
}

void* map_nothing(std::size_t bytes) {
    void* pages =
        ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
}

// The first byte that is not painted, or `end`.
const std::byte* unpainted(const std::byte* from, const std::byte* end, unsigned char paint) {
    const auto more = static_cast<std::size_t>(end - from) - 1;
    // Painted bytes are each the same as the next, which the library compares many at a time.
    if (*from == std::byte{paint} && std::memcmp(from, from + 1, more) == 0) return end;
    return std::find_if(from, end, [=](std::byte value) { return value != std::byte{paint}; });
}

// Address space for a pool: half as much again and again where the system gives less.
std::size_t reserve_space(std::size_t wanted, std::byte** mapped, std::size_t* mapped_bytes) {
    const std::size_t step = host_pool::granule;
    rlimit most{};
    // Where address space is rationed, others need it too.
    if (::getrlimit(RLIMIT_AS, &most) == 0 && most.rlim_cur != RLIM_INFINITY)
        wanted = std::min(wanted, static_cast<std::size_t>(most.rlim_cur / 4));
    if (wanted > (std::size_t{1} << 46)) wanted = std::size_t{1} << 46;
    std::size_t bytes = std::max((wanted + step - 1) / step, std::size_t{1}) * step;
    for (;; bytes = std::max(bytes / 2 / step, std::size_t{1}) * step) {
        void* pages = map_nothing(bytes + step);
        if (pages != nullptr) {
            *mapped = static_cast<std::byte*>(pages);
            *mapped_bytes = bytes + step;
            return bytes;
        }
        if (bytes <= std::min(wanted, least_reserve)) throw std::bad_alloc();
    }
}

}  // namespace

host_pool::host_pool(host_pool_options options)
    : options_(std::move(options)),
      reserve_(reserve_space(options_.reserve, &mapped_, &mapped_bytes_)),
      guard_(options_.debug ? red_zone : 0),
      extents_(reserve_ / granule) {
    const auto address = reinterpret_cast<std::uintptr_t>(mapped_);
    base_ = mapped_ + (granule - address % granule) % granule;
    counters_.values().limit = options_.limit;
    registry& all = all_pools();
    const std::lock_guard lock(all.mutex);
    all.pools.push_back(this);
}

host_pool::~host_pool() {
    {
        registry& all = all_pools();
        const std::lock_guard lock(all.mutex);
        std::erase(all.pools, this);
    }
    ::munmap(mapped_, mapped_bytes_);
}

std::size_t host_pool::granules(std::size_t bytes) const {
    if (bytes > reserve_ - 2 * guard_) return reserve_ / granule + 1;
    return std::max((bytes + 2 * guard_ + granule - 1) / granule, std::size_t{1});
}

void host_pool::refuse(std::size_t bytes, const std::string& why) {
    ++counters_.values().failures;
    throw out_of_memory(bytes, why, counters_.values(), largest(blocks_locked(), 5));
}

// Pages may be touched from here on.
bool host_pool::commit(const extent& part) {
    const std::size_t bytes = part.count * granule;
    if (options_.refuse && options_.refuse(bytes)) return false;
    if (::mprotect(start(part), bytes, PROT_READ | PROT_WRITE) != 0) return false;
#ifdef MADV_HUGEPAGE
    if (options_.huge_pages) ::madvise(start(part), bytes, MADV_HUGEPAGE);  // advice: may be left
#endif
    return true;
}

// Cached pages go back to the system, and what the system had promised for them too. False where
// it refuses to cut its own tables any finer.
bool host_pool::release(extent* part) {
    const std::size_t bytes = part->count * granule;
    void* pages = ::mmap(start(*part), bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (pages == MAP_FAILED) return false;
    pool_statistics& values = counters_.values();
    values.cached -= bytes;
    values.held -= bytes;
    values.released += bytes;
    extents_.give(part, extent_state::cold);
    return true;
}

std::size_t host_pool::trim_locked(std::size_t keep) {
    pool_statistics& values = counters_.values();
    const std::uint64_t before = values.released;
    while (values.cached > keep && release(extents_.oldest_cached())) {
    }
    return static_cast<std::size_t>(values.released - before);
}

void host_pool::watch_pressure() {
    const std::int64_t now = milliseconds();
    if (now - looked_ < look_every || counters_.values().cached == 0) return;
    looked_ = now;
    if (options_.room().tight()) trim_locked(0);
}

// Memory that nobody has touched, within the limit; nullptr where the system gives no more.
extent* host_pool::take_cold(std::size_t count) {
    pool_statistics& values = counters_.values();
    const std::size_t bytes = count * granule;
    watch_pressure();
    trim_locked(values.cacheable(bytes));
    extent* part = extents_.take(extent_state::cold, count);
    if (part == nullptr) {  // the address space is cut up: whole it may do
        trim_locked(0);
        part = extents_.take(extent_state::cold, count);
        if (part == nullptr) return nullptr;
    }
    if (!commit(*part)) {
        trim_locked(0);
        if (!commit(*part)) {
            extents_.give(part, extent_state::cold);
            return nullptr;
        }
    }
    values.held += bytes;
    return part;
}

void* host_pool::allocate(std::size_t bytes, std::uint32_t tag, bool zeroed) {
    std::string origin;
    if (const origin_function tell = origin_.load()) origin = tell();
    const std::size_t count = granules(bytes);
    extent* part = nullptr;
    bool hit = true;
    bool written_after_free = false;
    {
        const std::lock_guard lock(mutex_);
        pool_statistics& values = counters_.values();
        if (tag >= counters_.tags())
            throw argument_error("tag is " + std::to_string(tag) + ", but must be one of " +
                                 std::to_string(counters_.tags()) + " that the pool has made");
        const std::size_t used = values.held - values.cached;
        if (values.limit != 0 &&
            (count > values.limit / granule || used + count * granule > values.limit))
            refuse(bytes, "the limit is reached");
        part = extents_.take(extent_state::cached, count);
        if (part == nullptr) {
            hit = false;
            part = take_cold(count);
            if (part == nullptr) refuse(bytes, "the system has no more");
        } else {
            values.cached -= count * granule;
            if (options_.debug) {
                const std::byte* const end = start(*part) + count * granule;
                written_after_free = unpainted(start(*part), end, freed_paint) != end;
                if (written_after_free) {  // back, for others, and the caller is told
                    std::memset(start(*part), freed_paint, count * granule);
                    extents_.give(part, extent_state::cached);
                    values.cached += count * granule;
                    throw corruption_error("memory of the pool was written to after it was freed");
                }
            }
        }
        part->tag = tag;
        part->bytes = bytes;
        part->serial = ++serial_;
        part->origin = std::move(origin);
        counters_.allocated(tag, bytes, hit);
    }
    // The block is the caller's now: no lock for what takes long.
    if (options_.debug) paint(*part);
    if (zeroed && (hit || options_.debug)) std::memset(user(*part), 0, bytes);
    return user(*part);
}

// Red zones before and behind, and bytes that nobody takes for values.
void host_pool::paint(const extent& part) const {
    std::memset(start(part), zone_paint, guard_);
    std::memset(user(part), fresh_paint, part.bytes);
    std::memset(user(part) + part.bytes, zone_paint, guard_);
}

std::string host_pool::describe(const extent& part) const {
    std::string text = "block of " + std::to_string(part.bytes) + " bytes";
    if (const std::string& name = counters_.name(part.tag); !name.empty())
        text += " '" + name + "'";
    if (!part.origin.empty()) text += " from " + part.origin;
    return text;
}

std::string host_pool::damage(const extent& part) const {
    if (guard_ == 0) return "";
    const std::byte* const data = user(part);
    const std::byte* const end = data + part.bytes;
    if (unpainted(data - guard_, data, zone_paint) != data)
        return describe(part) + " was written before its beginning";
    const std::byte* const hurt = unpainted(end, end + guard_, zone_paint);
    if (hurt != end + guard_)
        return describe(part) + " was written " + std::to_string(hurt - end + 1) +
               " bytes past its end";
    return "";
}

extent* host_pool::find_block(const void* block) const {
    if (!owns(block)) throw argument_error("the address is not in this pool's memory");
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(block) - base_);
    extent* part = extents_.begins_at(offset / granule);
    if (offset % granule != guard_ || part == nullptr || part->state != extent_state::block)
        throw argument_error(
            "no block in use begins at the address: it was freed before, or lies inside a block");
    return part;
}

void host_pool::free(void* block) {
    std::string damaged;
    {
        const std::lock_guard lock(mutex_);
        extent* part = find_block(block);
        if (options_.debug) {
            damaged = damage(*part);
            std::memset(start(*part), freed_paint, part->count * granule);
        }
        pool_statistics& values = counters_.values();
        counters_.freed(part->tag, part->bytes);
        values.cached += part->count * granule;
        extents_.give(part, extent_state::cached);
        trim_locked(
            std::min(options_.keep, values.cacheable()));  // the limit may have been lowered
        watch_pressure();
    }
    if (!damaged.empty()) throw corruption_error(damaged);
}

void* host_pool::reallocate(void* block, std::size_t bytes) {
    std::size_t before = 0;
    std::uint32_t tag = 0;
    {
        const std::lock_guard lock(mutex_);
        extent* part = find_block(block);
        if (granules(bytes) == part->count && !options_.debug) {
            counters_.resized(part->tag, part->bytes, bytes);
            part->bytes = bytes;
            return block;
        }
        if (const std::string words = damage(*part); !words.empty()) throw corruption_error(words);
        before = part->bytes;
        tag = part->tag;
    }
    void* moved = nullptr;
    try {
        moved = allocate(bytes, tag);
    } catch (const out_of_memory&) {
        if (bytes > before) throw;
        // Fewer bytes than there are need no memory: the block stays as large as it was.
        const std::lock_guard lock(mutex_);
        extent* part = find_block(block);
        counters_.resized(tag, before, bytes);
        part->bytes = bytes;
        if (options_.debug) std::memset(user(*part) + bytes, zone_paint, guard_);
        return block;
    }
    std::memcpy(moved, block, std::min(before, bytes));
    free(block);
    return moved;
}

std::size_t host_pool::size_of(void* block) const {
    const std::lock_guard lock(mutex_);
    return find_block(block)->bytes;
}

std::uint32_t host_pool::tag(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return counters_.tag(name);
}

pool_statistics host_pool::statistics() const {
    const std::lock_guard lock(mutex_);
    return counters_.values();
}

void host_pool::reset_peaks() {
    const std::lock_guard lock(mutex_);
    counters_.reset_peaks();
}

std::vector<live_block> host_pool::blocks_locked() const {
    std::vector<live_block> found;
    extents_.each_block([&](const extent& part) {
        found.push_back({reinterpret_cast<std::uintptr_t>(user(part)), part.bytes,
                         counters_.name(part.tag), part.serial, part.origin});
    });
    std::sort(found.begin(), found.end(),
              [](const live_block& a, const live_block& b) { return a.serial < b.serial; });
    return found;
}

std::vector<live_block> host_pool::blocks() const {
    const std::lock_guard lock(mutex_);
    return blocks_locked();
}

std::vector<std::string> host_pool::check() const {
    std::vector<std::string> found;
    const std::lock_guard lock(mutex_);
    extents_.each_block([&](const extent& part) {
        std::string words = damage(part);
        if (!words.empty()) found.push_back(std::move(words));
    });
    return found;
}

std::size_t host_pool::trim(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    return trim_locked(keep);
}

void host_pool::set_limit(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    pool_statistics& values = counters_.values();
    values.limit = limit;
    trim_locked(values.cacheable());
}

void host_pool::set_keep(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    options_.keep = keep;
    trim_locked(keep);
}

std::size_t host_pool::keep() const {
    const std::lock_guard lock(mutex_);
    return options_.keep;
}

}  // namespace mlestar::memory
