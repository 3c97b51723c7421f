#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/crypto.h"
#include "server/analytics/clusters/grouping.h"
#include "server/analytics/clusters/item_graph.h"
#include "server/analytics/clusters/leiden.h"
#include "server/analytics/clusters/partition_constraints.h"

namespace heliograph::server {

struct PartitionParameters {
  Objective objective = Objective::kModularity;
  double resolution = 1;
  /// Passes whose agreement decides; 1: the one pass decides alone.
  int runs = 8;
  int iterations = 2;        ///< of each pass
  std::size_t min_size = 3;  ///< a smaller group is no cluster, and its items stay unclustered

  bool operator==(const PartitionParameters&) const = default;
};

/// A member of a cluster.
struct ClusterMember {
  Vertex vertex = 0;
  double strength = 0;   ///< the share of its edges' weight that stays inside, 0 to 1; 0 without edges
  double agreement = 1;  ///< how often the passes put it with its neighbors here, by weight, 0.5 to 1

  bool operator==(const ClusterMember&) const = default;
};

struct Cluster {
  std::vector<ClusterMember> members;  ///< ascending, so in the order of their keys
  double internal_weight = 0;          ///< of the edges inside, each once
  double cut_weight = 0;               ///< of the edges that leave
  /// The share of the smaller side's weight that leaves (Kannan 2004): 0 for a component of its own, 1 for
  /// none inside.
  double conductance = 0;

  bool operator==(const Cluster&) const = default;
};

/// How a graph falls into clusters. Vertices are places in the graph's sorted keys.
struct Partition {
  PartitionParameters parameters;
  Sha256Digest input_digest{};      ///< of the graph and the constraints
  std::vector<Cluster> clusters;    ///< largest first, then by their smallest keys
  std::vector<Vertex> unclustered;  ///< ascending
  /// The objective at the resolution over all groups, those that are too small among them: modularity between
  /// -1 and 1, or the Potts quality for each unit of weight.
  double quality = 0;
  double mean_conductance = 0;  ///< of the clusters, by members; 0 without clusters

  bool operator==(const Partition&) const = default;
};

struct PartitionError {
  enum class Fault : std::uint8_t {
    kCancelled,
    kParameters,  ///< the parameters make no sense: `text` says which
    kFailed,      ///< no memory, or igraph refused
  };
  Fault fault = Fault::kFailed;
  std::string text;
};

/// The groups of an earlier partition, by keys. Keys that the graph does not know are passed over; a key that
/// stands in several groups begins alone, as every key does that stands in none.
using FormerGroups = std::vector<std::vector<std::string>>;

/// Divides the items: several passes of the Leiden method with seeds from the digest of the graph, each from
/// the former groups; then the edges whose ends were together in at least half of the passes, weighed by how
/// often, and one more pass over these from the best of the former (consensus: Lancichinetti and Fortunato
/// 2012; on edges alone: Tandon et al. 2019). Groups hold together by edges between their members. The same
/// graph with the same parameters and former groups gives the same partition, whatever order they were built
/// from. `stop` is looked at between passes.
tl::expected<Partition, PartitionError> DivideIntoClusters(const ItemGraph& graph,
                                                           const PartitionParameters& parameters,
                                                           const FormerGroups& former, std::stop_token stop);

/// The same, under what people decided: those that they put together are one vertex of the graph from the
/// start, with the former group that most of them were in, and those that they keep out of a cluster are
/// moved in the end, as BoundConstraints::Separate says. Groups hold together by edges between their members
/// and by what people put together, which needs no edges. Without constraints it is the function above.
tl::expected<Partition, PartitionError> DivideUnder(const PartitionConstraints& constraints,
                                                    const ItemGraph& graph,
                                                    const PartitionParameters& parameters,
                                                    const FormerGroups& former, std::stop_token stop);

/// The objective of any grouping, as Partition::quality has it; 0 without edges.
double QualityOf(const ItemGraph& graph, const Grouping& labels, Objective objective, double resolution);

/// The seed of pass number `pass` over the graph with this digest.
std::uint64_t SeedOf(const Sha256Digest& digest, std::uint64_t pass);

}  // namespace heliograph::server
