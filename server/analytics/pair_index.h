#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heliograph::server {

/// Finds the place of a pair of keys: open addressing with linear probing, for it is asked some ten times for
/// each hop of each flood, and a node-based map spends most of that on cache misses. Keys are not 0.
class PairIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// kNone when the key is not there.
  std::uint32_t Find(std::uint64_t key) const {
    if (slots_.empty()) return kNone;
    for (std::size_t at = Home(key);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return slots_[at].place;
      if (slots_[at].key == 0) return kNone;
    }
  }
  /// REQUIRED: the key is not there.
  void Insert(std::uint64_t key, std::uint32_t place) {
    if ((size_ + 1) * 2 > slots_.size()) Grow();
    ++size_;
    Put(key, place);
  }
  void Clear() {
    slots_.clear();
    size_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t place = 0;
  };
  std::size_t Home(std::uint64_t key) const {
    // Fibonacci hashing: the high bits of the product are the well mixed ones.
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15U >> (64 - std::countr_zero(slots_.size())));
  }
  void Put(std::uint64_t key, std::uint32_t place) {
    std::size_t at = Home(key);
    while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {key, place};
  }
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.key != 0) Put(slot.key, slot.place);
  }

  std::vector<Slot> slots_;  ///< a power of two of them, at most half of them taken
  std::size_t size_ = 0;
};

}  // namespace heliograph::server
