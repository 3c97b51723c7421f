#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heliograph::server {

/// Finds the place of a key, of a node or of a pair of them: open addressing with linear probing, for it is
/// asked some thirty times for each hop of each flood, and a node-based map spends most of that on cache
/// misses. A bit for each eighth of a slot tells at once of most keys that they are not there, which is the
/// usual answer for a pair, from a sixteenth of the memory. Keys are not 0.
class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// kNone when the key is not there.
  std::uint32_t Find(std::uint64_t key) const {
    if (slots_.empty()) return kNone;
    const std::uint64_t mixed = Mix(key);
    if (!MayBeThere(mixed)) return kNone;
    for (std::size_t at = Home(mixed);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == 0) return kNone;
      if (slots_[at].key == key) return slots_[at].place;
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
    bits_.clear();
    size_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t place = 0;
  };
  /// Fibonacci hashing: the high bits of the product are the well mixed ones.
  static std::uint64_t Mix(std::uint64_t key) { return key * 0x9E3779B97F4A7C15U; }
  std::size_t Home(std::uint64_t mixed) const { return static_cast<std::size_t>(mixed >> home_shift_); }
  std::size_t Bit(std::uint64_t mixed) const { return static_cast<std::size_t>(mixed >> (home_shift_ - 3)); }
  bool MayBeThere(std::uint64_t mixed) const { return (bits_[Bit(mixed) / 64] >> Bit(mixed) % 64 & 1) != 0; }
  void Put(std::uint64_t key, std::uint32_t place) {
    const std::uint64_t mixed = Mix(key);
    std::size_t at = Home(mixed);
    while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {key, place};
    bits_[Bit(mixed) / 64] |= std::uint64_t{1} << Bit(mixed) % 64;
  }
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    bits_.assign(slots_.size() / 8, 0);
    home_shift_ = 64 - std::countr_zero(slots_.size());
    for (const Slot& slot : old)
      if (slot.key != 0) Put(slot.key, slot.place);
  }

  std::vector<Slot> slots_;          ///< a power of two of them, at most half of them taken
  std::vector<std::uint64_t> bits_;  ///< eight for each slot
  int home_shift_ = 0;
  std::size_t size_ = 0;
};

}  // namespace heliograph::server
