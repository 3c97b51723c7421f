#include "server/http/response_cache.h"

#include <utility>

namespace heliograph::server {

ResponseCache::Body ResponseCache::Find(std::string_view canonical_target, const Generation& generation) {
  const std::lock_guard lock(mutex_);
  const auto found = generation == generation_ ? index_.find(canonical_target) : index_.end();
  if (found == index_.end()) {
    ++statistics_.misses;
    return nullptr;
  }
  ++statistics_.hits;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->body;
}

void ResponseCache::Store(std::string_view canonical_target, const Generation& generation, Body body) {
  const std::lock_guard lock(mutex_);
  if (!MoveTo(generation) || index_.contains(canonical_target)) {
    return;
  }
  Entry entry{std::string(canonical_target), std::move(body)};
  const std::size_t cost = Cost(entry);
  if (cost > limits_.max_bytes / 2 || limits_.max_entries == 0) {
    return;
  }
  while (!order_.empty() &&
         (statistics_.bytes + cost > limits_.max_bytes || order_.size() >= limits_.max_entries)) {
    EvictLast();
  }
  order_.push_front(std::move(entry));
  index_.emplace(order_.front().target, order_.begin());
  statistics_.bytes += cost;
}

ResponseCache::Statistics ResponseCache::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics statistics = statistics_;
  statistics.entries = order_.size();
  return statistics;
}

// False when `generation` is an older one of the same epoch.
bool ResponseCache::MoveTo(const Generation& generation) {
  if (generation == generation_) {
    return true;
  }
  if (generation.epoch == generation_.epoch && generation.number < generation_.number) {
    return false;
  }
  Clear();
  generation_ = generation;
  return true;
}

void ResponseCache::Clear() {
  index_.clear();
  order_.clear();
  statistics_.bytes = 0;
}

void ResponseCache::EvictLast() {
  const Entry& last = order_.back();
  statistics_.bytes -= Cost(last);
  ++statistics_.evictions;
  index_.erase(last.target);
  order_.pop_back();
}

std::size_t ResponseCache::Cost(const Entry& entry) {
  return entry.target.size() + entry.body->size();
}

Response RespondCached(const Request& request, const Generation& generation, ResponseCache& cache,
                       const std::function<std::string()>& build) {
  std::string etag = ETagOf(request.canonical_target, generation);
  // `*` must wait: until the answer is there, nobody has looked whether the parameters are valid.
  if (NamesETag(request, etag)) {
    return NotModified(std::move(etag));
  }
  ResponseCache::Body body = cache.Find(request.canonical_target, generation);
  if (body == nullptr) {
    body = std::make_shared<const std::string>(build());
    cache.Store(request.canonical_target, generation, body);
  }
  Response response;
  response.body = std::move(body);
  return WithETag(request, std::move(response), std::move(etag));
}

}  // namespace heliograph::server
