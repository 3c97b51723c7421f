#include "ingestor/check_rules.h"

#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "ingestor/check_cluster_rules.h"
#include "ingestor/store/interval_table.h"

namespace heliograph::ingestor {
namespace {

constexpr std::array kRules{
    // The ledger and the commits.
    CheckRule{"an applied queue file has exactly one commit",
              "SELECT id FROM ledger WHERE outcome='applied' AND NOT EXISTS"
              " (SELECT 1 FROM commit_log WHERE commit_seq=ledger.commit_seq AND ledger_id=ledger.id)"},
    CheckRule{
        "a commit of a queue file has its row in the ledger",
        "SELECT 'commit ' || commit_seq FROM commit_log WHERE ledger_id IS NOT NULL AND ledger_id NOT IN"
        " (SELECT id FROM ledger)"},
    CheckRule{
        "only the first commit and those of maintenance come of no queue file",
        "SELECT 'commit ' || commit_seq FROM commit_log WHERE ledger_id IS NULL AND kind NOT IN ('genesis', "
        "'maintenance')"},
    CheckRule{
        "watermarks of what was applied to a stream never decrease",
        "SELECT id FROM (SELECT id, watermark, max(watermark) OVER (PARTITION BY branch_id, stream ORDER BY"
        " applied_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ledger WHERE outcome IN"
        " ('applied', 'noop') AND kind LIKE '%-snapshot') WHERE watermark < before"},
    // Branches.
    CheckRule{"a branch's head is its newest commit, or its base",
              "SELECT name FROM branch AS b WHERE head_seq IS NOT"
              " coalesce((SELECT max(commit_seq) FROM commit_log WHERE branch_id=b.branch_id), b.base_seq)"},
    CheckRule{
        "commits of a branch form one chain",
        "SELECT 'commit ' || c.commit_seq FROM (SELECT commit_seq, branch_id, kind, parent_seq, "
        "lag(commit_seq) OVER"
        " (PARTITION BY branch_id ORDER BY commit_seq) AS before FROM commit_log) AS c WHERE "
        "c.kind<>'genesis' AND"
        " c.parent_seq IS NOT coalesce(c.before, (SELECT base_seq FROM branch WHERE branch_id=c.branch_id))"},
    CheckRule{"there is one first commit, and it is main's",
              "SELECT 'commit ' || commit_seq FROM commit_log WHERE kind='genesis' AND (branch_id<>1 OR "
              "commit_seq<>"
              "(SELECT min(commit_seq) FROM commit_log)) UNION ALL SELECT 'no commit' WHERE NOT EXISTS"
              " (SELECT 1 FROM commit_log WHERE kind='genesis')"},
    CheckRule{
        "times of commits grow along their branch",
        "SELECT 'commit ' || commit_seq FROM (SELECT commit_seq, committed_us, lag(committed_us) OVER"
        " (PARTITION BY branch_id ORDER BY commit_seq) AS before FROM commit_log) WHERE committed_us <= "
        "before"},
    CheckRule{"a branch begins on main",
              "SELECT name FROM branch WHERE base_seq IS NOT NULL AND base_seq NOT IN"
              " (SELECT commit_seq FROM commit_log WHERE branch_id=1)"},
    CheckRule{
        "a merge goes into main and takes the commit of a branch",
        "SELECT 'commit ' || m.commit_seq FROM commit_log AS m LEFT JOIN commit_log AS p ON p.commit_seq="
        "m.merged_parent_seq WHERE m.kind='merge' AND (m.branch_id<>1 OR p.branch_id IS NULL OR "
        "p.branch_id=1)"},
    // Retention.
    CheckRule{
        "what a live branch or a pin needs of history is kept",
        "SELECT 'branch ' || name FROM branch WHERE state='live' AND base_seq < (SELECT CAST(value AS "
        "INTEGER)"
        " FROM meta WHERE key='history_floor') UNION ALL SELECT 'pin ' || name FROM pin WHERE commit_seq <"
        " (SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')"},
    CheckRule{"the floor of history is not above the head of main",
              "SELECT value FROM meta WHERE key='history_floor' AND CAST(value AS INTEGER) >"
              " (SELECT head_seq FROM branch WHERE branch_id=1)"},
    CheckRule{"the floor of the feed is not above its head",
              "SELECT value FROM meta WHERE key='feed_floor' AND CAST(value AS INTEGER) >"
              " coalesce((SELECT seq FROM sqlite_sequence WHERE name='change_log'), 0)"},
    // Capability.
    CheckRule{
        "the columns of a node say what its open interval says",
        "SELECT n.public_key FROM (SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM "
        "nodes UNION ALL"
        " SELECT node_key, public_key, multibyte_sup, multibyte_evidence FROM inactive_nodes) AS n"
        " LEFT JOIN node_capability AS c ON c.branch_id=1 AND c.node_key=n.node_key AND c.to_seq IS NULL"
        " WHERE n.multibyte_sup<>coalesce(c.status, 0) OR n.multibyte_evidence IS NOT c.evidence"},
    CheckRule{"no snapshot makes an unknown of what was known",
              "SELECT lower(hex(i.public_key)) || ' at commit ' || v.from_seq FROM node_capability AS v"
              " JOIN node_capability AS p ON p.branch_id=v.branch_id AND p.node_key=v.node_key AND "
              "p.to_seq=v.from_seq"
              " JOIN commit_log AS c ON c.commit_seq=v.from_seq JOIN identity AS i ON i.key=v.node_key"
              " WHERE c.kind='snapshot' AND v.status=0 AND p.status>0"},
    CheckRule{"a status has evidence exactly when it is not unknown",
              "SELECT lower(hex(i.public_key)) || ' at commit ' || v.from_seq FROM node_capability AS v"
              " JOIN identity AS i ON i.key=v.node_key WHERE (v.status=0) <> (v.evidence IS NULL)"},
    CheckRule{"a capability commit counts what it changed",
              "SELECT 'commit ' || c.commit_seq FROM commit_log AS c WHERE c.stream='multibyte' AND "
              "c.kind<>'genesis'"
              " AND c.commit_seq > (SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')"
              " AND (SELECT state FROM branch WHERE branch_id=c.branch_id)='live' AND c.inserted+c.updated<>"
              "(SELECT count(*) FROM node_capability WHERE from_seq=c.commit_seq) AND EXISTS"
              " (SELECT 1 FROM node_capability WHERE from_seq=c.commit_seq)"},
    // Nodes and packets.
    CheckRule{"a node is active or inactive, not both",
              "SELECT public_key FROM nodes WHERE node_key IN"
              " (SELECT node_key FROM inactive_nodes)"},
    CheckRule{"an observation belongs to a transmission",
              "SELECT id FROM observations WHERE transmission_id NOT IN (SELECT id FROM transmissions)"},
    CheckRule{
        "a transmission counts its observations",
        "SELECT t.id FROM transmissions AS t LEFT JOIN (SELECT transmission_id, count(*) AS n FROM "
        "observations"
        " GROUP BY transmission_id) AS o ON o.transmission_id=t.id WHERE t.observation_count<>coalesce(o.n, "
        "0)"},
    // The feed.
    CheckRule{"the feed has no gap above its floor",
              "SELECT seq FROM change_log AS l WHERE seq>(SELECT CAST(value AS INTEGER) FROM meta WHERE "
              "key='feed_floor')+1"
              " AND NOT EXISTS (SELECT 1 FROM change_log AS p WHERE p.seq=l.seq-1)"},
    CheckRule{
        "the feed reaches its head",
        "SELECT seq FROM sqlite_sequence WHERE name='change_log' AND seq > max(coalesce((SELECT max(seq) FROM"
        " change_log), 0), (SELECT CAST(value AS INTEGER) FROM meta WHERE key='feed_floor'))"},
    CheckRule{
        "each commit above the feed's floor closes its block there",
        "SELECT 'commit ' || commit_seq FROM commit_log AS c WHERE kind<>'genesis' AND commit_seq>(SELECT "
        "coalesce(max(commit_seq), 0)"
        " FROM commit_log WHERE commit_seq<=(SELECT coalesce(min(commit_seq), 9e18)-1 FROM change_log WHERE"
        " commit_seq IS NOT NULL)) AND commit_seq NOT IN (SELECT commit_seq FROM change_log WHERE "
        "kind='commit' AND"
        " commit_seq IS NOT NULL) AND EXISTS (SELECT 1 FROM change_log)"},
    CheckRule{
        "the feed tells each commit once, and in their order",
        "SELECT 'row ' || seq FROM (SELECT seq, commit_seq, lag(commit_seq) OVER (ORDER BY seq) AS before"
        " FROM change_log WHERE kind='commit') WHERE commit_seq <= before"},
    CheckRule{"what a commit changed comes before its own row in the feed",
              "SELECT 'row ' || l.seq FROM change_log AS l JOIN change_log AS c ON c.kind='commit' AND"
              " c.commit_seq=l.commit_seq WHERE l.kind<>'commit' AND l.seq > c.seq"},
};

/// Rules of one table of intervals.
std::vector<std::pair<std::string, std::string>> RulesOf(const IntervalTable& table) {
  const std::string name(table.name), entity(table.entity);
  const std::string row = "'row ' || v.branch_id || ', ' || v." + entity + " || ', ' || v.from_seq";
  const std::string same = "b.branch_id=v.branch_id AND b." + entity + "=v." + entity;
  std::vector<std::pair<std::string, std::string>> rules{
      {"intervals of " + name + " do not overlap",
       "SELECT " + row + " FROM (SELECT *, lead(from_seq) OVER (PARTITION BY branch_id, " + entity +
           " ORDER BY from_seq) AS next FROM " + name + ") AS v WHERE v.next < coalesce(v.to_seq, 9e18)"},
      {"intervals of " + name + " begin and end with commits of their branch",
       "SELECT " + row + " FROM " + name +
           " AS v LEFT JOIN commit_log AS f ON f.commit_seq=v.from_seq"
           " LEFT JOIN commit_log AS t ON t.commit_seq=v.to_seq WHERE f.branch_id IS NOT v.branch_id OR"
           " (v.to_seq IS NOT NULL AND t.branch_id IS NOT v.branch_id)"},
  };
  if (table.is_gapless) {
    // Of a branch that is gone, and below the floor, retention may have taken the one and not yet the other.
    const std::string kept =
        table.outlives_floor
            ? ""
            : " AND v.to_seq>(SELECT CAST(value AS INTEGER) FROM meta WHERE key='history_floor')";
    rules.emplace_back("intervals of " + name + " follow each other without a gap, up to one that is open",
                       "SELECT " + row + " FROM " + name +
                           " AS v JOIN branch AS l ON l.branch_id=v.branch_id AND l.state='live' WHERE"
                           " v.to_seq IS NOT NULL" +
                           kept + " AND NOT EXISTS (SELECT 1 FROM " + name + " AS b WHERE " + same +
                           " AND b.from_seq=v.to_seq)");
  }
  return rules;
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
  const auto of_clusters = ClusterCheckRules();
  const std::size_t total = std::size(kRules) + of_clusters.size() + tables.size();
  std::size_t done = 0;
  std::vector<std::string> faults;
  progress(done, total);
  const auto check = [&](const std::string& text, const std::string& violations) {
    if (auto fault = Broken(database, text, violations)) faults.push_back(std::move(*fault));
  };
  for (const std::span<const CheckRule> rules : {std::span<const CheckRule>(kRules), of_clusters}) {
    for (const CheckRule& rule : rules) {
      check(rule.text, rule.violations);
      progress(++done, total);
    }
  }
  for (const IntervalTable& table : tables) {
    for (const auto& [text, violations] : RulesOf(table)) check(text, violations);
    progress(++done, total);
  }
  return faults;
}

}  // namespace heliograph::ingestor
