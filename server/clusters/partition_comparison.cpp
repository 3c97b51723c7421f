#include "server/clusters/partition_comparison.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "server/analytics/clusters/grouping.h"

namespace heliograph::server {
namespace {

using Track = std::int64_t;

/// A member in either partition; a partition without it has it in no cluster.
struct Member {
  std::int64_t key = 0;
  std::optional<Track> first, second;
  bool in_both = false;
};

std::vector<Member> Joined(const std::vector<MemberPlace>& first, const std::vector<MemberPlace>& second) {
  std::vector<Member> members;
  auto a = first.begin(), b = second.begin();
  while (a != first.end() || b != second.end()) {
    Member member;
    const bool from_a = a != first.end() && (b == second.end() || a->member <= b->member);
    const bool from_b = b != second.end() && (a == first.end() || b->member <= a->member);
    member.key = from_a ? a->member : b->member;
    member.in_both = from_a && from_b;
    if (from_a) member.first = (a++)->track;
    if (from_b) member.second = (b++)->track;
    members.push_back(member);
  }
  return members;
}

double RandIndexOf(const std::vector<Member>& members) {
  std::map<Track, std::uint32_t> first_labels, second_labels;
  const auto label = [](std::map<Track, std::uint32_t>& labels, const std::optional<Track>& track,
                        std::int64_t member) {
    // Tracks count from 1, so that the negative numbers are free for those that are alone.
    return labels.emplace(track.value_or(-member - 1), static_cast<std::uint32_t>(labels.size()))
        .first->second;
  };
  Grouping first, second;
  for (const Member& member : members) {
    if (!member.in_both) continue;
    first.push_back(label(first_labels, member.first, member.key));
    second.push_back(label(second_labels, member.second, member.key));
  }
  return AdjustedRandIndex(first, second);
}

std::vector<ClusterPair> PairsOf(const std::vector<Member>& members) {
  std::map<Track, std::int64_t> first_sizes, second_sizes;
  std::map<std::pair<Track, Track>, std::int64_t> shared;
  for (const Member& member : members) {
    if (member.first) ++first_sizes[*member.first];
    if (member.second) ++second_sizes[*member.second];
    if (member.first && member.second) ++shared[{*member.first, *member.second}];
  }
  std::vector<std::tuple<std::int64_t, bool, Track, Track>> candidates;
  for (const auto& [tracks, count] : shared)
    candidates.emplace_back(-count, tracks.first != tracks.second, tracks.first, tracks.second);
  std::sort(candidates.begin(), candidates.end());
  std::vector<ClusterPair> pairs;
  for (const auto& [count, differ, first, second] : candidates) {
    const auto a = first_sizes.find(first), b = second_sizes.find(second);
    if (a == first_sizes.end() || b == second_sizes.end()) continue;
    pairs.push_back({first, second, a->second, b->second, -count});
    first_sizes.erase(a);
    second_sizes.erase(b);
  }
  for (const auto& [track, size] : first_sizes) pairs.push_back({track, std::nullopt, size, 0, 0});
  for (const auto& [track, size] : second_sizes) pairs.push_back({std::nullopt, track, 0, size, 0});
  std::sort(pairs.begin(), pairs.end(), [](const ClusterPair& a, const ClusterPair& b) {
    return std::tuple(-Rank(a), a.first, a.second) < std::tuple(-Rank(b), b.first, b.second);
  });
  return pairs;
}

}  // namespace

std::int64_t Rank(const ClusterPair& pair) {
  return std::max(pair.first_size, pair.second_size);
}

PartitionComparison ComparePartitions(const std::vector<MemberPlace>& first,
                                      const std::vector<MemberPlace>& second) {
  const std::vector<Member> members = Joined(first, second);
  PartitionComparison comparison;
  comparison.pairs = PairsOf(members);
  comparison.adjusted_rand_index = RandIndexOf(members);
  std::map<Track, std::optional<Track>> counterpart;
  for (const ClusterPair& pair : comparison.pairs)
    if (pair.first) counterpart[*pair.first] = pair.second;
  for (const Member& member : members) {
    if (member.in_both) ++comparison.compared;
    const auto expected = member.first ? counterpart[*member.first] : std::nullopt;
    const bool stayed = member.first ? expected && member.second == expected : !member.second;
    if (!stayed) comparison.moved.push_back({member.key, member.first, member.second});
  }
  return comparison;
}

}  // namespace heliograph::server
