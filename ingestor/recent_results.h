#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace heliograph::ingestor {

/// The results of a costly function for the arguments that it was asked for last. Thread-safe; of threads
/// that ask for the same argument at once one computes and the others wait. Bounded: the oldest results go
/// first.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class RecentResults {
 public:
  /// Keeps about `capacity` results.
  explicit RecentResults(std::size_t capacity) : shard_capacity_(capacity / kShards + 1) {}

  /// The result for `key`: the one kept, else that of `compute()`, which is then kept. What `compute` throws
  /// passes on and is not kept. REQUIRED: `compute` does not ask the same object.
  template <typename Compute>
  Value Get(const Key& key, Compute compute) {
    // The low bits choose the bucket within the map.
    Shard& shard = shards_[(Hash()(key) >> 24) % kShards];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.results.find(key);
    if (found != shard.results.end()) return found->second;
    Value value = compute();
    if (shard.results.size() >= shard_capacity_) {
      shard.results.erase(shard.order.front());
      shard.order.pop_front();
    }
    shard.order.push_back(key);
    shard.results.emplace(key, value);
    return value;
  }

 private:
  static constexpr std::size_t kShards = 64;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, Value, Hash> results;
    std::list<Key> order;
  };

  const std::size_t shard_capacity_;
  std::array<Shard, kShards> shards_;
};

}  // namespace heliograph::ingestor
