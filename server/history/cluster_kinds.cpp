#include "server/history/cluster_kinds.h"

#include <charconv>

#include "common/ulid.h"
#include "server/clusters/cluster_reader.h"

namespace heliograph::server {
namespace {

/// In the case in which they are stored; nothing for what is none.
std::optional<std::string> UlidText(std::string_view id) {
  std::string upper(id);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return Ulid::Parse(upper) ? std::optional(upper) : std::nullopt;
}

std::optional<EntityKey> UlidKeyOf(std::string_view id) {
  const auto text = UlidText(id);
  if (!text) return std::nullopt;
  return EntityKey(*text);
}

std::string CanonicalUlid(std::string_view id) {
  return UlidText(id).value_or(std::string(id));
}

std::optional<EntityKey> NumberKeyOf(std::string_view id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size() || number < 1) return std::nullopt;
  return EntityKey(number);
}

std::string CanonicalNumber(std::string_view id) {
  const auto number = NumberKeyOf(id);
  return number ? std::to_string(std::get<std::int64_t>(*number)) : std::string(id);
}

std::optional<EntityKey> AliasKeyOf(std::string_view id) {
  if (id.empty()) return std::nullopt;
  return EntityKey(std::string(id));
}

std::string CanonicalAlias(std::string_view id) {
  return std::string(id);
}

std::optional<std::string> ClusterIdNamed(ReaderConnection& reader, const BranchLine& line, std::int64_t seq,
                                          const std::string& name) {
  const auto track = TrackNamed(reader, ClusterMomentOn(line, seq), name);
  if (!track) return std::nullopt;
  SQLite::Statement& row = reader.Prepared("SELECT track_id FROM cluster_tracks WHERE track_key = ?");
  row.bind(1, *track);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getString();
}

}  // namespace

// The states are what the feed tells of the same changes.
const std::array<EntityKind, 4> kClusterKinds{
    EntityKind{
        .name = kClusterEntity,
        .table = "cluster_track_states",
        .intervals = "cluster_track_states AS v JOIN cluster_tracks AS t USING(track_key)",
        .id = "t.track_id",
        .key = "t.track_id",
        .state = "json_object('collection', t.collection, 'slug', v.slug, 'title', v.title, 'title_pinned', "
                 "json(iif(v.title_pinned, 'true', 'false')), 'status', v.status, 'representative', "
                 "iif(t.collection = 'mesh', (SELECT lower(hex(public_key)) FROM identity WHERE key = "
                 "v.representative_key), (SELECT item_id FROM item_identity WHERE key = "
                 "v.representative_key)), 'merged_into', (SELECT m.track_id FROM cluster_tracks AS m WHERE "
                 "m.track_key = v.merged_into), 'merged_by_hand', json(iif(v.merged_by_hand, 'true', "
                 "'false')))",
        .key_of = UlidKeyOf,
        .canonical_id = CanonicalUlid,
        .id_named = ClusterIdNamed,
        .id_form = "the id of a cluster, its slug, or a name that it had",
    },
    EntityKind{
        .name = "cluster_decision",
        .table = "cluster_decision_states",
        .intervals = "cluster_decision_states AS v JOIN cluster_merge_decisions AS d USING(decision_id) JOIN "
                     "cluster_tracks AS t USING(track_key)",
        .id = "CAST(v.decision_id AS TEXT)",
        .key = "v.decision_id",
        .state =
            "json_object('cluster', t.track_id, 'run', d.run_id, 'outcome', d.outcome, 'class', d.class, "
            "'state', v.state, 'confidence', d.confidence, 'reason', d.reason)",
        .key_of = NumberKeyOf,
        .canonical_id = CanonicalNumber,
        .id_form = "the number of a decision",
    },
    EntityKind{
        .name = "cluster_alias",
        .table = "cluster_aliases",
        .intervals = "cluster_aliases AS v JOIN cluster_tracks AS t USING(track_key)",
        .id = "v.alias",
        .key = "v.alias",
        .state = "json_object('cluster', t.track_id)",
        .key_of = AliasKeyOf,
        .canonical_id = CanonicalAlias,
        .id_form = "a name that a cluster had",
    },
    EntityKind{
        .name = "cluster_override",
        .table = "cluster_overrides",
        .intervals = "cluster_overrides AS v JOIN cluster_tracks AS t USING(track_key)",
        .id = "v.override_id",
        .key = "v.override_id",
        .state =
            "json_object('cluster', t.track_id, 'action', v.action, 'actor', v.actor, 'reason', v.reason, "
            "'title', v.title, 'undoes', v.undoes, 'other', (SELECT o.track_id FROM cluster_tracks AS o "
            "WHERE o.track_key = v.other_track_key))",
        .key_of = UlidKeyOf,
        .canonical_id = CanonicalUlid,
        .id_form = "the id of a correction, as its requestId",
    },
};

}  // namespace heliograph::server
