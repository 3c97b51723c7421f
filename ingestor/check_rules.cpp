#include "ingestor/check_rules.h"

#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "ingestor/store/interval_table.h"

namespace heliograph::ingestor {
namespace {

/// A rule that must hold in every database, as a query for the rows that break it: one text for each.
struct Rule {
  const char* text;
  const char* violations;
};

constexpr std::array kRules{
    // The ledger and the commits.
    Rule{"an applied queue file has exactly one commit",
         "SELECT id FROM ledger WHERE outcome='applied' AND NOT EXISTS"
         " (SELECT 1 FROM commit_log WHERE commit_seq=ledger.commit_seq AND ledger_id=ledger.id)"},
    Rule{"a commit of a queue file has its row in the ledger",
         "SELECT 'commit ' || commit_seq FROM commit_log WHERE ledger_id IS NOT NULL AND ledger_id NOT IN"
         " (SELECT id FROM ledger)"},
    Rule{"only the first commit and those of maintenance come of no queue file",
         "SELECT 'commit ' || commit_seq FROM commit_log WHERE ledger_id IS NULL AND kind NOT IN ('genesis', "
         "'maintenance')"},
    Rule{
        "watermarks of what was applied to a stream never decrease",
        "SELECT id FROM (SELECT id, watermark, max(watermark) OVER (PARTITION BY branch_id, stream ORDER BY"
        " applied_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ledger WHERE outcome IN"
        " ('applied', 'noop') AND kind LIKE '%-snapshot') WHERE watermark < before"},
    // Branches.
    Rule{"a branch's head is its newest commit, or its base",
         "SELECT name FROM branch AS b WHERE head_seq IS NOT"
         " coalesce((SELECT max(commit_seq) FROM commit_log WHERE branch_id=b.branch_id), b.base_seq)"},
    Rule{
        "commits of a branch form one chain",
        "SELECT 'commit ' || c.commit_seq FROM (SELECT commit_seq, branch_id, kind, parent_seq, "
        "lag(commit_seq) OVER"
        " (PARTITION BY branch_id ORDER BY commit_seq) AS before FROM commit_log) AS c WHERE "
        "c.kind<>'genesis' AND"
        " c.parent_seq IS NOT coalesce(c.before, (SELECT base_seq FROM branch WHERE branch_id=c.branch_id))"},
    Rule{"there is one first commit, and it is main's",
         "SELECT 'commit ' || commit_seq FROM commit_log WHERE kind='genesis' AND (branch_id<>1 OR "
         "commit_seq<>"
         "(SELECT min(commit_seq) FROM commit_log)) UNION ALL SELECT 'no commit' WHERE NOT EXISTS"
         " (SELECT 1 FROM commit_log WHERE kind='genesis')"},
    Rule{"times of commits grow along their branch",
         "SELECT 'commit ' || commit_seq FROM (SELECT commit_seq, committed_us, lag(committed_us) OVER"
         " (PARTITION BY branch_id ORDER BY commit_seq) AS before FROM commit_log) WHERE committed_us <= "
         "before"},
    Rule{"a branch begins on main",
         "SELECT name FROM branch WHERE base_seq IS NOT NULL AND base_seq NOT IN"
         " (SELECT commit_seq FROM commit_log WHERE branch_id=1)"},
    Rule{"a merge goes into main and takes the commit of a branch",
         "SELECT 'commit ' || m.commit_seq FROM commit_log AS m LEFT JOIN commit_log AS p ON p.commit_seq="
         "m.merged_parent_seq WHERE m.kind='merge' AND (m.branch_id<>1 OR p.branch_id IS NULL OR "
         "p.branch_id=1)"},
    // Retention.
    Rule{"what a live branch or a pin needs of history is kept",
         "SELECT 'branch ' || name FROM branch WHERE state='live' AND base_seq < (SELECT CAST(value AS "
         "INTEGER)"
         " FROM meta WHERE key='history_floor') UNION ALL SELECT 'pin ' || name FROM pin WHERE commit_seq <"
         " (SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')"},
    Rule{"the floor of history is not above the head of main",
         "SELECT value FROM meta WHERE key='history_floor' AND CAST(value AS INTEGER) >"
         " (SELECT head_seq FROM branch WHERE branch_id=1)"},
    Rule{"the floor of the feed is not above its head",
         "SELECT value FROM meta WHERE key='feed_floor' AND CAST(value AS INTEGER) >"
         " coalesce((SELECT seq FROM sqlite_sequence WHERE name='change_log'), 0)"},
    // Capability.
    Rule{"the columns of a node say what its open interval says",
         "SELECT n.public_key FROM (SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM "
         "nodes UNION ALL"
         " SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM inactive_nodes) AS n"
         " LEFT JOIN node_capability AS c ON c.branch_id=1 AND c.node_key=n.node_key AND c.to_seq IS NULL"
         " WHERE n.multibyte_sup<>coalesce(c.status, 0) OR n.multibyte_evidence IS NOT c.evidence"},
    Rule{"no snapshot makes an unknown of what was known",
         "SELECT lower(hex(i.public_key)) || ' at commit ' || v.from_seq FROM node_capability AS v"
         " JOIN node_capability AS p ON p.branch_id=v.branch_id AND p.node_key=v.node_key AND "
         "p.to_seq=v.from_seq"
         " JOIN commit_log AS c ON c.commit_seq=v.from_seq JOIN identity AS i ON i.key=v.node_key"
         " WHERE c.kind='snapshot' AND v.status=0 AND p.status>0"},
    Rule{"a status has evidence exactly when it is not unknown",
         "SELECT lower(hex(i.public_key)) || ' at commit ' || v.from_seq FROM node_capability AS v"
         " JOIN identity AS i ON i.key=v.node_key WHERE (v.status=0) <> (v.evidence IS NULL)"},
    Rule{"a capability commit counts what it changed",
         "SELECT 'commit ' || c.commit_seq FROM commit_log AS c WHERE c.stream='multibyte' AND "
         "c.kind<>'genesis'"
         " AND c.commit_seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')"
         " AND (SELECT state FROM branch WHERE branch_id=c.branch_id)='live' AND c.inserted+c.updated<>"
         "(SELECT count(*) FROM node_capability WHERE from_seq=c.commit_seq) AND EXISTS"
         " (SELECT 1 FROM node_capability WHERE from_seq=c.commit_seq)"},
    // Nodes and packets.
    // Clusters.
    Rule{"the pointer of a branch names its newest applied run",
         "SELECT s.collection FROM cluster_state AS s WHERE s.active_run IS NOT (SELECT r.run_id FROM "
         "cluster_runs "
         "AS r WHERE r.branch_id=s.branch_id AND r.collection=s.collection AND r.commit_seq IS NOT NULL"
         " ORDER BY r.commit_seq DESC LIMIT 1)"},
    Rule{
        "an applied run has the members that it counts",
        "SELECT 'run ' || r.run_id FROM cluster_runs AS r WHERE r.commit_seq IS NOT NULL AND r.pruned_at IS "
        "NULL AND"
        " (r.member_count, r.unclustered_count) IS NOT (SELECT count(ordinal), count(*) - count(ordinal) FROM"
        " cluster_members AS m WHERE m.run_id=r.run_id)"},
    Rule{"a cluster has the members that it counts",
         "SELECT 'run ' || c.run_id FROM cluster_snapshots AS c JOIN cluster_runs AS r USING(run_id) WHERE "
         "r.pruned_at"
         " IS NULL AND c.size<>(SELECT count(*) FROM cluster_members AS m WHERE m.run_id=c.run_id AND"
         " m.ordinal=c.ordinal)"},
    Rule{"no two clusters of a run are one track",
         "SELECT 'run ' || run_id FROM cluster_snapshots WHERE track_key IS NOT NULL GROUP BY run_id, "
         "track_key"
         " HAVING count(*)>1"},
    Rule{"intervals of a track do not overlap",
         "SELECT 'track ' || track_key FROM (SELECT track_key, to_seq, lead(from_seq) OVER"
         " (PARTITION BY branch_id, track_key ORDER BY from_seq) AS next FROM cluster_track_states)"
         " WHERE next < coalesce(to_seq, 9e18)"},
    Rule{"a node is active or inactive, not both",
         "SELECT public_key FROM nodes WHERE node_key IN"
         " (SELECT node_key FROM inactive_nodes)"},
    Rule{"an observation belongs to a transmission",
         "SELECT id FROM observations WHERE transmission_id NOT IN (SELECT id FROM transmissions)"},
    Rule{"a transmission counts its observations",
         "SELECT t.id FROM transmissions AS t LEFT JOIN (SELECT transmission_id, count(*) AS n FROM "
         "observations"
         " GROUP BY transmission_id) AS o ON o.transmission_id=t.id WHERE t.observation_count<>coalesce(o.n, "
         "0)"},
    // The feed.
    Rule{"the feed has no gap above its floor",
         "SELECT seq FROM change_log AS l WHERE seq>(SELECT CAST(value AS INTEGER) FROM meta WHERE "
         "key='feed_floor')+1"
         " AND NOT EXISTS (SELECT 1 FROM change_log AS p WHERE p.seq=l.seq-1)"},
    Rule{
        "the feed reaches its head",
        "SELECT seq FROM sqlite_sequence WHERE name='change_log' AND seq > max(coalesce((SELECT max(seq) FROM"
        " change_log), 0), (SELECT CAST(value AS INTEGER) FROM meta WHERE key='feed_floor'))"},
    Rule{"each commit above the feed's floor closes its block there",
         "SELECT 'commit ' || commit_seq FROM commit_log AS c WHERE kind<>'genesis' AND commit_seq>(SELECT "
         "coalesce(max(commit_seq), 0)"
         " FROM commit_log WHERE commit_seq<=(SELECT coalesce(min(commit_seq), 9e18)-1 FROM change_log WHERE"
         " commit_seq IS NOT NULL)) AND commit_seq NOT IN (SELECT commit_seq FROM change_log WHERE "
         "kind='commit' AND"
         " commit_seq IS NOT NULL) AND EXISTS (SELECT 1 FROM change_log)"},
    Rule{"the feed tells each commit once, and in their order",
         "SELECT 'row ' || seq FROM (SELECT seq, commit_seq, lag(commit_seq) OVER (ORDER BY seq) AS before"
         " FROM change_log WHERE kind='commit') WHERE commit_seq <= before"},
    Rule{"what a commit changed comes before its own row in the feed",
         "SELECT 'row ' || l.seq FROM change_log AS l JOIN change_log AS c ON c.kind='commit' AND"
         " c.commit_seq=l.commit_seq WHERE l.kind<>'commit' AND l.seq > c.seq"},
};

/// Rules of one table of intervals.
std::vector<std::pair<std::string, std::string>> RulesOf(const IntervalTable& table) {
  const std::string name(table.name), entity(table.entity);
  const std::string row = "'row ' || v.branch_id || ', ' || v." + entity + " || ', ' || v.from_seq";
  return {
      {"intervals of " + name + " do not overlap",
       "SELECT " + row + " FROM (SELECT *, lead(from_seq) OVER (PARTITION BY branch_id, " + entity +
           " ORDER BY from_seq) AS next FROM " + name + ") AS v WHERE v.next < coalesce(v.to_seq, 9e18)"},
      {"intervals of " + name + " begin and end with commits of their branch",
       "SELECT " + row + " FROM " + name +
           " AS v LEFT JOIN commit_log AS f ON f.commit_seq=v.from_seq"
           " LEFT JOIN commit_log AS t ON t.commit_seq=v.to_seq WHERE f.branch_id IS NOT v.branch_id OR"
           " (v.to_seq IS NOT NULL AND t.branch_id IS NOT v.branch_id)"},
  };
}

std::optional<std::string> Broken(SQLite::Database& database, const std::string& text,
                                  const std::string& violations) {
  SQLite::Statement rows(
      database, "WITH violation(name) AS (" + violations + ") SELECT count(*), min(name) FROM violation");
  rows.executeStep();
  const auto broken = rows.getColumn(0).getInt64();
  if (broken == 0) return std::nullopt;
  return text + ": " + std::to_string(broken) + " do not, the first is " + rows.getColumn(1).getString();
}

}  // namespace

std::vector<std::string> BrokenRules(SQLite::Database& database,
                                     const std::function<void(std::size_t, std::size_t)>& progress) {
  const auto tables = IntervalTables();
  const std::size_t total = std::size(kRules) + tables.size();
  std::size_t done = 0;
  std::vector<std::string> faults;
  progress(done, total);
  const auto check = [&](const std::string& text, const std::string& violations) {
    if (auto fault = Broken(database, text, violations)) faults.push_back(std::move(*fault));
  };
  for (const Rule& rule : kRules) {
    check(rule.text, rule.violations);
    progress(++done, total);
  }
  for (const IntervalTable& table : tables) {
    for (const auto& [text, violations] : RulesOf(table)) check(text, violations);
    progress(++done, total);
  }
  return faults;
}

}  // namespace heliograph::ingestor
