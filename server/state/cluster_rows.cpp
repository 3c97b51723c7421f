#include "server/state/cluster_rows.h"

#include <algorithm>

#include "common/public_key.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

std::vector<std::vector<std::string>> ReadGroups(ReaderConnection& connection, std::int64_t run) {
  SQLite::Statement& row = connection.Prepared(
      "SELECT m.ordinal, i.public_key FROM cluster_members AS m JOIN identity AS i ON i.key = m.member_key "
      "WHERE m.run_id = ? AND m.ordinal IS NOT NULL ORDER BY m.ordinal");
  row.bind(1, run);
  std::vector<std::vector<std::string>> groups;
  std::int64_t ordinal = -1;
  while (row.executeStep()) {
    const auto key = PublicKey::FromBytes(BytesOf(row.getColumn(1)));
    if (!key) continue;
    if (row.getColumn(0).getInt64() != ordinal) {
      ordinal = row.getColumn(0).getInt64();
      groups.emplace_back();
    }
    groups.back().push_back(key->ToHex());
  }
  return groups;
}

}  // namespace

bool Repeats(const ClusterSnapshot& run, const ActiveClusterRun& active) {
  return run.input_digest == active.input_digest && run.algorithm == active.algorithm &&
         run.parameters == active.parameters && run.match_rule == active.match_rule;
}

std::optional<ActiveClusterRun> ReadActiveMeshRun(ReaderConnection& connection, const ClusterMoment& moment) {
  const auto run = ActiveRun(connection, moment, ClusterCollection::kMesh);
  if (!run) return std::nullopt;
  SQLite::Statement& row = connection.Prepared(
      "SELECT run_id, computed_at, watermark, input_digest, algorithm, parameters, match_rule FROM "
      "cluster_runs WHERE run_id = ?");
  row.bind(1, *run);
  if (!row.executeStep()) return std::nullopt;
  ActiveClusterRun active;
  active.run = row.getColumn(0).getInt64();
  active.computed_at = TimeOf(row.getColumn(1));
  active.watermark = row.getColumn(2).getInt64();
  const Bytes digest = BytesOf(row.getColumn(3));
  std::copy_n(digest.begin(), std::min(digest.size(), active.input_digest.size()),
              active.input_digest.begin());
  active.algorithm = row.getColumn(4).getString();
  active.parameters = row.getColumn(5).getString();
  active.match_rule = ParseMatchRule(row.getColumn(6).getString()).value_or(MatchRule::kMemory);
  active.groups = ReadGroups(connection, active.run);
  return active;
}

}  // namespace heliograph::server
