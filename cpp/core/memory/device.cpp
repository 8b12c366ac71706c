#include "memory/device.hpp"

#include <algorithm>

#include "support/error.hpp"

namespace mlestar::memory {
namespace {

constexpr std::size_t small_step = 512;
constexpr std::size_t large_step = std::size_t{64} << 10;
constexpr std::size_t most_bytes = std::size_t{1} << 60;
constexpr int most_retries = 8;

std::size_t round_up(std::size_t bytes, std::size_t step) {
    return (bytes + step - 1) / step * step;
}

}  // namespace

device_pool::device_pool(std::unique_ptr<device_upstream> upstream, device_pool_options options)
    : upstream_(std::move(upstream)), options_(options) {
    counters_.values().limit = options_.limit;
}

device_pool::~device_pool() {
    try {
        for (auto& [stream, state] : streams_) {
            upstream_->synchronize(state.event);
            upstream_->destroy_event(state.event);
        }
        for (auto& [data, part] : segments_) upstream_->free(data);
    } catch (const std::exception&) {
        // The device is gone, and its memory with it.
    }
}

device_pool::stream_state& device_pool::state_of(stream_handle stream) {
    const auto found = streams_.find(stream);
    if (found != streams_.end()) return found->second;
    const event_handle event = upstream_->make_event();
    stream_state& state = streams_[stream];
    state.event = event;
    return state;
}

device_pool::chunk* device_pool::make() {
    if (unused_.empty()) {
        unused_.reserve(all_.size() + 1);
        return &all_.emplace_back();
    }
    chunk* part = unused_.back();
    unused_.pop_back();
    return part;
}

void device_pool::drop(chunk* part) {
    *part = chunk{};
    unused_.push_back(part);
}

void device_pool::add_free(chunk* part) {
    part->free = true;
    state_of(part->stream).free[part->home->small].emplace(key{part->size, part->data}, part);
}

void device_pool::remove_free(chunk* part) {
    part->free = false;
    state_of(part->stream).free[part->home->small].erase(key{part->size, part->data});
}

// With free neighbours of its stream; the part itself is in no list yet.
void device_pool::merge(chunk* part) {
    chunk* left = part->before;
    if (left != nullptr && left->free && left->stream == part->stream) {
        remove_free(left);
        part->data = left->data;
        part->size += left->size;
        part->before = left->before;
        if (left->before != nullptr) left->before->after = part;
        drop(left);
    }
    chunk* right = part->after;
    if (right != nullptr && right->free && right->stream == part->stream) {
        remove_free(right);
        part->size += right->size;
        part->after = right->after;
        if (right->after != nullptr) right->after->before = part;
        drop(right);
    }
}

// A free part out of its list, cut to the size; the rest stays free on the stream it was.
device_pool::chunk* device_pool::cut(chunk* part, std::size_t size) {
    chunk* rest = part->size > size ? make() : nullptr;
    remove_free(part);
    if (rest == nullptr) return part;
    rest->data = part->data + size;
    rest->size = part->size - size;
    rest->home = part->home;
    rest->stream = part->stream;
    rest->before = part;
    rest->after = part->after;
    if (part->after != nullptr) part->after->before = rest;
    part->after = rest;
    part->size = size;
    add_free(rest);
    return part;
}

device_pool::chunk* device_pool::find(std::size_t size, bool small, stream_handle stream) {
    auto& parts = state_of(stream).free[small];
    const auto found = parts.lower_bound(key{size, nullptr});
    return found == parts.end() ? nullptr : cut(found->second, size);
}

// What another stream has freed: only where its work before that is done, or where this stream is
// to wait for it.
device_pool::chunk* device_pool::find_elsewhere(std::size_t size, bool small, stream_handle stream,
                                                bool waiting) {
    chunk* best = nullptr;
    for (auto& [other, state] : streams_) {
        if (other == stream) continue;
        const auto found = state.free[small].lower_bound(key{size, nullptr});
        if (found == state.free[small].end()) continue;
        if (best != nullptr && best->size <= found->second->size) continue;
        if (waiting || upstream_->done(state.event)) best = found->second;
    }
    if (best == nullptr) return nullptr;
    if (waiting) upstream_->wait(stream, state_of(best->stream).event);
    return cut(best, size);
}

// A new segment, in one part free on the stream; no larger than it must be where the limit or the
// device is near.
device_pool::chunk* device_pool::grow(std::size_t size, bool small, stream_handle stream) {
    pool_statistics& values = counters_.values();
    const std::size_t usual = small ? small_segment : std::max(size, options_.segment);
    void* memory = nullptr;
    std::size_t bytes = usual;
    for (const std::size_t wanted : {usual, size}) {
        bytes = wanted;
        if (values.limit != 0 && (bytes > values.limit || values.held > values.limit - bytes))
            continue;
        memory = upstream_->allocate(bytes);
        if (memory != nullptr) break;
    }
    if (memory == nullptr) return nullptr;
    auto* data = static_cast<std::byte*>(memory);
    segment& home = segments_[data];
    home = {data, bytes, small};
    chunk* part = make();
    part->data = data;
    part->size = bytes;
    part->home = &home;
    part->stream = stream;
    values.held += bytes;
    values.cached += bytes;
    add_free(part);
    return cut(part, size);
}

// Everything free waits for nothing any more, so that neighbours of different streams become one.
void device_pool::gather_all() {
    std::vector<chunk*> parts;
    for (auto& [stream, state] : streams_) {
        upstream_->synchronize(state.event);
        for (auto& list : state.free)
            for (auto& [place, part] : list) parts.push_back(part);
    }
    if (parts.empty()) return;
    const stream_handle one = streams_.begin()->first;
    for (chunk* part : parts) {
        remove_free(part);
        part->stream = one;
        add_free(part);
    }
    std::sort(parts.begin(), parts.end(),
              [](const chunk* a, const chunk* b) { return a->data < b->data; });
    // From left to right each takes in the one before it, which is then gone from the list.
    for (chunk* part : parts) {
        remove_free(part);
        chunk* right = part->after;
        part->after = nullptr;  // only to the left, or a part still to come would be dropped
        merge(part);
        part->after = right;
        add_free(part);
    }
}

device_pool::chunk* device_pool::take(std::size_t size, bool small, stream_handle stream,
                                      bool& hit) {
    hit = true;
    if (chunk* part = find(size, small, stream)) return part;
    if (chunk* part = find_elsewhere(size, small, stream, false)) return part;
    hit = false;
    if (chunk* part = grow(size, small, stream)) return part;
    hit = true;
    if (chunk* part = find_elsewhere(size, small, stream, true)) return part;
    if (counters_.values().cached == 0) return nullptr;
    gather_all();
    if (chunk* part = find_elsewhere(size, small, stream, true)) return part;
    if (chunk* part = find(size, small, stream)) return part;
    hit = false;
    trim_locked(0);
    return grow(size, small, stream);
}

void* device_pool::allocate(std::size_t bytes, stream_handle stream, std::uint32_t tag) {
    std::unique_lock lock(mutex_);
    pool_statistics& values = counters_.values();
    if (tag >= counters_.tags())
        throw argument_error("tag is " + std::to_string(tag) + ", but must be one of " +
                             std::to_string(counters_.tags()) + " that the pool has made");
    const bool small = bytes <= small_limit;
    const std::size_t size = bytes > most_bytes ? 0
                                                : round_up(std::max(bytes, std::size_t{1}),
                                                           small ? small_step : large_step);
    for (int attempt = 0;; ++attempt) {
        bool hit = false;
        chunk* part = size == 0 ? nullptr : take(size, small, stream, hit);
        if (part != nullptr) {
            part->stream = stream;
            part->bytes = bytes;
            part->tag = tag;
            part->serial = ++serial_;
            live_.emplace(part->data, part);
            values.cached -= part->size;
            counters_.allocated(tag, bytes, hit);
            return part->data;
        }
        if (size == 0 || !exhausted_ || attempt == most_retries) break;
        exhausted_function ask = exhausted_;
        lock.unlock();  // it frees blocks of this pool
        const bool again = ask(bytes);
        ask = nullptr;  // what it holds may need locks of its own to go
        lock.lock();
        if (!again) break;
    }
    ++values.failures;
    const bool limited = values.limit != 0 &&
                         (size > values.limit || size == 0 || values.held > values.limit - size);
    throw out_of_memory(bytes, limited ? "the limit is reached" : "the system has no more", values,
                        largest(blocks_locked(), 5));
}

void device_pool::free(void* block, stream_handle stream) {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(block);
    if (found == live_.end())
        throw argument_error(
            "no block of this pool in use begins at the address: it was freed before, or is "
            "somebody else's");
    chunk* part = found->second;
    upstream_->record(state_of(stream).event, stream);  // if it fails, nothing has changed
    live_.erase(found);
    pool_statistics& values = counters_.values();
    counters_.freed(part->tag, part->bytes);
    values.cached += part->size;
    part->stream = stream;
    merge(part);
    add_free(part);
    trim_locked(std::min(options_.keep, values.cacheable()));
}

std::size_t device_pool::trim_locked(std::size_t keep) {
    pool_statistics& values = counters_.values();
    if (values.cached <= keep) return 0;
    gather_all();
    const std::uint64_t before = values.released;
    const auto whole = [this](const chunk& part) {
        return part.free && part.home != nullptr && part.size == part.home->size;
    };
    for (chunk& part : all_) {
        if (values.cached <= keep) break;
        if (!whole(part)) continue;
        remove_free(&part);
        upstream_->free(part.data);
        values.cached -= part.size;
        values.held -= part.size;
        values.released += part.size;
        segments_.erase(part.data);
        drop(&part);
    }
    return static_cast<std::size_t>(values.released - before);
}

std::size_t device_pool::size_of(void* block) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(block);
    if (found == live_.end()) throw argument_error("no block of this pool begins at the address");
    return found->second->bytes;
}

std::uint32_t device_pool::tag(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return counters_.tag(name);
}

pool_statistics device_pool::statistics() const {
    const std::lock_guard lock(mutex_);
    return counters_.values();
}

void device_pool::reset_peaks() {
    const std::lock_guard lock(mutex_);
    counters_.reset_peaks();
}

std::vector<live_block> device_pool::blocks_locked() const {
    std::vector<live_block> found;
    for (const auto& [block, part] : live_)
        found.push_back({reinterpret_cast<std::uintptr_t>(block), part->bytes,
                         counters_.name(part->tag), part->serial, ""});
    std::sort(found.begin(), found.end(),
              [](const live_block& a, const live_block& b) { return a.serial < b.serial; });
    return found;
}

std::vector<live_block> device_pool::blocks() const {
    const std::lock_guard lock(mutex_);
    return blocks_locked();
}

std::size_t device_pool::trim(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    return trim_locked(keep);
}

void device_pool::set_limit(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    pool_statistics& values = counters_.values();
    values.limit = limit;
    trim_locked(values.cacheable());
}

void device_pool::set_keep(std::size_t keep) {
    const std::lock_guard lock(mutex_);
    options_.keep = keep;
    trim_locked(keep);
}

std::size_t device_pool::keep() const {
    const std::lock_guard lock(mutex_);
    return options_.keep;
}

void device_pool::on_exhausted(exhausted_function callback) {
    const std::lock_guard lock(mutex_);
    exhausted_.swap(callback);  // the one before goes after the lock
}

}  // namespace mlestar::memory
