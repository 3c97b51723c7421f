#include "ingestor/store/override_store.h"

#include "ingestor/store/statement.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

std::int64_t Number(TrackKey key) {
  return static_cast<std::int64_t>(key);
}

std::optional<std::int64_t> Number(const std::optional<TrackKey>& key) {
  return key ? std::optional(Number(*key)) : std::nullopt;
}

}  // namespace

void OverrideStore::Add(const StoredOverride& added, const std::vector<MemberKey>& members) {
  SQLite::Statement insert(
      database_,
      "INSERT INTO cluster_overrides(branch_id, override_id, from_seq, collection, action,"
      " track_key, other_track_key, title, undoes, actor, reason, created_at)"
      " VALUES (1,?,?,?,?,?,?,?,?,?,?,?)");
  const std::string collection(Name(added.collection)), action(Name(added.action));
  RowBinder(insert)
      .Text(added.id)
      .Integer(static_cast<std::int64_t>(added.commit))
      .Text(collection)
      .Text(action)
      .Integer(Number(added.track))
      .Integer(Number(added.other))
      .Text(added.title)
      .Text(added.undoes)
      .Text(added.actor)
      .Text(added.reason)
      .Time(added.created_at)
      .Run();
  SQLite::Statement member(database_,
                           "INSERT INTO cluster_override_members(override_id, member_key) VALUES (?,?)");
  for (const MemberKey key : members)
    RowBinder(member).Text(added.id).Integer(static_cast<std::int64_t>(key)).Run();
}

std::optional<StoredOverride> OverrideStore::Find(const std::string& id) {
  SQLite::Statement row(
      database_,
      "SELECT from_seq, to_seq IS NULL, collection, action, track_key, other_track_key, title,"
      " undoes, actor, reason, created_at FROM cluster_overrides WHERE branch_id=1"
      " AND override_id=?");
  if (!RowBinder(row).Text(id).Step()) return std::nullopt;
  StoredOverride found;
  found.id = id;
  found.commit = CommitSeq{row.getColumn(0).getInt64()};
  found.in_force = row.getColumn(1).getInt() != 0;
  found.collection = ParseClusterCollection(row.getColumn(2).getString()).value();
  found.action = ParseOverrideAction(row.getColumn(3).getString()).value();
  found.track = TrackKey{row.getColumn(4).getInt64()};
  if (!row.getColumn(5).isNull()) found.other = TrackKey{row.getColumn(5).getInt64()};
  found.title = OptionalText(row.getColumn(6));
  found.undoes = OptionalText(row.getColumn(7));
  found.actor = row.getColumn(8).getString();
  found.reason = row.getColumn(9).getString();
  found.created_at = TimeColumn(row.getColumn(10));
  return found;
}

void OverrideStore::End(const std::string& id, CommitSeq commit) {
  SQLite::Statement close(
      database_,
      "UPDATE cluster_overrides SET to_seq=? WHERE branch_id=1 AND override_id=? AND to_seq IS NULL");
  RowBinder(close).Integer(static_cast<std::int64_t>(commit)).Text(id).Run();
}

std::optional<CommitSeq> OverrideStore::TouchedAt(TrackKey track) {
  SQLite::Statement row(database_,
                        "SELECT max(max(from_seq, coalesce(to_seq, 0))) FROM cluster_overrides"
                        " WHERE branch_id=1 AND (track_key=?1 OR other_track_key=?1)");
  RowBinder(row).Integer(Number(track)).Step();
  if (row.getColumn(0).isNull()) return std::nullopt;
  return CommitSeq{row.getColumn(0).getInt64()};
}

TrackConstraints OverrideStore::Constraints(const BranchView& view, ClusterCollection collection,
                                            std::optional<TrackKey> apart) {
  SQLite::Statement rows(database_,
                         "SELECT o.action, o.track_key, o.other_track_key, m.member_key FROM " +
                             OpenIntervals("cluster_overrides", "override_id") +
                             " AS o JOIN cluster_override_members AS m USING(override_id)"
                             " WHERE o.collection=?3 AND o.action IN ('exclude', 'include', 'split')"
                             " ORDER BY o.from_seq, m.member_key");
  const std::string name(Name(collection));
  RowBinder row(rows);
  row.Integer(static_cast<std::int64_t>(view.branch)).Integer(view.base_seq).Text(name);
  TrackStore tracks(database_);
  TrackConstraints constraints;
  const auto root_of = [&](TrackKey track) {
    const auto known = constraints.roots.find(track);
    if (known != constraints.roots.end()) return known->second;
    const auto root = tracks.Resolve(view, track, apart);
    return constraints.roots[track] = root ? root->key : track;
  };
  while (row.Step()) {
    const auto action = ParseOverrideAction(rows.getColumn(0).getString()).value();
    const TrackKey track = root_of(TrackKey{rows.getColumn(1).getInt64()});
    const auto& other = rows.getColumn(2);
    constraints.Take(action, track, other.isNull() ? track : root_of(TrackKey{other.getInt64()}),
                     MemberKey{rows.getColumn(3).getInt64()});
  }
  for (const auto& [part, whole] : tracks.MergedByHand(view, collection)) {
    constraints.wholes[part] = whole;
    root_of(part);
  }
  for (const auto& [member, track] : constraints.pinned) {
    const auto state = tracks.Now(view, track);
    if (state)
      constraints.held[track] = {state->status, state->merged_into, state->merged_by_hand, std::nullopt};
  }
  return constraints;
}

bool OverrideStore::IsClosed(TrackKey track) {
  SQLite::Statement row(database_,
                        "SELECT action='close' FROM cluster_overrides WHERE branch_id=1 AND to_seq IS NULL"
                        " AND track_key=? AND action IN ('close', 'reopen') ORDER BY from_seq DESC LIMIT 1");
  return RowBinder(row).Integer(Number(track)).Step() && row.getColumn(0).getInt() != 0;
}

std::optional<std::string> OverrideStore::TitleOf(TrackKey track) {
  SQLite::Statement row(
      database_,
      "SELECT title FROM cluster_overrides WHERE branch_id=1 AND to_seq IS NULL AND"
      " (action='rename' AND track_key=?1 OR action='split' AND other_track_key=?1 AND title"
      " IS NOT NULL) ORDER BY from_seq DESC LIMIT 1");
  if (!RowBinder(row).Integer(Number(track)).Step()) return std::nullopt;
  return row.getColumn(0).getString();
}

std::optional<TrackKey> OverrideStore::GoneInto(TrackKey track) {
  SQLite::Statement row(database_,
                        "SELECT track_key FROM cluster_overrides WHERE branch_id=1 AND other_track_key=? AND"
                        " (action='merge' AND to_seq IS NULL OR action='split' AND to_seq IS NOT NULL)"
                        " ORDER BY action LIMIT 1");  // a merge before a split
  if (!RowBinder(row).Integer(Number(track)).Step()) return std::nullopt;
  return TrackKey{row.getColumn(0).getInt64()};
}

std::vector<OverrideStore::UndoneMerge> OverrideStore::UndoneMerges(const BranchView& view,
                                                                    ClusterCollection collection) {
  SQLite::Statement rows(database_,
                         "SELECT track_key, other_track_key, from_seq, to_seq FROM cluster_overrides WHERE"
                         " branch_id=1 AND action='merge' AND to_seq IS NOT NULL AND (?1=1 OR to_seq<=?2)"
                         " AND collection=?3 ORDER BY from_seq");
  const std::string name(Name(collection));
  RowBinder row(rows);
  row.Integer(static_cast<std::int64_t>(view.branch)).Integer(view.base_seq).Text(name);
  std::vector<UndoneMerge> merges;
  while (row.Step())
    merges.push_back({TrackKey{rows.getColumn(0).getInt64()}, TrackKey{rows.getColumn(1).getInt64()},
                      CommitSeq{rows.getColumn(2).getInt64()}, CommitSeq{rows.getColumn(3).getInt64()}});
  return merges;
}

void OverrideStore::CountBlocked(const BranchView& view, RunKey run,
                                 const std::vector<std::pair<TrackKey, MemberKey>>& blocked,
                                 const TrackConstraints& constraints) {
  if (blocked.empty()) return;
  SQLite::Statement rows(database_, "SELECT o.override_id, o.track_key FROM " +
                                        OpenIntervals("cluster_overrides", "override_id") +
                                        " AS o JOIN cluster_override_members AS m USING(override_id)"
                                        " WHERE o.action IN ('exclude', 'split') AND m.member_key=?3"
                                        " ORDER BY o.from_seq DESC");
  SQLite::Statement count(database_,
                          "INSERT INTO cluster_override_counters(branch_id, override_id, blocked, last_run)"
                          " VALUES (?,?,1,?)"
                          " ON CONFLICT DO UPDATE SET blocked=blocked+1, last_run=excluded.last_run");
  for (const auto& [track, member] : blocked) {
    RowBinder row(rows);
    row.Integer(static_cast<std::int64_t>(view.branch))
        .Integer(view.base_seq)
        .Integer(static_cast<std::int64_t>(member));
    while (row.Step()) {
      if (constraints.RootOf(TrackKey{rows.getColumn(1).getInt64()}) != track) continue;
      const std::string id = rows.getColumn(0).getString();
      RowBinder(count)
          .Integer(static_cast<std::int64_t>(view.branch))
          .Text(id)
          .Integer(static_cast<std::int64_t>(run))
          .Run();
      break;
    }
  }
}

}  // namespace heliograph::ingestor
