#include "server/analytics/capability_rules.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "common/capability_merge.h"

namespace heliograph::server {
namespace {

std::uint8_t Larger(std::optional<std::uint8_t> known, std::size_t size) {
  return std::max(known.value_or(0), static_cast<std::uint8_t>(size));
}

/// What the node's own flood adverts say, apart from a lone one that an overflow can have made.
struct OwnAdverts {
  bool proves = false;
  std::uint64_t proofs = 0;
  std::optional<UtcMillis> last_proof;
  std::optional<std::uint8_t> max_size;
  bool newest_is_multibyte = false;
};

OwnAdverts Judge(const AdvertEvidence& evidence) {
  OwnAdverts own;
  const auto& [one, two, three] = evidence.flood;
  own.proofs = std::uint64_t{two.adverts} + three.adverts;
  const bool overflow = one.adverts > 0 && own.proofs == 1 && two.adverts == 1 && two.with_hops == 0;
  own.proves = own.proofs > 0 && !overflow;
  if (one.adverts > 0) own.max_size = 1;
  if (!own.proves) {
    own.proofs = 0;
    return own;
  }
  for (std::size_t size = 2; size <= 3; ++size) {
    const SizeTally& tally = evidence.flood[size - 1];
    if (tally.adverts == 0) continue;
    own.max_size = Larger(own.max_size, size);
    own.last_proof = std::max(own.last_proof.value_or(tally.last_heard), tally.last_heard);
  }
  for (auto sample = evidence.newest.rbegin(); sample != evidence.newest.rend(); ++sample) {
    if (!sample->flood) continue;
    own.newest_is_multibyte = sample->size >= 2;
    break;
  }
  return own;
}

/// The hops that confirm, or those that hint.
struct HopProof {
  std::uint64_t observations = 0;
  std::optional<UtcMillis> last;
  std::optional<std::uint8_t> max_size;
  std::array<double, 2> doubt{1, 1};  ///< by hash size: that this hash was never this node

  void Add(const HopSupport& support, double doubt_of_it) {
    observations += support.observations;
    last = std::max(last.value_or(support.last_heard), support.last_heard);
    max_size = Larger(max_size, support.hash_size);
    double& same_hash = doubt.at(support.hash_size - 2);
    same_hash = std::min(same_hash, doubt_of_it);
  }
  double Probability() const { return 1 - doubt[0] * doubt[1]; }
};

/// That some node nobody has heard writes itself like a given one. As many unheard nodes are assumed as are
/// known, rounded up to a power of two, so that the figure moves rarely.
double ChanceOfUnheardTwin(std::size_t hash_size, std::size_t known_nodes) {
  const auto unheard = static_cast<double>(std::bit_ceil(std::max<std::size_t>(known_nodes, 1)));
  return 1 - std::pow(1 - std::pow(256.0, -static_cast<double>(hash_size)), unheard);
}

std::optional<std::uint8_t> LargerOf(std::optional<std::uint8_t> a, std::optional<std::uint8_t> b) {
  return std::max(a, b);  // nothing is less than any size
}

}  // namespace

HopVerdict JudgeHop(std::string_view role, std::size_t hash_size, std::size_t candidates,
                    std::size_t known_nodes) {
  if (candidates > 1) return {CapabilityEvidence::kPath, 1 - 1.0 / static_cast<double>(candidates)};
  if (!ForwardsByDefault(role)) return {CapabilityEvidence::kPath, 0.5};
  const double doubt = ChanceOfUnheardTwin(hash_size, known_nodes);
  const bool is_certain = 1 - doubt >= kAsGoodAsCertain;
  return {is_certain ? CapabilityEvidence::kRelay : CapabilityEvidence::kPath, doubt};
}

CapabilityEntry DecideCapability(const CapabilityFacts& facts) {
  const OwnAdverts own = facts.adverts ? Judge(*facts.adverts) : OwnAdverts{};
  HopProof relay, path;
  for (const HopSupport& support : facts.hops) {
    if (support.observations == 0) continue;
    const HopVerdict verdict = JudgeHop(facts.role, support.hash_size, support.candidates, facts.known_nodes);
    HopProof& proof = verdict.evidence == CapabilityEvidence::kRelay ? relay : path;
    proof.Add(support, verdict.doubt);
  }

  CapabilityEntry entry;
  entry.advert_proofs = own.proofs;
  entry.relay_proofs = relay.observations;
  entry.path_hints = path.observations;
  entry.max_hash_size = LargerOf(own.max_size, relay.max_size);
  entry.adopted = own.proves && own.newest_is_multibyte;
  if (own.proves || relay.observations > 0) {
    entry.status = CapabilityStatus::kConfirmed;
    entry.evidence = own.proves ? CapabilityEvidence::kAdvert : CapabilityEvidence::kRelay;
    entry.probability = own.proves ? 1 : relay.Probability();
    entry.last_proof_at = std::max(own.last_proof, relay.last);
  } else if (path.observations > 0) {
    entry.status = CapabilityStatus::kSuspected;
    entry.evidence = CapabilityEvidence::kPath;
    entry.probability = path.Probability();
    entry.max_hash_size = LargerOf(entry.max_hash_size, path.max_size);
    entry.last_proof_at = path.last;
  }
  return entry;
}

CapabilityEntry AgedOut(CapabilityEntry entry, std::optional<int> days, std::optional<UtcMillis> data_time) {
  if (!days || !data_time || !entry.last_proof_at) return entry;
  if (*data_time - *entry.last_proof_at <= std::chrono::days(*days)) return entry;
  entry.status = CapabilityStatus::kUnknown;
  entry.evidence.reset();
  entry.probability.reset();
  entry.max_hash_size.reset();
  entry.adopted = false;
  entry.likely_legacy = false;
  return entry;
}

NodeCapability MergeKnown(const NodeCapability& stored, const CapabilityEntry& computed) {
  CapabilityState before;
  before.status = stored.status;
  before.evidence = stored.evidence;
  before.max_hash_size = stored.max_hash_size;
  before.adopted = stored.adopted;
  before.likely_legacy = stored.likely_legacy;
  if (stored.probability) before.probability = static_cast<int>(std::lround(*stored.probability * 100));
  const CapabilityState after = Merge(before, computed);

  NodeCapability merged;
  merged.status = after.status;
  merged.evidence = after.evidence;
  merged.max_hash_size = after.max_hash_size;
  merged.adopted = after.adopted;
  merged.likely_legacy = after.likely_legacy;
  if (after.probability) merged.probability = *after.probability / 100.0;
  merged.advert_proofs = std::max(stored.advert_proofs, computed.advert_proofs);
  merged.relay_proofs = std::max(stored.relay_proofs, computed.relay_proofs);
  merged.path_hints = std::max(stored.path_hints, computed.path_hints);
  merged.last_proof_at = std::max(stored.last_proof_at, computed.last_proof_at);
  return merged;
}

bool DiffersForStorage(const NodeCapability& stored, const NodeCapability& merged) {
  return stored != merged;
}

std::vector<HopSupport> SupportsOf(IdentityKey node, const PublicKey& key,
                                   const CapabilityEvidenceStore& evidence, const PrefixIndex& index) {
  std::vector<HopSupport> supports;
  for (const std::size_t size : {2, 3}) {
    const HopKey hop = HopKeyOf(key, size);
    const HopEvidence* found = evidence.HopsOf(hop);
    if (!found) continue;
    const std::vector<std::int64_t>& candidates = index.Candidates(hop);
    if (found->others.observations > 0)
      supports.push_back({size, found->others.observations, found->others.last_heard, candidates.size()});
    for (const auto& [origin, tally] : found->by_origin) {
      if (origin == static_cast<std::int64_t>(node)) continue;
      const bool known = std::find(candidates.begin(), candidates.end(), origin) != candidates.end();
      supports.push_back({size, tally.observations, tally.last_heard, candidates.size() - (known ? 1 : 0)});
    }
  }
  return supports;
}

}  // namespace heliograph::server
