#include "server/routes/multibyte_json.h"

#include <algorithm>
#include <cmath>

#include "server/analytics/capability_rules.h"
#include "server/analytics/mesh_model.h"

namespace heliograph::server {
namespace {

/// More nodes than this do not share 2 bytes of their keys unless somebody made them so.
constexpr std::size_t kMaxCandidates = 64;

void WriteVersioned(JsonText& out, const NodeCapability& capability) {
  out.Member("status", Name(capability.status));
  out.Key("evidence");
  if (capability.evidence) {
    out.Value(Name(*capability.evidence));
  } else {
    out.Null();
  }
  out.Member("probability", capability.probability)
      .Member("likely_legacy", capability.likely_legacy)
      .Member("adopted", capability.adopted)
      .Member("max_hash_size", capability.max_hash_size);
}

/// In the order of keys, whether `key` comes before all keys that write themselves as `hash`.
bool IsBelow(const PublicKey& key, const PathHash& hash) {
  const ByteView bytes = hash.bytes();
  return std::lexicographical_compare(key.bytes().begin(),
                                      key.bytes().begin() + static_cast<std::ptrdiff_t>(bytes.size()),
                                      bytes.begin(), bytes.end());
}

/// Who a hop can be, as the analytics count: nodes and observers, shown or not, but for the packet's signer.
struct Candidates {
  std::size_t count = 0;
  std::vector<const NodeView*> nodes;          ///< those that are shown, at most kMaxCandidates
  std::vector<const ObserverView*> observers;  ///< likewise, of those that are no nodes
};

Candidates CandidatesOf(const CapabilityProof& proof, const Visibility& visibility, const MeshView& view) {
  Candidates candidates;
  const PathHash& hash = proof.path[*proof.hop];
  const auto is_signer = [&](IdentityKey key) { return proof.origin_key == static_cast<std::int64_t>(key); };
  const auto first = std::lower_bound(
      view.nodes.begin(), view.nodes.end(), hash,
      [](const auto& node, const PathHash& wanted) { return IsBelow(node->public_key, wanted); });
  for (auto at = first; at != view.nodes.end() && hash.Matches((*at)->public_key); ++at) {
    if (is_signer((*at)->key)) continue;
    ++candidates.count;
    if (visibility.Shows(**at) && candidates.nodes.size() < kMaxCandidates)
      candidates.nodes.push_back(at->get());
  }
  for (const auto& observer : view.observers) {
    const auto key = PublicKey::FromHex(observer->id);
    if (!key || !hash.Matches(*key) || view.FindNode(*key) != nullptr || is_signer(observer->key)) continue;
    ++candidates.count;
    if (visibility.Shows(*observer) && visibility.ShowsKey(*key) &&
        candidates.observers.size() < kMaxCandidates)
      candidates.observers.push_back(observer.get());
  }
  return candidates;
}

/// Nothing when the proof shows nothing after all.
std::optional<CapabilityEvidence> EvidenceOf(const CapabilityProof& proof, const Candidates& candidates,
                                             const MultibyteRow& row, const MeshView& view) {
  if (proof.undecided) return std::nullopt;
  if (!proof.hop) return CapabilityEvidence::kAdvert;
  const NodeView* node = view.FindNode(row.public_key);
  const std::string_view role = node == nullptr ? std::string_view() : node->role;
  return JudgeHop(role, proof.hash_size, std::max<std::size_t>(candidates.count, 1), view.known_keys)
      .evidence;
}

/// Who the hop was, as the one resolver weighs it with all that is around it.
class HopProbabilities {
 public:
  HopProbabilities(const CapabilityProof& proof, const MeshView& view) {
    if (!proof.hop || view.model == nullptr) return;
    HopContext context{std::nullopt, IdentityKey{proof.observer_key}, proof.received_at};
    if (proof.origin_key) context.origin = IdentityKey{*proof.origin_key};
    steps_ = view.model->resolver().ResolvePath(proof.path, context);
    hop_ = *proof.hop;
  }
  /// Nothing when nobody has weighed it yet.
  std::optional<double> Of(IdentityKey node) const {
    if (steps_.step_count() == 0) return std::nullopt;
    for (const HopCandidate& candidate : steps_.Step(hop_))
      if (candidate.node == node) return std::round(static_cast<double>(candidate.probability) * 1000) / 1000;
    return 0;
  }

 private:
  ResolvedSteps steps_;
  std::size_t hop_ = 0;
};

void WriteCandidates(JsonText& out, const Candidates& candidates, const HopProbabilities& probabilities) {
  const std::optional<std::string> no_role;
  out.Key("candidates").BeginArray();
  for (const NodeView* candidate : candidates.nodes) {
    out.BeginObject()
        .Member("public_key", candidate->public_key.ToHex())
        .Member("name", candidate->name)
        .Member("role", candidate->role)
        .Member("probability", probabilities.Of(candidate->key))
        .EndObject();
  }
  for (const ObserverView* candidate : candidates.observers) {
    out.BeginObject()
        .Member("public_key", PublicKey::FromHex(candidate->id)->ToHex())
        .Member("name", candidate->name)
        .Member("role", no_role)
        .Member("probability", probabilities.Of(candidate->key))
        .EndObject();
  }
  out.EndArray();
}

void WriteProof(JsonText& out, const CapabilityProof& proof, const MultibyteRow& row,
                const RouteContext& context, const MeshView& view) {
  Candidates candidates;
  if (proof.hop) candidates = CandidatesOf(proof, context.visibility(), view);
  const auto evidence = EvidenceOf(proof, candidates, row, view);
  const ObserverView* observer = context.visibility().ShownObserver(view, proof.observer_key);
  out.BeginObject()
      .Member("evidence", evidence ? std::optional(Name(*evidence)) : std::nullopt)
      .Member("undecided", proof.undecided)
      .Member("hash", proof.hash.ToHex())
      .Member("payload_type", static_cast<int>(proof.payload_type))
      .Member("time", proof.received_at)
      .Member("observer_id", observer == nullptr ? std::nullopt : std::optional(observer->id))
      .Member("observer_name", observer == nullptr ? std::nullopt : observer->name)
      .Member("hash_size", proof.hash_size);
  out.Key("path").BeginArray();
  for (const PathHash& hop : proof.path) out.Value(hop.ToHex());
  out.EndArray().Member("hop", proof.hop);
  WriteCandidates(out, candidates, HopProbabilities(proof, view));
  out.EndObject();
}

}  // namespace

void WriteMultibyteMembers(JsonText& out, const MultibyteRow& row) {
  const NodeView* node = row.node;
  out.Member("public_key", row.public_key.ToHex())
      .Member("name", node == nullptr ? std::nullopt : node->name)
      .Member("role", node == nullptr ? std::nullopt : std::optional(node->role))
      .Member("active", node == nullptr ? std::nullopt : std::optional(node->active));
  WriteVersioned(out, row.capability);
  const auto live = [node](const auto& value) {
    return node == nullptr ? std::nullopt : std::optional(value);
  };
  out.Member("last_proof_at", node == nullptr ? std::nullopt : row.capability.last_proof_at)
      .Member("advert_proofs", live(row.capability.advert_proofs))
      .Member("relay_proofs", live(row.capability.relay_proofs))
      .Member("path_hints", live(row.capability.path_hints));
}

void WriteMoment(JsonText& out, const std::optional<CommitMoment>& moment) {
  if (!moment) {
    out.Null();
    return;
  }
  out.BeginObject()
      .Member("commit", moment->commit_id)
      .Member("commit_seq", moment->seq)
      .Member("time", moment->committed_at)
      .EndObject();
}

void WriteHistory(JsonText& out, const CapabilityHistory& history) {
  out.BeginArray();
  for (const CapabilityInterval& interval : history.intervals) {
    out.BeginObject()
        .Member("from_seq", interval.from_seq)
        .Member("from_commit", interval.from_commit)
        .Member("from_time", interval.from_time)
        .Member("to_seq", interval.to_seq)
        .Member("to_commit", interval.to_commit)
        .Member("to_time", interval.to_time);
    WriteVersioned(out, interval.capability);
    out.EndObject();
  }
  out.EndArray();
}

void WriteProofs(JsonText& out, const MultibyteRow& row, const CapabilityProofs& proofs,
                 const RouteContext& context, const MeshView& view) {
  out.BeginArray();
  for (const CapabilityProof& proof : proofs.proofs) WriteProof(out, proof, row, context, view);
  out.EndArray();
}

}  // namespace heliograph::server
