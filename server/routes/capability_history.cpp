#include "server/routes/capability_history.h"

#include <algorithm>
#include <limits>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kMain = 1;
constexpr double kHundredths = 100.0;

/// The six versioned columns, from `first` on.
NodeCapability ReadCapability(Statement& row, int first) {
  NodeCapability capability;
  capability.status = static_cast<CapabilityStatus>(row.getColumn(first).getInt());
  if (const auto evidence = TextOf(row.getColumn(first + 1)))
    capability.evidence = ParseCapabilityEvidence(*evidence);
  if (const auto size = NumberOf(row.getColumn(first + 2))) {
    capability.max_hash_size = static_cast<std::uint8_t>(*size);
  }
  capability.adopted = row.getColumn(first + 3).getInt() != 0;
  capability.likely_legacy = row.getColumn(first + 4).getInt() != 0;
  if (const auto hundredths = NumberOf(row.getColumn(first + 5))) {
    capability.probability = static_cast<double>(*hundredths) / kHundredths;
  }
  return capability;
}

}  // namespace

std::vector<DatedCapability> CapabilitiesAt(ReaderConnection& reader, const BranchLine& line,
                                            std::int64_t seq) {
  // What the branch wrote hides what it inherited, also where it has ended.
  Statement& rows = reader.Prepared(
      "SELECT i.public_key, c.status, c.evidence, c.max_hash_size, c.adopted, c.likely_legacy, c.probability "
      "FROM node_capability AS c JOIN identity AS i ON i.key = c.node_key "
      "WHERE c.branch_id = ?1 AND c.from_seq <= ?2 AND (c.to_seq IS NULL OR c.to_seq > ?2) UNION ALL "
      "SELECT i.public_key, c.status, c.evidence, c.max_hash_size, c.adopted, c.likely_legacy, c.probability "
      "FROM node_capability AS c JOIN identity AS i ON i.key = c.node_key "
      "WHERE ?3 > 0 AND c.branch_id = 1 AND c.from_seq <= ?3 AND (c.to_seq IS NULL OR c.to_seq > ?3) AND NOT "
      "EXISTS (SELECT 1 FROM node_capability AS o WHERE o.branch_id = ?1 AND o.node_key = c.node_key AND "
      "o.from_seq <= ?2)");
  rows.bind(1, line.branch_id);
  rows.bind(2, seq);
  rows.bind(3, line.base_seq ? std::min(seq, *line.base_seq) : 0);
  std::vector<DatedCapability> capabilities;
  while (rows.executeStep()) {
    const auto key = PublicKey::FromBytes(BytesOf(rows.getColumn(0)));
    if (key) capabilities.push_back({*key, ReadCapability(rows, 1)});
  }
  std::sort(capabilities.begin(), capabilities.end(),
            [](const DatedCapability& a, const DatedCapability& b) { return a.public_key < b.public_key; });
  return capabilities;
}

CapabilityHistory HistoryOf(ReaderConnection& reader, const PublicKey& key,
                            const std::optional<CommitMoment>& as_of, std::size_t limit) {
  const std::int64_t last = as_of ? as_of->seq : std::numeric_limits<std::int64_t>::max();
  Statement& rows = reader.Prepared(
      "SELECT c.from_seq, f.commit_id, f.committed_us / 1000, c.to_seq, t.commit_id, t.committed_us / 1000, "
      "c.status, c.evidence, c.max_hash_size, c.adopted, c.likely_legacy, c.probability "
      "FROM identity AS i JOIN node_capability AS c ON c.branch_id = ?1 AND c.node_key = i.key "
      "JOIN commit_log AS f ON f.commit_seq = c.from_seq LEFT JOIN commit_log AS t ON t.commit_seq = "
      "c.to_seq "
      "WHERE i.public_key = ?2 AND c.from_seq <= ?3 ORDER BY c.from_seq DESC LIMIT ?4");
  rows.bind(1, kMain);
  rows.bind(2, key.bytes().data(), static_cast<int>(key.bytes().size()));
  rows.bind(3, last);
  rows.bind(4, static_cast<std::int64_t>(limit + 1));
  CapabilityHistory history;
  while (rows.executeStep()) {
    CapabilityInterval interval;
    interval.from_seq = rows.getColumn(0).getInt64();
    interval.from_commit = rows.getColumn(1).getString();
    interval.from_time = TimeOf(rows.getColumn(2));
    interval.to_seq = NumberOf(rows.getColumn(3));
    if (interval.to_seq && *interval.to_seq > last) {
      interval.to_seq.reset();
    } else {
      interval.to_commit = TextOf(rows.getColumn(4));
      interval.to_time = OptionalTimeOf(rows.getColumn(5));
    }
    interval.capability = ReadCapability(rows, 6);
    history.intervals.push_back(std::move(interval));
  }
  history.truncated = history.intervals.size() > limit;
  if (history.truncated) history.intervals.resize(limit);
  std::reverse(history.intervals.begin(), history.intervals.end());
  return history;
}

}  // namespace heliograph::server
