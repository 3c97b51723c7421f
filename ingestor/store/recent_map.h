#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace heliograph::ingestor {

/// A map that keeps the entries used last and forgets the others, so that its memory is bounded. Not
/// thread-safe.
template <class Key, class Value>
class RecentMap {
 public:
  /// REQUIRED: capacity > 0.
  explicit RecentMap(std::size_t capacity) : capacity_(capacity) {}

  /// The value, which becomes the most recent, or null. Valid until the next Insert or Clear.
  Value* Find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  /// Adds `value` as the most recent entry, and forgets the oldest when there are too many. REQUIRED:
  /// Find(key) is null.
  Value& Insert(const Key& key, Value value) {
    if (entries_.size() >= capacity_) TakeOldest();
    entries_.emplace_front(key, std::move(value));
    index_.emplace(key, entries_.begin());
    return entries_.front().second;
  }

  /// Forgets the entry that was not used for the longest time; its value. REQUIRED: size() > 0.
  Value TakeOldest() {
    Value oldest = std::move(entries_.back().second);
    index_.erase(entries_.back().first);
    entries_.pop_back();
    return oldest;
  }

  void Erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    entries_.erase(found->second);
    index_.erase(found);
  }

  void Clear() noexcept {
    entries_.clear();
    index_.clear();
  }

  std::size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;
  std::size_t capacity_;
  Entries entries_;
  std::unordered_map<Key, typename Entries::iterator> index_;
};

}  // namespace heliograph::ingestor
