#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "server/clusters/cluster_reader.h"

namespace heliograph::server {

/// A cluster of one partition and the one that corresponds to it in another; at least one of them is there.
struct ClusterPair {
  std::optional<std::int64_t> first, second;  ///< numbers of tracks
  std::int64_t first_size = 0, second_size = 0;
  std::int64_t shared = 0;  ///< members of both
};

/// A member whose cluster in the second partition is not the counterpart of its cluster in the first.
struct MemberMove {
  std::int64_t member = 0;
  std::optional<std::int64_t> first, second;  ///< nothing: in no cluster
};

struct PartitionComparison {
  std::vector<ClusterPair> pairs;  ///< the largest first
  std::vector<MemberMove> moved;   ///< in the order of members
  std::int64_t compared = 0;       ///< members that both partitions have
  /// Of those, one in no cluster being a cluster of its own: 1 for the same partition, about 0 for unrelated
  /// ones.
  double adjusted_rand_index = 1;
};

/// Each cluster has at most one counterpart: those that share most are paired first, and among equals those
/// of one track, then the older ones. REQUIRED: both are in the order of members, each member once.
PartitionComparison ComparePartitions(const std::vector<MemberPlace>& first,
                                      const std::vector<MemberPlace>& second);

/// By which pairs are ordered, the greatest first.
std::int64_t Rank(const ClusterPair& pair);

}  // namespace heliograph::server
