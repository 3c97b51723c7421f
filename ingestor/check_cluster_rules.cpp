#include "ingestor/check_cluster_rules.h"

#include <array>

namespace heliograph::ingestor {
namespace {

constexpr std::array kRules{
    // Pointers.
    CheckRule{
        "the pointer of a branch names its newest applied run",
        "SELECT s.collection FROM cluster_state AS s WHERE s.active_run IS NOT (SELECT r.run_id FROM"
        " cluster_runs AS r WHERE r.branch_id=s.branch_id AND r.collection=s.collection AND r.commit_seq"
        " IS NOT NULL ORDER BY r.commit_seq DESC LIMIT 1)"},
    CheckRule{
        "a live branch that has applied runs points at one",
        "SELECT DISTINCT b.name || ', ' || r.collection FROM cluster_runs AS r JOIN branch AS b"
        " USING(branch_id) WHERE b.state='live' AND r.commit_seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM"
        " cluster_state AS s WHERE s.branch_id=r.branch_id AND s.collection=r.collection)"},
    CheckRule{
        "the previous run is the one that the active run was matched after",
        "SELECT s.collection FROM cluster_state AS s JOIN cluster_runs AS r ON r.run_id=s.active_run WHERE"
        " s.previous_run IS NOT r.previous_run_id OR s.commit_seq IS NOT r.commit_seq"},
    CheckRule{"the active and the previous run are whole",
              "SELECT 'run ' || r.run_id FROM cluster_state AS s JOIN cluster_runs AS r ON r.run_id IN"
              " (s.active_run, s.previous_run) WHERE r.pruned_at IS NOT NULL OR r.commit_seq IS NULL"},
    // Runs.
    CheckRule{"a run was matched after the one that was active then",
              "SELECT 'run ' || r.run_id FROM cluster_runs AS r JOIN branch AS b USING(branch_id) WHERE"
              " r.commit_seq IS NOT NULL AND r.previous_run_id IS NOT coalesce((SELECT p.run_id FROM"
              " cluster_runs AS p WHERE p.branch_id=r.branch_id AND p.collection=r.collection AND"
              " p.commit_seq<r.commit_seq ORDER BY p.commit_seq DESC LIMIT 1), (SELECT p.run_id FROM"
              " cluster_runs AS p WHERE p.branch_id=1 AND p.collection=r.collection AND"
              " p.commit_seq<=b.base_seq ORDER BY p.commit_seq DESC LIMIT 1))"},
    CheckRule{"an applied run came with a commit of its branch",
              "SELECT 'run ' || r.run_id FROM cluster_runs AS r JOIN commit_log AS c USING(commit_seq) WHERE"
              " c.branch_id<>r.branch_id OR c.ledger_id IS NOT r.file_id"},
    CheckRule{
        "a commit of a cluster snapshot brought a run",
        "SELECT 'commit ' || commit_seq FROM commit_log AS c WHERE kind='snapshot' AND stream LIKE"
        " 'clusters/%' AND NOT EXISTS (SELECT 1 FROM cluster_runs AS r WHERE r.branch_id=c.branch_id AND"
        " r.commit_seq=c.commit_seq)"},
    CheckRule{
        "an applied run has the members that it counts",
        "SELECT 'run ' || r.run_id FROM cluster_runs AS r WHERE r.commit_seq IS NOT NULL AND r.pruned_at"
        " IS NULL AND (r.member_count, r.unclustered_count) IS NOT (SELECT count(ordinal), count(*) -"
        " count(ordinal) FROM cluster_members AS m WHERE m.run_id=r.run_id)"},
    CheckRule{
        "an applied run has the clusters that it counts",
        "SELECT 'run ' || r.run_id FROM cluster_runs AS r WHERE r.commit_seq IS NOT NULL AND r.pruned_at"
        " IS NULL AND r.cluster_count<>(SELECT count(*) FROM cluster_snapshots AS c WHERE"
        " c.run_id=r.run_id)"},
    CheckRule{
        "a cluster has the members that it counts",
        "SELECT 'run ' || c.run_id FROM cluster_snapshots AS c JOIN cluster_runs AS r USING(run_id) WHERE"
        " r.pruned_at IS NULL AND c.size<>(SELECT count(*) FROM cluster_members AS m WHERE"
        " m.run_id=c.run_id AND m.ordinal=c.ordinal)"},
    CheckRule{"a member is in a cluster of its run, or in none",
              "SELECT 'run ' || m.run_id || ', member ' || m.member_key FROM cluster_runs AS r JOIN"
              " cluster_members AS m USING(run_id) WHERE r.commit_seq IS NOT NULL AND r.pruned_at IS NULL AND"
              " m.ordinal IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cluster_snapshots AS c WHERE"
              " c.run_id=m.run_id AND c.ordinal=m.ordinal)"},
    CheckRule{"a cluster is represented by a member",
              "SELECT 'run ' || c.run_id || ', cluster ' || c.ordinal FROM cluster_runs AS r JOIN"
              " cluster_snapshots AS c USING(run_id) WHERE r.pruned_at IS NULL AND NOT EXISTS (SELECT 1 FROM"
              " cluster_members AS m WHERE m.run_id=c.run_id AND m.member_key=c.representative_key AND"
              " m.ordinal=c.ordinal)"},
    CheckRule{"no two clusters of a run are one track",
              "SELECT 'run ' || run_id FROM cluster_snapshots WHERE track_key IS NOT NULL GROUP BY run_id,"
              " track_key HAVING count(*)>1"},
    CheckRule{
        "a copy of a run says what its original says",
        "SELECT 'run ' || r.run_id FROM cluster_runs AS r LEFT JOIN cluster_runs AS o ON"
        " o.run_id=r.copy_of WHERE r.copy_of IS NOT NULL AND (o.collection IS NOT r.collection OR"
        " o.content_digest IS NOT r.content_digest OR coalesce(o.commit_seq>=r.commit_seq, o.commit_seq IS"
        " NULL))"},
    // Tracks and decisions.
    CheckRule{
        "a track began with a commit of its branch, and has been something there since",
        "SELECT t.track_id FROM cluster_tracks AS t JOIN commit_log AS c ON c.commit_seq=t.born_seq JOIN"
        " branch AS b ON b.branch_id=t.branch_id WHERE c.branch_id<>t.branch_id OR (b.state='live' AND"
        " NOT EXISTS (SELECT 1 FROM cluster_track_states AS s WHERE s.branch_id=t.branch_id AND"
        " s.track_key=t.track_key AND s.from_seq=t.born_seq))"},
    CheckRule{
        "a merged track leads to one of its collection that is there",
        "SELECT t.track_id FROM cluster_track_states AS s JOIN cluster_tracks AS t USING(track_key) JOIN"
        " branch AS b ON b.branch_id=s.branch_id AND b.state='live' LEFT JOIN cluster_tracks AS i ON"
        " i.track_key=s.merged_into WHERE s.merged_into IS NOT NULL AND (i.collection IS NOT t.collection"
        " OR NOT EXISTS (SELECT 1 FROM cluster_track_states AS x WHERE x.track_key=s.merged_into AND"
        " x.branch_id IN (s.branch_id, 1)))"},
    CheckRule{
        "no track leads back to itself",
        "WITH RECURSIVE way(branch_id, start, track) AS (SELECT branch_id, track_key, merged_into FROM"
        " cluster_track_states WHERE to_seq IS NULL AND merged_into IS NOT NULL UNION SELECT w.branch_id,"
        " w.start, s.merged_into FROM way AS w JOIN cluster_track_states AS s ON s.branch_id=w.branch_id"
        " AND s.track_key=w.track AND s.to_seq IS NULL AND s.merged_into IS NOT NULL) SELECT t.track_id"
        " FROM way JOIN cluster_tracks AS t ON t.track_key=way.start WHERE way.start=way.track"},
    CheckRule{
        "a name leads to one track of a branch",
        "SELECT slug FROM (SELECT branch_id, slug, track_key FROM cluster_track_states UNION SELECT"
        " branch_id, alias, track_key FROM cluster_aliases) GROUP BY branch_id, slug HAVING count(*)>1"},
    CheckRule{
        "a decision was made with a run of its branch and commit",
        "SELECT 'decision ' || d.decision_id FROM cluster_merge_decisions AS d LEFT JOIN cluster_runs AS r"
        " USING(run_id) WHERE (r.branch_id, r.commit_seq, r.previous_run_id) IS NOT (d.branch_id,"
        " d.commit_seq, d.previous_run_id)"},
    CheckRule{
        "a decision names the track that its cluster became",
        "SELECT 'decision ' || d.decision_id FROM cluster_merge_decisions AS d JOIN cluster_runs AS r"
        " USING(run_id) LEFT JOIN cluster_snapshots AS c ON c.run_id=d.run_id AND c.ordinal=d.ordinal WHERE"
        " d.ordinal IS NOT NULL AND r.pruned_at IS NULL AND c.track_key IS NOT d.track_key"},
    // Corrections and jobs.
    CheckRule{
        "a correction that moves members names some",
        "SELECT override_id FROM cluster_overrides AS o WHERE action IN ('exclude', 'include', 'split') AND"
        " NOT EXISTS (SELECT 1 FROM cluster_override_members AS m WHERE m.override_id=o.override_id)"},
    CheckRule{"what is undone is no longer in force",
              "SELECT undoes FROM cluster_overrides AS u WHERE action='undo' AND NOT EXISTS (SELECT 1 FROM"
              " cluster_overrides AS o WHERE o.override_id=u.undoes AND o.to_seq=u.from_seq)"},
    CheckRule{"a server runs one job of a branch and collection at a time",
              "SELECT min(job_id) FROM cluster_jobs WHERE state='running' GROUP BY instance, branch_id,"
              " collection HAVING count(*)>1"},
    CheckRule{
        "a job that names a run made it",
        "SELECT job_id FROM cluster_jobs AS j WHERE run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM"
        " cluster_runs AS r WHERE r.run_id=j.run_id AND r.job_id=j.job_id AND r.commit_seq IS NOT NULL)"},
};

}  // namespace

std::span<const CheckRule> ClusterCheckRules() {
  return kRules;
}

}  // namespace heliograph::ingestor
