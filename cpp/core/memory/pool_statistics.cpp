#include "memory/pool_statistics.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace mlestar::memory {

namespace {

std::string describe(std::size_t requested, const std::string& why, const pool_statistics& state,
                     const std::vector<live_block>& holders) {
    std::string text = "cannot allocate " + readable(requested) + ": " + why + " (" +
                       readable(state.in_use) + " in use in " + std::to_string(state.blocks) +
                       " blocks, " + readable(state.cached) + " cached, limit " +
                       (state.limit == 0 ? "none" : readable(state.limit)) + ")";
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const live_block& block = holders[i];
        text += (i == 0 ? "; largest: " : ", ") + readable(block.bytes);
        if (!block.tag.empty()) text += " '" + block.tag + "'";
        if (!block.origin.empty()) text += " from " + block.origin;
    }
    return text;
}

}  // namespace

out_of_memory::out_of_memory(std::size_t requested, const std::string& why,
                             const pool_statistics& state, std::vector<live_block> holders)
    : requested_(requested),
      holders_(std::move(holders)),
      what_(describe(requested, why, state, holders_)) {}

counters::counters() { values_.tags.emplace_back(); }  // tag 0: without a name

std::uint32_t counters::tag(const std::string& name) {
    for (std::size_t i = 0; i < values_.tags.size(); ++i)
        if (values_.tags[i].tag == name) return static_cast<std::uint32_t>(i);
    values_.tags.push_back({name, 0, 0, 0});
    return static_cast<std::uint32_t>(values_.tags.size() - 1);
}

void counters::allocated(std::uint32_t tag, std::size_t bytes, bool hit) {
    tag_statistics& mine = values_.tags[tag];
    values_.in_use += bytes;
    values_.peak = std::max(values_.peak, values_.in_use);
    ++values_.blocks;
    mine.in_use += bytes;
    mine.peak = std::max(mine.peak, mine.in_use);
    ++mine.blocks;
    ++(hit ? values_.hits : values_.misses);
}

void counters::freed(std::uint32_t tag, std::size_t bytes) {
    tag_statistics& mine = values_.tags[tag];
    values_.in_use -= bytes;
    --values_.blocks;
    mine.in_use -= bytes;
    --mine.blocks;
    ++values_.frees;
}

void counters::resized(std::uint32_t tag, std::size_t from, std::size_t to) {
    tag_statistics& mine = values_.tags[tag];
    values_.in_use += to - from;  // unsigned: wraps back where it shrinks
    values_.peak = std::max(values_.peak, values_.in_use);
    mine.in_use += to - from;
    mine.peak = std::max(mine.peak, mine.in_use);
}

void counters::reset_peaks() {
    values_.peak = values_.in_use;
    for (tag_statistics& mine : values_.tags) mine.peak = mine.in_use;
}

std::string readable(std::size_t bytes) {
    const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024.0 && unit < 6) {
        value /= 1024.0;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

std::vector<live_block> largest(std::vector<live_block> blocks, std::size_t most) {
    std::sort(blocks.begin(), blocks.end(), [](const live_block& a, const live_block& b) {
        return a.bytes != b.bytes ? a.bytes > b.bytes : a.serial < b.serial;
    });
    if (blocks.size() > most) blocks.resize(most);
    return blocks;
}

}  // namespace mlestar::memory
