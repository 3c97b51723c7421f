#include "ingestor/apply/corrected_clusters.h"

#include <algorithm>

#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/override_store.h"
#include "ingestor/store/statement.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {

CorrectedClusters::CorrectedClusters(SQLite::Database& database, const BranchView& view,
                                     ClusterCollection collection, std::optional<TrackKey> apart)
    : database_(database),
      collection_(collection),
      constraints_(OverrideStore(database).Constraints(view, collection, apart)) {
  const auto active = ClusterRunStore(database).Active(view, collection);
  if (!active) return;
  run_ = static_cast<std::int64_t>(active->active);
  TrackStore tracks(database);
  SQLite::Statement rows(
      database,
      "SELECT ordinal, track_key FROM cluster_snapshots WHERE run_id=? AND track_key IS NOT"
      " NULL ORDER BY ordinal");
  RowBinder row(rows);
  row.Integer(run_);
  while (row.Step()) {
    const auto track = tracks.Resolve(view, TrackKey{rows.getColumn(1).getInt64()}, apart);
    if (track) clusters_[track->key].push_back(rows.getColumn(0).getInt64());
  }
}

MemberSet CorrectedClusters::MembersOf(TrackKey track) const {
  MemberSet members;
  for (const auto& [member, pinned] : constraints_.pinned)
    if (pinned == track) members.push_back(member);
  SQLite::Statement rows(database_, "SELECT member_key FROM cluster_members WHERE run_id=? AND ordinal=?");
  if (const auto clusters = clusters_.find(track); clusters != clusters_.end()) {
    for (const std::int64_t ordinal : clusters->second) {
      RowBinder row(rows);
      row.Integer(run_).Integer(ordinal);
      while (row.Step()) {
        const MemberKey member{rows.getColumn(0).getInt64()};
        if (!constraints_.pinned.contains(member) && !constraints_.IsExcluded(track, member))
          members.push_back(member);
      }
    }
  }
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace heliograph::ingestor
