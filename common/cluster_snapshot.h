#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/crypto.h"
#include "common/time.h"
#include "common/ulid.h"

namespace heliograph {

/// What is grouped. A collection has its own runs, tracks and history.
enum class ClusterCollection : std::uint8_t {
  kMesh,   ///< nodes; a member's key is the node's public key in lower-case hex
  kItems,  ///< text items; a member's key is the item's id
};
/// "mesh", "items".
std::string_view Name(ClusterCollection collection);
std::optional<ClusterCollection> ParseClusterCollection(std::string_view name);

/// Whether a run looked at its whole collection.
enum class RunCoverage : std::uint8_t {
  kFull,     ///< what the run does not name is no longer in the collection
  kPartial,  ///< what the run does not name is as it was; nothing ends because of it
};
/// "full", "partial".
std::string_view Name(RunCoverage coverage);
std::optional<RunCoverage> ParseRunCoverage(std::string_view name);

/// How a run is matched to the tracks.
enum class MatchRule : std::uint8_t {
  kMemory,        ///< members that both worlds know, the last 8 snapshots of each track, one best assignment
  kPlainJaccard,  ///< Jaccard of at least 0.5 against the previous run alone, greedily
};
/// "memory", "plain-jaccard".
std::string_view Name(MatchRule rule);
std::optional<MatchRule> ParseMatchRule(std::string_view name);

/// The longest member key, algorithm name and label, in bytes of UTF-8.
inline constexpr std::size_t kMaxClusterText = 256;
/// The longest summary, in bytes of UTF-8.
inline constexpr std::size_t kMaxClusterSummary = 4096;
/// The longest JSON text of a run's parameters.
inline constexpr std::size_t kMaxClusterParameters = 8192;

struct SnapshotMember {
  std::string key;
  double strength = 0;  ///< how firmly it belongs, 0 to 1: the share of its weight that stays in the cluster

  bool operator==(const SnapshotMember&) const = default;
};

/// One cluster of a run as the partition found it. It has no identity of its own: that is given to it when
/// the run is matched to the tracks.
struct SnapshotCluster {
  std::vector<SnapshotMember> members;  ///< at least one
  std::string representative;           ///< the key of the member that stands for it
  double cohesion = 0;                  ///< 0 to 1; what the algorithm says of the cluster as a whole
  std::string label;    ///< a title for a person, as the algorithm would choose it; empty: it has no idea
  std::string summary;  ///< what it is about; may be empty

  bool operator==(const SnapshotCluster&) const = default;
};

/// The payload of a `cluster-snapshot`: one finished run, frozen as it was computed. The same JSON for the
/// same run, in whatever order its clusters and members are given.
struct ClusterSnapshot {
  ClusterCollection collection = ClusterCollection::kMesh;
  RunCoverage coverage = RunCoverage::kFull;
  MatchRule match_rule = MatchRule::kMemory;
  std::string algorithm;          ///< with its version: "leiden-modularity/1"
  std::string parameters = "{}";  ///< a JSON object, as the algorithm understands it
  Sha256Digest input_digest{};    ///< of the graph or the features that the run was computed from
  std::int64_t watermark = 0;  ///< highest observation (mesh) in the input; the file's header says the same
  std::optional<UtcMillis> data_time;     ///< newest receipt at the watermark; nothing for an empty database
  std::optional<Ulid> job;                ///< the job that the run was made for
  std::map<std::string, double> quality;  ///< figures of the whole run by name: "modularity"
  std::vector<SnapshotCluster> clusters;
  std::vector<std::string> unclustered;  ///< keys that the run looked at and put into no cluster

  bool operator==(const ClusterSnapshot&) const = default;
};

/// Brings members into the order of their keys and clusters into the order of their smallest key: the only
/// order that DecodeClusterSnapshot returns.
void SortSnapshot(ClusterSnapshot& snapshot);

/// JSON of the snapshot, sorted first. REQUIRED: DecodeClusterSnapshot accepts what it holds.
std::string EncodeClusterSnapshot(ClusterSnapshot snapshot);

/// The snapshot in sorted order, or what is wrong with the text in words for a person. Refuses a key that
/// appears twice anywhere, a cluster without members or with a representative that is none of them, a mesh
/// key that is no public key in lower-case hex, numbers that are not finite or out of their range, texts that
/// are too long, and members that it does not know.
tl::expected<ClusterSnapshot, std::string> DecodeClusterSnapshot(std::string_view json);

/// What the run says apart from its input and its figures: algorithm, parameters, coverage, and who is
/// together with whom. Two runs of the same digest would change nothing after each other.
Sha256Digest ContentDigest(const ClusterSnapshot& snapshot);

}  // namespace heliograph
