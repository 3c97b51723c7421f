#include "server/routes/cluster_json.h"

#include "server/routes/node_selection.h"

namespace heliograph::server {
const NodeView* MemberNaming::NodeOf(const std::string& key) const {
  if (of_the_past_ || collection_ != ClusterCollection::kMesh) return nullptr;
  const auto public_key = PublicKey::FromHex(key);
  return public_key ? view_.FindNode(*public_key) : nullptr;
}

void WriteTrackFacts(JsonText& out, const ClusterTrack& track, const MemberNaming& naming) {
  out.Member("id", track.id)
      .Member("slug", track.slug)
      .Member("title", track.title)
      .Member("title_pinned", track.title_pinned)
      .Member("collection", Name(track.collection))
      .Member("status", track.status)
      .Member("size", track.size)
      .Member("cohesion", track.cohesion)
      .Member("newcomers_since_closed", track.newcomers_since_closed);
  out.Key("representative");
  if (track.representative && naming.Shows(*track.representative)) {
    const NodeView* node = naming.NodeOf(*track.representative);
    out.BeginObject()
        .Member("key", *track.representative)
        .Member("name", node != nullptr ? node->name : std::nullopt)
        .EndObject();
  } else {
    out.Null();
  }
  out.Member("born_at", track.born_at).Member("changed_at", track.changed_at);
}

void WriteClusterMember(JsonText& out, const TrackMember& member, const MemberNaming& naming) {
  const NodeView* node = naming.NodeOf(member.key);
  out.BeginObject()
      .Member("key", member.key)
      .Member("name", node != nullptr ? node->name : std::nullopt)
      .Member("role", node != nullptr ? std::optional(node->role) : std::nullopt)
      .Member("strength", member.included_by_hand ? std::nullopt : std::optional(member.strength))
      .Member("state", member.included_by_hand ? "included" : "found")
      .EndObject();
}

void WriteDecision(JsonText& out, const ClusterDecision& decision) {
  out.BeginObject()
      .Member("id", decision.id)
      .Member("run", decision.run)
      .Member("previous_run", decision.previous_run)
      .Member("commit", decision.commit_id)
      .Member("at", decision.at)
      .Member("cluster", decision.track_id)
      .Member("title", decision.title)
      .Member("outcome", decision.outcome)
      .Member("class", decision.kind)
      .Member("state", decision.state)
      .Member("rule", decision.rule)
      .Member("shared", decision.shared)
      .Member("old_size", decision.old_size)
      .Member("new_size", decision.new_size)
      .Member("newcomers", decision.newcomers)
      .Member("share_old", decision.share_old)
      .Member("share_new", decision.share_new)
      .Member("jaccard", decision.jaccard)
      .Member("present_jaccard", decision.present_jaccard)
      .Member("turnover", decision.turnover)
      .Member("score", decision.score)
      .Member("margin", decision.score - decision.second)
      .Member("confidence", decision.confidence)
      .Member("reason", decision.reason);
  out.Key("others").BeginArray();
  for (const DecisionTrack& other : decision.others) {
    out.BeginObject()
        .Member("role", other.role)
        .Member("id", other.id)
        .Member("title", other.title)
        .EndObject();
  }
  out.EndArray().EndObject();
}

void WriteOverride(JsonText& out, const ClusterOverrideRow& row, const MemberNaming& naming) {
  out.BeginObject()
      .Member("id", row.id)
      .Member("action", row.action)
      .Member("cluster", row.track_id)
      .Member("other", row.other_id)
      .Member("title", row.title)
      .Member("undoes", row.undoes)
      .Member("in_force", row.in_force)
      .Member("actor", row.actor)
      .Member("reason", row.reason)
      .Member("created_at", row.created_at)
      .Member("commit", row.commit_id)
      .Member("member_count", row.members)
      .Member("blocked", naming.of_the_past() ? std::nullopt : std::optional(row.blocked));
  out.Key("members").BeginArray();
  for (const std::string& member : row.first_members)
    if (naming.Shows(member)) out.Value(member);
  out.EndArray().EndObject();
}

bool ShowsMember(const RouteContext& context, const MeshView& view, ClusterCollection collection,
                 const std::string& key) {
  if (collection != ClusterCollection::kMesh) return true;
  const auto public_key = PublicKey::FromHex(key);
  if (!public_key) return false;
  return IsShown(*public_key, view, context.visibility());
}

std::unordered_set<std::int64_t> HiddenMembers(ReaderConnection& reader, const RouteContext& context,
                                               const MeshView& view) {
  std::unordered_set<std::int64_t> hidden;
  for (const IdentityKey key : context.visibility().HiddenNodes(view))
    hidden.insert(static_cast<std::int64_t>(key));
  // The view may lack those that the operator named: a member need not be a node.
  for (const PublicKey& key : context.visibility().hidden_keys())
    if (const auto number = MemberNumber(reader, ClusterCollection::kMesh, key.ToHex()))
      hidden.insert(*number);
  return hidden;
}

void WriteClusterOfNode(JsonText& out, const RouteContext& context, const PublicKey& key) {
  const auto cluster = context.services().readers->Read([&](ReaderConnection& reader) {
    return ClusterOfMember(reader, ClusterMoment(), ClusterCollection::kMesh, key.ToHex());
  });
  if (!cluster) {
    out.Null();
    return;
  }
  const auto& [track, member] = *cluster;
  out.BeginObject()
      .Member("id", track.id)
      .Member("slug", track.slug)
      .Member("title", track.title)
      .Member("strength", member.included_by_hand ? std::nullopt : std::optional(member.strength))
      .EndObject();
}

}  // namespace heliograph::server
