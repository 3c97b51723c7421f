#include "server/analytics/capability_evidence.h"

#include <algorithm>
#include <utility>

namespace heliograph::server {
namespace {

void Count(HopTally& tally, const Reception& reception) {
  // A hash that stands twice in one path is one observation.
  if (tally.observations > 0 && tally.last_observation == reception.observation) return;
  if (tally.observations == 0) tally.first_heard = tally.last_heard = reception.received_at;
  ++tally.observations;
  tally.last_observation = reception.observation;
  if (reception.transmission > tally.last_transmission) {
    ++tally.transmissions;
    tally.last_transmission = reception.transmission;
  }
  tally.first_heard = std::min(tally.first_heard, reception.received_at);
  tally.last_heard = std::max(tally.last_heard, reception.received_at);
}

void Count(SizeTally& tally, const Reception& reception) {
  if (tally.adverts == 0 || reception.received_at > tally.last_heard)
    tally.last_heard = reception.received_at;
  if (reception.transmission > tally.last_transmission) {
    ++tally.adverts;
    tally.last_transmission = reception.transmission;
  }
  if (reception.path_length.hash_count() > 0 && reception.transmission > tally.last_with_hops) {
    ++tally.with_hops;
    tally.last_with_hops = reception.transmission;
  }
}

void Insert(std::vector<SizeSample>& samples, const SizeSample& sample) {
  const auto same = [&](const SizeSample& other) { return other.transmission == sample.transmission; };
  if (std::any_of(samples.begin(), samples.end(), same)) return;
  const auto later = [](const SizeSample& a, const SizeSample& b) {
    return std::pair(a.heard_at, a.transmission) < std::pair(b.heard_at, b.transmission);
  };
  samples.insert(std::upper_bound(samples.begin(), samples.end(), sample, later), sample);
  if (samples.size() > AdvertEvidence::kMaxSamples) samples.erase(samples.begin());
}

void Insert(std::vector<std::int64_t>& sorted, std::int64_t value, bool& grew) {
  const auto place = std::lower_bound(sorted.begin(), sorted.end(), value);
  if (place != sorted.end() && *place == value) return;
  if (sorted.size() >= AdvertEvidence::kMaxObservers) return;
  sorted.insert(place, value);
  grew = true;
}

}  // namespace

UtcMillis HopEvidence::LastHeard() const {
  UtcMillis last = others.last_heard;
  for (const auto& [origin, tally] : by_origin) last = std::max(last, tally.last_heard);
  return last;
}

void CapabilityEvidenceStore::Add(const Reception& reception) {
  if (reception.type == PayloadType::kAdvert && reception.origin) AddAdvert(reception);
  // The bytes of a TRACE are signal levels, and the path of a direct packet is a plan.
  if (!IsFlood(reception.route) || reception.type == PayloadType::kTrace) return;
  if (reception.path_length.hash_size() >= 2 && reception.path_length.hash_count() > 0) AddHops(reception);
}

void CapabilityEvidenceStore::AddAdvert(const Reception& reception) {
  const auto origin = static_cast<std::int64_t>(*reception.origin);
  AdvertEvidence& evidence = adverts_[origin];
  bool changed = false;
  Insert(evidence.observers, static_cast<std::int64_t>(reception.observer), changed);
  const bool flood = IsFlood(reception.route);
  // A zero-hop direct send always writes path_len 0, whatever size its sender uses.
  if (flood || reception.path_length.hash_count() > 0) {
    const std::size_t size = reception.path_length.hash_size();
    evidence.sizes_seen = static_cast<std::uint8_t>(evidence.sizes_seen | 1U << (size - 1));
    Insert(evidence.newest,
           {reception.transmission, reception.received_at, static_cast<std::uint8_t>(size), flood});
    if (flood) Count(evidence.flood[size - 1], reception);
    changed = true;
  }
  if (changed) changes_.origins.insert(origin);
}

void CapabilityEvidenceStore::AddHops(const Reception& reception) {
  const std::size_t size = reception.path_length.hash_size();
  for (std::size_t at = 0; at + size <= reception.path.size(); at += size) {
    const HopKey key = HopKeyOf(reception.path.data() + at, size);
    HopEvidence& hop = hops_[static_cast<std::uint32_t>(key)];
    changes_.hops.insert(static_cast<std::uint32_t>(key));
    if (!reception.origin_key || HopKeyOf(*reception.origin_key, size) != key) {
      Count(hop.others, reception);
      continue;
    }
    const auto origin = static_cast<std::int64_t>(*reception.origin);
    const auto is_origin = [&](const auto& entry) { return entry.first == origin; };
    auto found = std::find_if(hop.by_origin.begin(), hop.by_origin.end(), is_origin);
    if (found == hop.by_origin.end()) {
      if (hop.by_origin.size() >= HopEvidence::kMaxOrigins) continue;
      found = hop.by_origin.emplace(hop.by_origin.end(), origin, HopTally{});
    }
    Count(found->second, reception);
  }
  if (hops_.size() > max_hops_) EvictLongestUnheard();
}

void CapabilityEvidenceStore::EvictLongestUnheard() {
  std::vector<std::pair<UtcMillis, std::uint32_t>> by_age;
  by_age.reserve(hops_.size());
  for (const auto& [key, hop] : hops_) by_age.emplace_back(hop.LastHeard(), key);
  // An eighth at a time, so that the cost of one eviction is spread over many hashes.
  const std::size_t excess = hops_.size() - max_hops_ + max_hops_ / 8;
  std::nth_element(by_age.begin(), by_age.begin() + static_cast<std::ptrdiff_t>(excess - 1), by_age.end());
  for (std::size_t i = 0; i < excess; ++i) {
    hops_.erase(by_age[i].second);
    changes_.hops.insert(by_age[i].second);
  }
  evicted_hops_ += excess;
}

const AdvertEvidence* CapabilityEvidenceStore::AdvertsOf(IdentityKey node) const {
  const auto found = adverts_.find(static_cast<std::int64_t>(node));
  return found == adverts_.end() ? nullptr : &found->second;
}

const HopEvidence* CapabilityEvidenceStore::HopsOf(HopKey hop) const {
  const auto found = hops_.find(static_cast<std::uint32_t>(hop));
  return found == hops_.end() ? nullptr : &found->second;
}

CapabilityEvidenceStore::Changes CapabilityEvidenceStore::TakeChanges() {
  return std::exchange(changes_, {});
}

AdvertisedHashSize SummariseSizes(const AdvertEvidence& evidence) {
  AdvertisedHashSize summary;
  for (std::uint8_t size = 1; size <= 3; ++size)
    if (evidence.sizes_seen & 1U << (size - 1)) summary.seen.push_back(size);
  const auto& samples = evidence.newest;
  if (samples.empty()) return summary;
  summary.newest = samples.back().size;
  std::size_t changes = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) changes += samples[i].size != samples[i - 1].size ? 1 : 0;
  const std::size_t n = samples.size();
  summary.inconsistent =
      n >= 3 && changes >= 2 &&
      !(samples[n - 1].size == samples[n - 2].size && samples[n - 2].size == samples[n - 3].size);
  return summary;
}

}  // namespace heliograph::server
