#include "ingestor/store/cluster_run_store.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "ingestor/store/statement.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

std::int64_t Number(RunKey run) {
  return static_cast<std::int64_t>(run);
}
std::int64_t Number(BranchId branch) {
  return static_cast<std::int64_t>(branch);
}
std::optional<std::int64_t> Number(std::optional<RunKey> run) {
  return run ? std::optional(Number(*run)) : std::nullopt;
}

Sha256Digest DigestOf(const SQLite::Column& column) {
  Sha256Digest digest{};
  std::copy_n(static_cast<const std::uint8_t*>(column.getBlob()), digest.size(), digest.begin());
  return digest;
}

/// The newest applied run of a branch by itself; the names of its parameters are the branch's and the last
/// commit's.
std::string NewestRun(const std::string& branch, const std::string& last) {
  return "SELECT * FROM (SELECT run_id, content_digest, commit_seq, pruned_at IS NULL FROM cluster_runs"
         " WHERE branch_id=" +
         branch + " AND collection=?3 AND commit_seq<=" + last + " ORDER BY commit_seq DESC LIMIT 1)";
}

std::optional<ClusterPointer> ReadPointer(RowBinder& row, SQLite::Statement& statement) {
  if (!row.Step()) return std::nullopt;
  return ClusterPointer{RunKey{statement.getColumn(0).getInt64()}, DigestOf(statement.getColumn(1)),
                        CommitSeq{statement.getColumn(2).getInt64()}, statement.getColumn(3).getInt() != 0};
}

}  // namespace

ClusterRunStore::ClusterRunStore(SQLite::Database& database)
    : database_(database),
      stage_member_(database,
                    "INSERT INTO cluster_members(run_id, member_key, ordinal, strength) VALUES (?,?,?,?)"),
      strength_(database, "SELECT strength FROM cluster_members WHERE run_id=? AND member_key=?"),
      add_cluster_(
          database,
          "INSERT INTO cluster_snapshots(run_id, ordinal, track_key, size, representative_key, cohesion,"
          " label, summary) VALUES (?,?,?,?,?,?,?,?)"),
      members_after_(database,
                     "SELECT member_key, ordinal, strength FROM cluster_members WHERE run_id=? AND"
                     " member_key>? ORDER BY member_key LIMIT ?") {}

std::optional<ClusterPointer> ClusterRunStore::Active(const BranchView& view, ClusterCollection collection) {
  SQLite::Statement newest(database_, NewestRun("?1", "9e18") + " UNION ALL " + NewestRun("1", "?2") +
                                          " ORDER BY commit_seq DESC LIMIT 1");
  const std::string name(Name(collection));
  RowBinder row(newest);
  row.Integer(Number(view.branch)).Integer(view.base_seq).Text(name);
  return ReadPointer(row, newest);
}

std::optional<ClusterPointer> ClusterRunStore::OwnActiveAt(BranchId branch, ClusterCollection collection,
                                                           CommitSeq last) {
  SQLite::Statement newest(database_, NewestRun("?1", "?2"));
  const std::string name(Name(collection));
  RowBinder row(newest);
  row.Integer(Number(branch)).Integer(static_cast<std::int64_t>(last)).Text(name);
  return ReadPointer(row, newest);
}

std::optional<StoredRun> ClusterRunStore::Load(RunKey run) {
  SQLite::Statement row(database_,
                        "SELECT collection, match_rule, algorithm, parameters, input_digest, content_digest,"
                        " watermark, data_time, computed_at, quality, branch_id FROM cluster_runs"
                        " WHERE run_id=? AND commit_seq IS NOT NULL AND pruned_at IS NULL");
  if (!RowBinder(row).Integer(Number(run)).Step()) return std::nullopt;
  StoredRun stored;
  ClusterSnapshot& snapshot = stored.snapshot;
  snapshot.collection = ParseClusterCollection(row.getColumn(0).getString()).value();
  // What a partial run did not look at was added to it when it was applied, so that it names all.
  snapshot.coverage = RunCoverage::kFull;
  snapshot.match_rule = ParseMatchRule(row.getColumn(1).getString()).value();
  snapshot.algorithm = row.getColumn(2).getString();
  snapshot.parameters = row.getColumn(3).getString();
  snapshot.input_digest = DigestOf(row.getColumn(4));
  stored.content = DigestOf(row.getColumn(5));
  snapshot.watermark = row.getColumn(6).getInt64();
  snapshot.data_time = OptionalTime(row.getColumn(7));
  stored.computed_at = TimeColumn(row.getColumn(8));
  snapshot.quality = nlohmann::json::parse(row.getColumn(9).getString()).get<std::map<std::string, double>>();
  stored.branch = BranchId{row.getColumn(10).getInt64()};
  SQLite::Statement clusters(database_,
                             "SELECT representative_key, cohesion, label, summary, iif(EXISTS (SELECT 1 FROM"
                             " cluster_track_states AS s WHERE s.branch_id=1 AND s.track_key=c.track_key),"
                             " NULL, track_key) FROM cluster_snapshots AS c WHERE run_id=? ORDER BY ordinal");
  RowBinder cluster(clusters);
  cluster.Integer(Number(run));
  while (cluster.Step()) {
    stored.representatives.push_back(MemberKey{clusters.getColumn(0).getInt64()});
    SnapshotCluster& added = snapshot.clusters.emplace_back();
    added.cohesion = clusters.getColumn(1).getDouble();
    added.label = clusters.getColumn(2).getString();
    added.summary = clusters.getColumn(3).getString();
    const auto track = OptionalInteger(clusters.getColumn(4));
    stored.new_to_main.push_back(track ? std::optional(TrackKey{*track}) : std::nullopt);
  }
  return stored;
}

std::vector<PlacedMember> ClusterRunStore::MembersAfter(RunKey run, MemberKey last, std::size_t limit) {
  RowBinder row(members_after_);
  row.Integer(Number(run)).Integer(static_cast<std::int64_t>(last)).Integer(static_cast<std::int64_t>(limit));
  std::vector<PlacedMember> members;
  while (row.Step()) {
    PlacedMember& placed = members.emplace_back();
    placed.member = MemberKey{members_after_.getColumn(0).getInt64()};
    if (const auto ordinal = OptionalInteger(members_after_.getColumn(1)))
      placed.ordinal = static_cast<std::size_t>(*ordinal);
    placed.strength = members_after_.getColumn(2).getInt();
  }
  members_after_.tryReset();
  return members;
}

RunKey ClusterRunStore::Stage(const RunOrigin& origin, const ClusterSnapshot& snapshot) {
  const RunKey run{database_.execAndGet("SELECT coalesce(max(run_id), 0) + 1 FROM cluster_runs").getInt64()};
  SQLite::Statement insert(
      database_,
      "INSERT INTO cluster_runs(run_id, branch_id, collection, file_id, copy_of, job_id, coverage,"
      " match_rule, algorithm, parameters, input_digest, content_digest, watermark, data_time, computed_at,"
      " quality, cluster_count, member_count, unclustered_count)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,0)");
  const std::string collection(Name(snapshot.collection)), coverage(Name(snapshot.coverage)),
      rule(Name(snapshot.match_rule)), quality = nlohmann::json(snapshot.quality).dump();
  const std::optional<std::string> job = snapshot.job ? std::optional(snapshot.job->ToText()) : std::nullopt;
  RowBinder(insert)
      .Integer(Number(run))
      .Integer(Number(origin.branch))
      .Text(collection)
      .Text(origin.file)
      .Integer(Number(origin.copy_of))
      .Text(job)
      .Text(coverage)
      .Text(rule)
      .Text(snapshot.algorithm)
      .Text(snapshot.parameters)
      .Blob(snapshot.input_digest)
      .Blob(origin.content)
      .Integer(snapshot.watermark)
      .Time(snapshot.data_time)
      .Time(origin.computed_at)
      .Text(quality)
      .Run();
  return run;
}

void ClusterRunStore::StageMember(RunKey run, const PlacedMember& placed) {
  std::optional<std::int64_t> place;
  if (placed.ordinal) place = static_cast<std::int64_t>(*placed.ordinal);
  RowBinder(stage_member_)
      .Integer(Number(run))
      .Integer(static_cast<std::int64_t>(placed.member))
      .Integer(place)
      .Integer(placed.strength)
      .Run();
}

int ClusterRunStore::StrengthIn(RunKey run, MemberKey member) {
  int strength = 0;
  if (RowBinder(strength_).Integer(Number(run)).Integer(static_cast<std::int64_t>(member)).Step())
    strength = strength_.getColumn(0).getInt();
  strength_.tryReset();
  return strength;
}

void ClusterRunStore::AddCluster(RunKey run, std::size_t ordinal, const SnapshotCluster& cluster,
                                 std::size_t size, MemberKey representative, std::optional<TrackKey> track) {
  std::optional<std::int64_t> track_number;
  if (track) track_number = static_cast<std::int64_t>(*track);
  RowBinder(add_cluster_)
      .Integer(Number(run))
      .Integer(static_cast<std::int64_t>(ordinal))
      .Integer(track_number)
      .Integer(static_cast<std::int64_t>(size))
      .Integer(static_cast<std::int64_t>(representative))
      .Real(cluster.cohesion)
      .Text(cluster.label)
      .Text(cluster.summary)
      .Run();
}

void ClusterRunStore::CarryCluster(RunKey run, std::size_t ordinal, RunKey before, TrackKey track,
                                   std::size_t size) {
  SQLite::Statement copy(
      database_,
      "INSERT INTO cluster_snapshots(run_id, ordinal, track_key, size, representative_key,"
      " cohesion, label, summary) SELECT ?1, ?2, track_key, ?5, representative_key, cohesion,"
      " label, summary FROM cluster_snapshots WHERE run_id=?3 AND track_key=?4 LIMIT 1");
  RowBinder(copy)
      .Integer(Number(run))
      .Integer(static_cast<std::int64_t>(ordinal))
      .Integer(Number(before))
      .Integer(static_cast<std::int64_t>(track))
      .Integer(static_cast<std::int64_t>(size))
      .Run();
}

void ClusterRunStore::Flip(RunKey run, const BranchView& view, ClusterCollection collection,
                           std::optional<RunKey> previous, const Counts& counts, CommitSeq commit) {
  SQLite::Statement freeze(database_,
                           "UPDATE cluster_runs SET commit_seq=?, previous_run_id=?, cluster_count=?,"
                           " member_count=?, unclustered_count=? WHERE run_id=?");
  RowBinder(freeze)
      .Integer(static_cast<std::int64_t>(commit))
      .Integer(Number(previous))
      .Integer(static_cast<std::int64_t>(counts.clusters))
      .Integer(static_cast<std::int64_t>(counts.members))
      .Integer(static_cast<std::int64_t>(counts.unclustered))
      .Integer(Number(run))
      .Run();
  SQLite::Statement flip(
      database_,
      "INSERT INTO cluster_state(branch_id, collection, active_run, previous_run, commit_seq)"
      " VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET active_run=excluded.active_run,"
      " previous_run=excluded.previous_run, commit_seq=excluded.commit_seq");
  const std::string name(Name(collection));
  RowBinder(flip)
      .Integer(Number(view.branch))
      .Text(name)
      .Integer(Number(run))
      .Integer(Number(previous))
      .Integer(static_cast<std::int64_t>(commit))
      .Run();
}

bool ClusterRunStore::SweepStaged(std::size_t rows) {
  SQLite::Statement staged(database_, "SELECT run_id FROM cluster_runs WHERE commit_seq IS NULL");
  if (!staged.executeStep()) return false;
  const std::int64_t run = staged.getColumn(0).getInt64();
  staged.reset();
  SQLite::Statement members(database_,
                            "DELETE FROM cluster_members WHERE run_id=?1 AND member_key IN"
                            " (SELECT member_key FROM cluster_members WHERE run_id=?1 LIMIT ?2)");
  const int deleted = RowBinder(members).Integer(run).Integer(static_cast<std::int64_t>(rows)).Run();
  if (deleted == static_cast<int>(rows)) return true;
  SQLite::Statement last(database_, "DELETE FROM cluster_runs WHERE run_id=?");
  RowBinder(last).Integer(run).Run();
  return true;
}

}  // namespace heliograph::ingestor
