#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/http/etag.h"

namespace heliograph::server {

/// Bodies of answers, by canonical target, all of one generation: the first use with another generation
/// empties it. Bounded in bytes and entries; the least recently used goes first. Thread-safe.
class ResponseCache {
 public:
  struct Limits {
    std::size_t max_bytes;  ///< keys and bodies; 32 MiB over all caches of the server
    std::size_t max_entries = 1024;
  };
  struct Statistics {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t bytes = 0;
    std::size_t entries = 0;
  };
  using Body = std::shared_ptr<const std::string>;

  explicit ResponseCache(Limits limits) : limits_(limits) {}

  /// The body, or null. Counts a hit or a miss.
  Body Find(std::string_view canonical_target, const Generation& generation);
  /// Keeps `body`, unless it is larger than half of the cache or `generation` is no longer the current
  /// one. `generation` becomes current when its epoch differs or its number is higher.
  void Store(std::string_view canonical_target, const Generation& generation, Body body);
  Statistics statistics() const;

 private:
  struct Entry {
    std::string target;
    Body body;
  };
  using Order = std::list<Entry>;

  bool MoveTo(const Generation& generation);
  void Clear();
  void EvictLast();
  static std::size_t Cost(const Entry& entry);

  const Limits limits_;
  mutable std::mutex mutex_;
  Generation generation_;
  Order order_;  // most recently used first
  std::unordered_map<std::string_view, Order::iterator> index_;
  Statistics statistics_;
};

/// The whole read path of a JSON route: 304 when the client holds this generation's answer, else the cached
/// body, else what `build` returns, which is then cached; `If-None-Match: *` is 304 when that went well. The
/// response carries the ETag. Exceptions of `build` pass through.
Response RespondCached(const Request& request, const Generation& generation, ResponseCache& cache,
                       const std::function<std::string()>& build);

}  // namespace heliograph::server
