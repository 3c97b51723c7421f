#include "server/routes/capability_history.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "server/http/problem.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kMain = 1;
constexpr double kHundredths = 100.0;
constexpr std::string_view kSeqForm = "seq:";
constexpr std::string_view kTimeForm = "time:";

const std::string kMomentColumns =
    "SELECT c.commit_seq, c.commit_id, c.committed_us / 1000, "
    "(SELECT w.watermark FROM commit_log AS w WHERE w.branch_id = c.branch_id AND w.commit_seq <= "
    "c.commit_seq "
    "AND w.watermark IS NOT NULL ORDER BY w.commit_seq DESC LIMIT 1) "
    "FROM commit_log AS c WHERE c.branch_id = ? AND ";

std::optional<CommitMoment> ReadMoment(Statement& row) {
  if (!row.executeStep()) return std::nullopt;
  return CommitMoment{row.getColumn(0).getInt64(), row.getColumn(1).getString(), TimeOf(row.getColumn(2)),
                      NumberOf(row.getColumn(3))};
}

Statement& MomentQuery(ReaderConnection& reader, std::string_view condition) {
  Statement& row = reader.Prepared(kMomentColumns + std::string(condition));
  row.bind(1, kMain);
  return row;
}

std::optional<CommitMoment> NewestMomentUntil(ReaderConnection& reader, UtcMillis time) {
  Statement& row = MomentQuery(reader, "c.committed_us <= ? ORDER BY c.committed_us DESC LIMIT 1");
  const auto whole_millisecond = (time.time_since_epoch().count() + 1) * 1000 - 1;
  row.bind(2, static_cast<std::int64_t>(whole_millisecond));
  return ReadMoment(row);
}

std::optional<CommitMoment> FindMoment(ReaderConnection& reader, const std::string& as_of) {
  if (as_of.starts_with(kSeqForm)) {
    const std::string_view digits = std::string_view(as_of).substr(kSeqForm.size());
    std::int64_t seq = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      throw ProblemError(400, "as_of=" + as_of + ": after seq: there must be the number of a commit");
    }
    Statement& row = MomentQuery(reader, "c.commit_seq = ?");
    row.bind(2, seq);
    return ReadMoment(row);
  }
  const bool is_marked = as_of.starts_with(kTimeForm);
  const auto parsed = ParseTime(std::string_view(as_of).substr(is_marked ? kTimeForm.size() : 0));
  if (is_marked || parsed) {
    if (!parsed || parsed->zone != TimeZoneKnowledge::kStated) {
      throw ProblemError(400, "as_of=" + as_of + ": a time must be of RFC 3339, with Z or an offset");
    }
    return NewestMomentUntil(reader, parsed->time);
  }
  Statement& row = MomentQuery(reader, "c.commit_id = ?");
  row.bind(2, as_of);
  return ReadMoment(row);
}

std::int64_t HistoryFloor(ReaderConnection& reader) {
  Statement& row = reader.Prepared("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'history_floor'");
  return row.executeStep() ? row.getColumn(0).getInt64() : 0;
}

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

CommitMoment ResolveAsOf(ReaderConnection& reader, const std::string& as_of) {
  const auto moment = FindMoment(reader, as_of);
  if (!moment) {
    throw ProblemError(404, "as_of=" + as_of +
                                ": main has no such commit; give a commit's id, seq:<number> or "
                                "an RFC 3339 time");
  }
  if (const std::int64_t floor = HistoryFloor(reader); moment->seq < floor) {
    throw ProblemError(410,
                       "as_of=" + as_of + ": history is kept from commit " + std::to_string(floor) + " on");
  }
  return *moment;
}

std::vector<DatedCapability> CapabilitiesAt(ReaderConnection& reader, std::int64_t seq) {
  Statement& rows = reader.Prepared(
      "SELECT i.public_key, c.status, c.evidence, c.max_hash_size, c.adopted, c.likely_legacy, c.probability "
      "FROM node_capability AS c JOIN identity AS i ON i.key = c.node_key "
      "WHERE c.branch_id = ?1 AND c.from_seq <= ?2 AND (c.to_seq IS NULL OR c.to_seq > ?2)");
  rows.bind(1, kMain);
  rows.bind(2, seq);
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
