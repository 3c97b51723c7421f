#include "server/history/entity_history.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr std::int64_t kMain = 1;
constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

void BindKey(Statement& statement, int index, const EntityKey& key) {
  if (const auto* number = std::get_if<std::int64_t>(&key)) {
    statement.bind(index, *number);
  } else if (const auto* text = std::get_if<std::string>(&key)) {
    statement.bind(index, *text);
  } else {
    const Bytes& bytes = std::get<Bytes>(key);
    statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
  }
}

std::string Rows(const EntityKind& kind, std::string_view columns) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(kind.intervals);
}

struct DatedState {
  std::optional<std::string> state;
  std::optional<std::int64_t> to_seq;
};

/// The newest interval of the branch that begins by `seq`.
std::optional<DatedState> NewestOn(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key,
                                   std::int64_t branch, std::int64_t seq) {
  Statement& row =
      reader.Prepared(Rows(kind, std::string(kind.state) + ", v.to_seq") + " WHERE v.branch_id = ?1 AND " +
                      std::string(kind.key) + " = ?2 AND v.from_seq <= ?3 ORDER BY v.from_seq DESC LIMIT 1");
  row.bind(1, branch);
  BindKey(row, 2, key);
  row.bind(3, seq);
  if (!row.executeStep()) return std::nullopt;
  return DatedState{TextOf(row.getColumn(0)), NumberOf(row.getColumn(1))};
}

std::optional<std::string> StateUnlessEnded(std::optional<DatedState> dated, std::int64_t seq) {
  if (!dated || (dated->to_seq && *dated->to_seq <= seq)) return std::nullopt;
  return std::move(dated->state);
}

/// Appends those intervals of one branch that begin in (after, last], cut off at `last`.
void AppendIntervals(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key,
                     std::int64_t branch, std::int64_t after, std::int64_t last, std::size_t limit,
                     std::vector<EntityInterval>& intervals) {
  Statement& rows = reader.Prepared(
      "SELECT v.from_seq, f.commit_id, f.committed_us / 1000, v.to_seq, t.commit_id, t.committed_us / "
      "1000, " +
      std::string(kind.state) + " FROM " + std::string(kind.intervals) +
      " JOIN commit_log AS f ON f.commit_seq = v.from_seq LEFT JOIN commit_log AS t ON t.commit_seq = "
      "v.to_seq WHERE v.branch_id = ?1 AND " +
      std::string(kind.key) + " = ?2 AND v.from_seq > ?3 AND v.from_seq <= ?4 AND " +
      std::string(kind.state) + " IS NOT NULL ORDER BY v.from_seq LIMIT ?5");
  rows.bind(1, branch);
  BindKey(rows, 2, key);
  rows.bind(3, after);
  rows.bind(4, last);
  rows.bind(5, static_cast<std::int64_t>(limit));
  while (rows.executeStep()) {
    EntityInterval interval;
    interval.from_seq = rows.getColumn(0).getInt64();
    interval.from_commit = rows.getColumn(1).getString();
    interval.from_time = TimeOf(rows.getColumn(2));
    if (const auto to_seq = NumberOf(rows.getColumn(3)); to_seq && *to_seq <= last) {
      interval.to_seq = to_seq;
      interval.to_commit = TextOf(rows.getColumn(4));
      interval.to_time = OptionalTimeOf(rows.getColumn(5));
    }
    interval.state = rows.getColumn(6).getString();
    intervals.push_back(std::move(interval));
  }
}

using StatesById = std::map<std::string, std::string>;

/// The first `limit` entities after `after` whose intervals have `boundary` (v.from_seq or v.to_seq) at
/// `seq`.
StatesById StatesWith(ReaderConnection& reader, const EntityKind& kind, std::string_view boundary,
                      std::int64_t seq, const std::string& after, std::size_t limit) {
  const std::string id(kind.id);
  Statement& rows = reader.Prepared(Rows(kind, id + ", " + std::string(kind.state)) + " WHERE " +
                                    std::string(boundary) + " = ?1 AND " + id + " > ?2 AND " +
                                    std::string(kind.state) + " IS NOT NULL ORDER BY 1 LIMIT ?3");
  rows.bind(1, seq);
  rows.bind(2, after);
  rows.bind(3, static_cast<std::int64_t>(limit));
  StatesById states;
  while (rows.executeStep()) states.emplace(rows.getColumn(0).getString(), rows.getColumn(1).getString());
  return states;
}

/// What a first interval of a branch replaces: main's state at the branch's base.
std::optional<std::string> InheritedState(ReaderConnection& reader, const EntityKind& kind,
                                          const std::string& id, const BranchLine& line) {
  const auto key = line.base_seq ? kind.key_of(id) : std::nullopt;
  if (!key) return std::nullopt;
  return StateUnlessEnded(NewestOn(reader, kind, *key, kMain, *line.base_seq), *line.base_seq);
}

void AppendChanges(ReaderConnection& reader, const EntityKind& kind, const BranchLine& line, std::int64_t seq,
                   const std::string& after, std::size_t limit, std::vector<EntityChange>& changes) {
  const std::size_t room = limit - changes.size();
  StatesById closed = StatesWith(reader, kind, "v.to_seq", seq, after, room);
  StatesById opened = StatesWith(reader, kind, "v.from_seq", seq, after, room);
  std::map<std::string, EntityChange> joined;
  for (auto& [id, state] : closed) joined[id].before = std::move(state);
  for (auto& [id, state] : opened) joined[id].after = std::move(state);
  for (auto& [id, change] : joined) {
    if (changes.size() == limit) return;
    change.kind = &kind;
    change.id = id;
    if (!change.before) change.before = InheritedState(reader, kind, id, line);
    changes.push_back(std::move(change));
  }
}

}  // namespace

std::optional<std::string> StateAt(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key,
                                   const BranchLine& line, std::int64_t seq) {
  auto own = NewestOn(reader, kind, key, line.branch_id, seq);
  if (own || !line.base_seq) return StateUnlessEnded(std::move(own), seq);
  const std::int64_t inherited = std::min(seq, *line.base_seq);
  return StateUnlessEnded(NewestOn(reader, kind, key, kMain, inherited), inherited);
}

bool IsKnown(ReaderConnection& reader, const EntityKind& kind, const EntityKey& key, const BranchLine& line) {
  return NewestOn(reader, kind, key, line.branch_id, kNoEnd) ||
         (line.base_seq && NewestOn(reader, kind, key, kMain, *line.base_seq));
}

std::vector<EntityInterval> IntervalsOf(ReaderConnection& reader, const EntityKind& kind,
                                        const EntityKey& key, const BranchLine& line, std::int64_t after,
                                        std::size_t limit) {
  std::vector<EntityInterval> own, intervals;
  AppendIntervals(reader, kind, key, line.branch_id, after, kNoEnd, limit, own);
  if (line.base_seq) AppendIntervals(reader, kind, key, kMain, after, *line.base_seq, limit, intervals);
  if (!intervals.empty() && !intervals.back().to_seq && !own.empty()) {
    intervals.back().to_seq = own.front().from_seq;
    intervals.back().to_commit = own.front().from_commit;
    intervals.back().to_time = own.front().from_time;
  }
  intervals.insert(intervals.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  if (intervals.size() > limit) intervals.resize(limit);
  return intervals;
}

std::vector<EntityChange> ChangesOf(ReaderConnection& reader, const BranchLine& line, std::int64_t seq,
                                    const std::optional<ChangeCursor>& cursor, std::size_t limit) {
  std::vector<EntityChange> changes;
  bool reached = !cursor;
  for (const EntityKind& kind : EntityKinds()) {
    const bool goes_on_here = !reached && cursor->kind == kind.name;
    reached = reached || goes_on_here;
    if (!reached || changes.size() == limit) continue;
    AppendChanges(reader, kind, line, seq, goes_on_here ? cursor->id : std::string(), limit, changes);
  }
  return changes;
}

}  // namespace heliograph::server
