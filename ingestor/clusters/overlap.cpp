#include "ingestor/clusters/overlap.h"

#include <algorithm>
#include <bit>

namespace heliograph::ingestor {

MemberTable::MemberTable(const ProposedRun& run) {
  std::size_t members = run.unclustered.size();
  for (const MemberSet& cluster : run.clusters) members += cluster.size();
  // At most half full, so that a search ends soon.
  slots_.assign(std::bit_ceil(2 * members + 2), {MemberKey{}, kAbsent});
  mask_ = slots_.size() - 1;
  for (std::size_t i = 0; i < run.clusters.size(); ++i)
    for (const MemberKey member : run.clusters[i]) Insert(member, static_cast<std::uint32_t>(i));
  for (const MemberKey member : run.unclustered) Insert(member, kUnclustered);
}

std::size_t MemberTable::Slot(MemberKey member) const {
  // Fibonacci hashing (Knuth, TAOCP 3, 6.4): keys that follow each other are spread.
  std::size_t slot = (static_cast<std::uint64_t>(member) * 0x9E3779B97F4A7C15ULL >> 20) & mask_;
  while (slots_[slot].second != kAbsent && slots_[slot].first != member) slot = (slot + 1) & mask_;
  return slot;
}

void MemberTable::Insert(MemberKey member, std::uint32_t place) {
  slots_[Slot(member)] = {member, place};
}

std::uint32_t MemberTable::Find(MemberKey member) const {
  return slots_[Slot(member)].second;
}

Overlap OverlapCounter::Of(const MemberSet& members) {
  Overlap overlap;
  for (const MemberKey member : members) {
    const std::uint32_t place = table_.Find(member);
    if (place == MemberTable::kAbsent) continue;
    ++overlap.present;
    if (place == MemberTable::kUnclustered) continue;
    if (counts_[place]++ == 0) overlap.clusters.emplace_back(place, 0);
  }
  for (auto& [cluster, count] : overlap.clusters) count = std::exchange(counts_[cluster], 0);
  std::sort(overlap.clusters.begin(), overlap.clusters.end());
  return overlap;
}

}  // namespace heliograph::ingestor
