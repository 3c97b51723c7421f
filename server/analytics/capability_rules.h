#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/multibyte_snapshot.h"
#include "common/public_key.h"
#include "server/analytics/capability_evidence.h"
#include "server/analytics/prefix_index.h"
#include "server/analytics/station_directory.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// How well a hop of one size in flood paths fits one node.
struct HopSupport {
  std::size_t hash_size = 2;
  std::uint64_t observations = 0;
  UtcMillis last_heard{};
  std::size_t candidates = 1;  ///< known nodes that it can be, this one among them
};

/// All that decides one node's capability.
struct CapabilityFacts {
  std::string_view role;
  const AdvertEvidence* adverts = nullptr;  ///< null: none were heard
  std::vector<HopSupport> hops;
  std::size_t known_nodes = 0;  ///< of any role, active or not, this one among them
};

/// A hop confirms the node whose hash it is when it is that node with at least this probability. Below it a
/// node that nobody has heard is too likely to have the same hash: with 2 bytes, from 2049 known nodes on.
inline constexpr double kAsGoodAsCertain = 0.95;

/// What one hop says about a node.
struct HopVerdict {
  CapabilityEvidence evidence = CapabilityEvidence::kPath;  ///< kRelay confirms, kPath is a hint
  double doubt = 1;                                         ///< the probability that it was another node
};

/// The one rule for a hop, for conclusions and for those who show proofs. `relay` when no other known node
/// can be the hop, the role forwards by the firmware's default, and that no unheard node can be it either is
/// as good as certain; `path` otherwise. As many unheard nodes are assumed as are known. REQUIRED: hash_size
/// is 2 or 3, candidates is at least 1.
HopVerdict JudgeHop(std::string_view role, std::size_t hash_size, std::size_t candidates,
                    std::size_t known_nodes);

/// The conclusion from the facts alone, whatever was concluded before. In order:
///
/// - `advert`, confirmed: a flood advert of its own has size 2 or 3 and was heard after a hop, or at least
/// two of them
///   were heard, or one was and no flood advert of size 1. A single one of size 2 that was heard at 0 hops
///   beside others of size 1 decides nothing: a 1-byte flood that overflows its 63 hops looks the same on the
///   air.
/// - `relay`, confirmed: a hop of size 2 or 3 in a flood path that no other known node can be and that is
/// this
///   one with kAsGoodAsCertain, and the node's role forwards by the firmware's default (repeater, room).
///   Uniqueness is judged against all known keys, of any role, for a companion can be set to repeat and then
///   is the relay as well as a repeater is.
/// - `path`, suspected: such a hop that other known nodes can be too, or that only this one can be while so
/// many
///   nodes are known that an unheard one may well share it, or while its role does not forward by default:
///   then an unheard repeater is as likely.
/// - unknown otherwise.
///
/// The probability is 1 for `advert`; for `relay` that no unheard node has the hash too, if as many are
/// unheard as are known; for `path` the chance that at least one of the distinct hops was this node, if each
/// candidate is as likely (an only candidate of another role: one half); none when unknown.
///
/// likely_legacy is always false here. The result's key is left empty.
CapabilityEntry DecideCapability(const CapabilityFacts& facts);

/// `entry` as the explicit age-out rule leaves it: without a status when its last proof is more than `days`
/// before `data_time`. Counters and the time of the proof stay. Nothing ages without `days`.
CapabilityEntry AgedOut(CapabilityEntry entry, std::optional<int> days, std::optional<UtcMillis> data_time);

/// `stored` and `computed` together, by the rule by which the ingestor stores (common/capability_merge.h), so
/// that what is shown does not change when the snapshot has been applied. Counters and times never go back.
NodeCapability MergeKnown(const NodeCapability& stored, const CapabilityEntry& computed);

/// True when applying a snapshot would change what is stored. `merged` comes from MergeKnown.
bool DiffersForStorage(const NodeCapability& stored, const NodeCapability& merged);

/// What `evidence` holds about one node's hops, as the candidates of `index` divide it. A packet that a
/// candidate signed counts without that candidate.
std::vector<HopSupport> SupportsOf(IdentityKey node, const PublicKey& key,
                                   const CapabilityEvidenceStore& evidence, const PrefixIndex& index);

}  // namespace heliograph::server
