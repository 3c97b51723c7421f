#include <algorithm>
#include <limits>

#include "server/clusters/cluster_reader.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kMostOthers = 50;
constexpr std::int64_t kFirstMembers = 20;

ClusterDecision ReadDecision(Statement& row) {
  ClusterDecision decision;
  decision.id = row.getColumn(0).getInt64();
  decision.run = row.getColumn(1).getInt64();
  decision.previous_run = NumberOf(row.getColumn(2));
  decision.ordinal = NumberOf(row.getColumn(3));
  decision.commit_id = row.getColumn(4).getString();
  decision.at = TimeOf(row.getColumn(5));
  decision.track_id = row.getColumn(6).getString();
  decision.title = row.getColumn(7).getString();
  decision.rule = row.getColumn(8).getString();
  decision.outcome = row.getColumn(9).getString();
  decision.kind = row.getColumn(10).getString();
  decision.state = row.getColumn(11).getString();
  decision.reason = row.getColumn(12).getString();
  decision.shared = row.getColumn(13).getInt64();
  decision.old_size = row.getColumn(14).getInt64();
  decision.new_size = row.getColumn(15).getInt64();
  decision.newcomers = row.getColumn(16).getInt64();
  decision.share_old = row.getColumn(17).getDouble();
  decision.share_new = row.getColumn(18).getDouble();
  decision.jaccard = row.getColumn(19).getDouble();
  decision.present_jaccard = row.getColumn(20).getDouble();
  decision.turnover = row.getColumn(21).getDouble();
  decision.score = row.getColumn(22).getDouble();
  decision.second = row.getColumn(23).getDouble();
  decision.confidence = row.getColumn(24).getDouble();
  return decision;
}

std::vector<DecisionTrack> OthersOf(ReaderConnection& reader, const ClusterMoment& moment,
                                    std::int64_t decision) {
  Statement& rows =
      reader.Prepared("SELECT l.role, t.track_id, coalesce(" +
                      ValueAt("cluster_track_states", "track_key", "l.track_key", "title") +
                      ", '') FROM cluster_decision_tracks AS l JOIN cluster_tracks AS t USING(track_key)"
                      " WHERE l.decision_id=?4 ORDER BY l.role, l.track_key LIMIT ?5");
  rows.reset();
  BindMoment(rows, moment);
  rows.bind(4, decision);
  rows.bind(5, kMostOthers);
  std::vector<DecisionTrack> others;
  while (rows.executeStep())
    others.push_back(
        {rows.getColumn(0).getString(), rows.getColumn(1).getString(), rows.getColumn(2).getString()});
  return others;
}

void Bind(Statement& statement, int index, const std::optional<std::int64_t>& value) {
  if (value) {
    statement.bind(index, *value);
  } else {
    statement.bind(index);
  }
}

/// The condition that a decision `d` passes, of the parameters of DecisionsAt. Each way to ask has an index
/// to walk from the newest on, so that what is read is bounded by the limit and not by history. `state` is
/// the expression for the decision's state.
std::string ChosenBy(const DecisionFilter& filter, const std::string& state) {
  const std::string passing =
      std::string(" AND d.commit_seq<=?3 AND (d.branch_id=?1 OR d.branch_id=1 AND d.commit_seq<=?2)") +
      (filter.events_only ? " AND d.class NOT IN ('continuation', 'growth', 'contraction')" : "") +
      (filter.confirmed_only ? " AND " + state + "='confirmed'" : "");
  const std::string of_collection =
      "t.collection=?7 AND EXISTS (SELECT 1 FROM cluster_runs WHERE collection=?7)";
  if (filter.decision) return "d.decision_id=?4 AND d.decision_id<?5" + passing;
  if (filter.run) return "d.run_id=?4 AND d.decision_id<?5" + passing;
  if (filter.since_run) return "d.run_id>=?4 AND d.decision_id<?5 AND " + of_collection + passing;
  if (!filter.track) return "d.decision_id<?5 AND " + of_collection + passing;
  return "d.decision_id IN (SELECT decision_id FROM (SELECT d.decision_id FROM cluster_merge_decisions AS d"
         " WHERE d.track_key=?4 AND d.decision_id<?5" +
         passing +
         " ORDER BY d.decision_id DESC LIMIT ?6) UNION SELECT decision_id FROM (SELECT l.decision_id FROM"
         " cluster_decision_tracks AS l CROSS JOIN cluster_merge_decisions AS d USING(decision_id)"
         " WHERE l.track_key=?4 AND l.decision_id<?5" +
         passing + " ORDER BY l.decision_id DESC LIMIT ?6))";
}

}  // namespace

std::vector<ClusterDecision> DecisionsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                         const DecisionFilter& filter) {
  const std::string state = "coalesce(" +
                            ValueAt("cluster_decision_states", "decision_id", "d.decision_id", "state") +
                            ", 'confirmed')";
  const std::string chosen = ChosenBy(filter, state);
  Statement& rows = reader.Prepared(
      "SELECT d.decision_id, d.run_id, d.previous_run_id, d.ordinal, c.commit_id, c.committed_us / 1000,"
      " t.track_id, coalesce(" +
      ValueAt("cluster_track_states", "track_key", "d.track_key", "title") +
      ", ''), d.rule, d.outcome, d.class, " + state +
      ", d.reason, d.shared, d.old_size, d.new_size, d.newcomers, d.share_old, d.share_new, d.jaccard,"
      " d.present_jaccard, d.turnover, d.score, d.second_score, d.confidence FROM cluster_merge_decisions AS "
      "d"
      " JOIN commit_log AS c USING(commit_seq) JOIN cluster_tracks AS t USING(track_key) WHERE " +
      chosen + " ORDER BY d.decision_id DESC LIMIT ?6");
  BindMoment(rows, moment);
  Bind(rows, 4,
       filter.decision    ? filter.decision
       : filter.run       ? filter.run
       : filter.since_run ? filter.since_run
                          : filter.track);
  rows.bind(5, filter.before.value_or(std::numeric_limits<std::int64_t>::max()));
  rows.bind(6, filter.limit);
  if (!filter.decision && !filter.run && (filter.since_run || !filter.track))
    rows.bind(7, std::string(Name(filter.collection)));
  std::vector<ClusterDecision> decisions;
  while (rows.executeStep()) decisions.push_back(ReadDecision(rows));
  for (ClusterDecision& decision : decisions) decision.others = OthersOf(reader, moment, decision.id);
  return decisions;
}

std::vector<ClusterOverrideRow> OverridesOf(ReaderConnection& reader, const ClusterMoment& moment,
                                            std::int64_t track, const OverridePage& page) {
  // Corrections are made on main; a branch sees those of its base.
  const std::int64_t last =
      moment.branch == 1 ? moment.last_seq() : std::min(moment.base_seq, moment.last_seq());
  Statement& rows = reader.Prepared(
      "WITH RECURSIVE states AS (SELECT * FROM " +
      IntervalsAt("cluster_track_states", "track_key", moment, "cluster_track_states_by_status") +
      " WHERE status='merged'), family(track_key) AS (SELECT ?4 UNION SELECT s.track_key FROM states AS s "
      "JOIN"
      " family AS f ON s.merged_into=f.track_key)"
      " SELECT o.override_id, o.action, t.track_id, o.actor, o.reason, x.track_id, o.title, o.undoes,"
      " o.to_seq IS NULL OR o.to_seq>?5, o.created_at, c.commit_id,"
      " (SELECT count(*) FROM cluster_override_members AS m WHERE m.override_id=o.override_id),"
      " coalesce((SELECT sum(blocked) FROM cluster_override_counters AS b WHERE "
      "b.override_id=o.override_id), 0), o.from_seq"
      " FROM cluster_overrides AS o JOIN cluster_tracks AS t ON t.track_key=o.track_key"
      " JOIN commit_log AS c ON c.commit_seq=o.from_seq LEFT JOIN cluster_tracks AS x ON "
      "x.track_key=o.other_track_key"
      " WHERE o.branch_id=1 AND o.from_seq<=?5 AND (o.track_key IN (SELECT track_key FROM family) OR"
      " o.other_track_key IN (SELECT track_key FROM family)) AND (o.from_seq, o.override_id)<(?7, ?8)"
      " ORDER BY o.from_seq DESC, o.override_id DESC LIMIT ?6");
  BindMoment(rows, moment);
  rows.bind(4, track);
  rows.bind(5, last);
  rows.bind(6, page.limit);
  rows.bind(7, page.after ? page.after->first : std::numeric_limits<std::int64_t>::max());
  rows.bind(8, page.after ? page.after->second : std::string());
  std::vector<ClusterOverrideRow> overrides;
  while (rows.executeStep()) {
    ClusterOverrideRow row;
    row.id = rows.getColumn(0).getString();
    row.action = rows.getColumn(1).getString();
    row.track_id = rows.getColumn(2).getString();
    row.actor = rows.getColumn(3).getString();
    row.reason = rows.getColumn(4).getString();
    row.other_id = TextOf(rows.getColumn(5));
    row.title = TextOf(rows.getColumn(6));
    row.undoes = TextOf(rows.getColumn(7));
    row.in_force = rows.getColumn(8).getInt() != 0;
    row.created_at = TimeOf(rows.getColumn(9));
    row.commit_id = rows.getColumn(10).getString();
    row.members = rows.getColumn(11).getInt64();
    row.blocked = rows.getColumn(12).getInt64();
    row.commit_seq = rows.getColumn(13).getInt64();
    overrides.push_back(std::move(row));
  }
  Statement& members = reader.Prepared(
      "SELECT CASE o.collection WHEN 'mesh' THEN (SELECT lower(hex(public_key)) FROM identity WHERE "
      "key=m.member_key)"
      " ELSE (SELECT item_id FROM item_identity WHERE key=m.member_key) END FROM cluster_override_members AS "
      "m JOIN"
      " cluster_overrides AS o ON o.branch_id=1 AND o.override_id=m.override_id WHERE m.override_id=? LIMIT "
      "?");
  for (ClusterOverrideRow& row : overrides) {
    members.reset();
    members.bind(1, row.id);
    members.bind(2, kFirstMembers);
    while (members.executeStep()) row.first_members.push_back(members.getColumn(0).getString());
  }
  return overrides;
}

}  // namespace heliograph::server
