#include "ingestor/store/book_loader.h"

#include <algorithm>
#include <string>

#include "ingestor/store/override_store.h"
#include "ingestor/store/statement.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

// Merges point forward in time, so that a chain ends; the limit is for a damaged database.
constexpr int kMostMerges = 1000;

/// The applied runs that the branch sees, newest first, as far back as any track is remembered.
struct Lineage {
  std::vector<RunKey> runs;
  std::map<RunKey, std::size_t> age;
  std::map<RunKey, std::optional<UtcMillis>> data_time;
  std::map<RunKey, CommitSeq> commit;
};

Lineage LineageOf(SQLite::Database& database, const BranchView& view, ClusterCollection collection) {
  SQLite::Statement rows(
      database,
      "SELECT run_id, data_time, commit_seq FROM cluster_runs WHERE commit_seq IS NOT NULL AND collection=?3"
      " AND (branch_id=?1 OR branch_id=1 AND commit_seq<=?2) ORDER BY commit_seq DESC LIMIT ?4");
  const std::string name(Name(collection));
  RowBinder row(rows);
  row.Integer(static_cast<std::int64_t>(view.branch))
      .Integer(view.base_seq)
      .Text(name)
      .Integer(static_cast<std::int64_t>(kDormantRuns + kRememberedSnapshots + 1));
  Lineage lineage;
  while (row.Step()) {
    const RunKey run{rows.getColumn(0).getInt64()};
    lineage.age[run] = lineage.runs.size();
    lineage.data_time[run] = OptionalTime(rows.getColumn(1));
    lineage.commit[run] = CommitSeq{rows.getColumn(2).getInt64()};
    lineage.runs.push_back(run);
  }
  return lineage;
}

/// A track that may go on, and the newest of its clusters that the match of the next run looks at.
struct Remembered {
  TrackKey track{};
  TrackState state;
  std::vector<std::pair<RunKey, std::size_t>> clusters;  ///< run and ordinal, newest first; at least one
};

std::vector<Remembered> RememberedOf(SQLite::Database& database, const BranchView& view,
                                     ClusterCollection collection, const Lineage& lineage) {
  SQLite::Statement snapshots(
      database, "SELECT run_id, ordinal FROM cluster_snapshots WHERE track_key=? ORDER BY run_id DESC");
  std::vector<Remembered> all;
  for (const auto& [track, state] : TrackStore(database).Unfinished(view, collection)) {
    RowBinder row(snapshots);
    row.Integer(static_cast<std::int64_t>(track));
    Remembered remembered{track, state, {}};
    while (remembered.clusters.size() < kRememberedSnapshots && row.Step()) {
      const RunKey run{snapshots.getColumn(0).getInt64()};
      // Of what other branches made of the track nothing is seen from here.
      const auto age = lineage.age.find(run);
      if (age == lineage.age.end()) continue;
      if (!remembered.clusters.empty() && age->second >= kForgottenAge) break;
      remembered.clusters.emplace_back(run, static_cast<std::size_t>(snapshots.getColumn(1).getInt64()));
    }
    if (!remembered.clusters.empty()) all.push_back(std::move(remembered));
  }
  return all;
}

}  // namespace

BookLoader::BookLoader(SQLite::Database& database, const BranchView& view, ClusterCollection collection)
    : database_(database), view_(view), collection_(collection) {
  Lineage lineage = LineageOf(database, view, collection);
  if (lineage.runs.empty()) return;
  const auto open = TrackStore(database).OpenDecisions(view, collection);
  std::set<TrackKey> provisional;
  for (const OpenDecision& decision : open)
    if (decision.outcome == LineageOutcome::kNew && decision.track) provisional.insert(*decision.track);
  std::map<RunKey, std::vector<std::pair<std::size_t, TrackKey>>> clusters;
  clusters[lineage.runs.front()];
  for (const Remembered& track : RememberedOf(database, view, collection, lineage)) {
    for (const auto& [run, ordinal] : track.clusters) clusters[run].emplace_back(ordinal, track.track);
    book_.RestoreTrack(track.track,
                       {track.state.status, track.state.merged_into, track.state.merged_by_hand,
                        lineage.data_time.at(track.clusters.front().first)},
                       provisional.contains(track.track));
  }
  for (auto& [run, of_run] : clusters) wanted_.push_back({run, lineage.age.at(run), std::move(of_run)});
  for (const OpenDecision& decision : open) book_.RestoreOpenDecision(decision);
  commits_ = std::move(lineage.commit);
}

bool BookLoader::Step() {
  if (wanted_.empty()) return true;
  Restore(wanted_.back());
  wanted_.pop_back();
  if (!wanted_.empty()) return false;
  TakeApart();
  return true;
}

void BookLoader::Restore(const Wanted& wanted) {
  std::map<std::size_t, MemberSet> clusters;
  for (const auto& [ordinal, track] : wanted.clusters) clusters[ordinal];
  SQLite::Statement rows(database_,
                         "SELECT member_key, coalesce(ordinal, -1) FROM cluster_members WHERE run_id=?"
                         " ORDER BY member_key");
  RowBinder row(rows);
  row.Integer(static_cast<std::int64_t>(wanted.run));
  MemberSet present;
  while (row.Step()) {
    const MemberKey member{rows.getColumn(0).getInt64()};
    present.push_back(member);
    const std::int64_t ordinal = rows.getColumn(1).getInt64();
    const auto cluster = ordinal < 0 ? clusters.end() : clusters.find(static_cast<std::size_t>(ordinal));
    if (cluster != clusters.end()) cluster->second.push_back(member);
  }
  book_.RestoreRun(wanted.run, wanted.age, std::move(present));
  for (const auto& [ordinal, track] : wanted.clusters)
    book_.RestoreSnapshot(track, wanted.run, clusters[ordinal]);
}

void BookLoader::TakeApart() {
  TrackStore tracks(database_);
  SQLite::Statement members(
      database_,
      "SELECT member_key FROM cluster_members AS m JOIN (SELECT run_id, ordinal FROM cluster_snapshots WHERE"
      " track_key=? AND run_id<? ORDER BY run_id DESC LIMIT 1) USING(run_id, ordinal) ORDER BY member_key");
  for (const OverrideStore::UndoneMerge& merge : OverrideStore(database_).UndoneMerges(view_, collection_)) {
    std::optional<RunKey> first, last;
    for (const auto& [run, commit] : commits_) {
      if (commit <= merge.from || commit >= merge.to) continue;
      if (!first) first = run;
      last = run;
    }
    if (!first) continue;
    RowBinder row(members);
    row.Integer(static_cast<std::int64_t>(merge.other)).Integer(static_cast<std::int64_t>(*first));
    MemberSet part;
    while (row.Step()) part.push_back(MemberKey{members.getColumn(0).getInt64()});
    // What was merged further had the members in the end.
    std::optional<TrackKey> whole = merge.track;
    for (int steps = 0; whole && steps < kMostMerges; ++steps) {
      book_.TakeApart(*whole, *first, *last, part);
      const auto state = tracks.Now(view_, *whole);
      whole = state ? state->merged_into : std::nullopt;
    }
  }
}

std::set<RunKey> RunsOfBook(SQLite::Database& database, const BranchView& view,
                            ClusterCollection collection) {
  const Lineage lineage = LineageOf(database, view, collection);
  std::set<RunKey> runs;
  if (lineage.runs.empty()) return runs;
  runs.insert(lineage.runs.front());
  for (const Remembered& remembered : RememberedOf(database, view, collection, lineage))
    for (const auto& [run, ordinal] : remembered.clusters) runs.insert(run);
  return runs;
}

}  // namespace heliograph::ingestor
