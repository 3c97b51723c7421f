#include "ingestor/store/track_store.h"

#include <algorithm>
#include <map>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kMaxSlug = 60;
// Merges point forward in time, so that a chain ends; the limit is for a damaged database.
constexpr int kMostRedirects = 1000;

std::int64_t Number(TrackKey key) {
  return static_cast<std::int64_t>(key);
}
std::int64_t Number(CommitSeq seq) {
  return static_cast<std::int64_t>(seq);
}
std::int64_t Number(BranchId branch) {
  return static_cast<std::int64_t>(branch);
}

std::optional<std::int64_t> Number(const std::optional<TrackKey>& key) {
  return key ? std::optional(Number(*key)) : std::nullopt;
}

/// The columns of a state from `first` on, as kStateColumns names them.
constexpr const char* kStateColumns =
    "slug, title, title_pinned, status, representative_key, merged_into, merged_by_hand";

TrackState ReadState(SQLite::Statement& row, int first) {
  TrackState state;
  state.slug = row.getColumn(first).getString();
  state.title = row.getColumn(first + 1).getString();
  state.title_pinned = row.getColumn(first + 2).getInt() != 0;
  state.status = ParseTrackStatus(row.getColumn(first + 3).getString()).value();
  if (!row.getColumn(first + 4).isNull())
    state.representative = MemberKey{row.getColumn(first + 4).getInt64()};
  if (!row.getColumn(first + 5).isNull()) state.merged_into = TrackKey{row.getColumn(first + 5).getInt64()};
  state.merged_by_hand = row.getColumn(first + 6).getInt() != 0;
  return state;
}

std::string_view Role(const RecordedDecision& recorded) {
  switch (recorded.decision.outcome) {
    case LineageOutcome::kUpdated:
      return "source";
    case LineageOutcome::kNew:
      return "parent";
    case LineageOutcome::kDissolved:
      break;
  }
  return "into";
}

}  // namespace

TrackStore::TrackStore(SQLite::Database& database)
    : database_(database),
      now_(database, std::string("SELECT from_seq, ") + kStateColumns + " FROM " +
                         OpenIntervals("cluster_track_states", "track_key") + " WHERE track_key=?3"),
      close_(database,
             "UPDATE cluster_track_states SET to_seq=? WHERE branch_id=? AND track_key=? AND to_seq IS NULL"),
      open_(database,
            "INSERT INTO cluster_track_states(branch_id, track_key, from_seq, slug, title, title_pinned, "
            "status,"
            " representative_key, merged_into, merged_by_hand) VALUES (?,?,?,?,?,?,?,?,?,?)"),
      begin_(database,
             "INSERT INTO cluster_tracks(track_key, track_id, collection, branch_id, born_seq, born_run)"
             " VALUES (?,?,?,?,?,?)"),
      decide_(
          database,
          "INSERT INTO cluster_merge_decisions(decision_id, branch_id, run_id, previous_run_id, commit_seq,"
          " ordinal, track_key, rule, outcome, class, shared, old_size, new_size, newcomers, share_old,"
          " share_new, jaccard, present_jaccard, turnover, score, second_score, confidence, reason)"
          " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      link_(database, "INSERT INTO cluster_decision_tracks(decision_id, track_key, role) VALUES (?,?,?)"),
      close_decision_(database,
                      "UPDATE cluster_decision_states SET to_seq=? WHERE branch_id=? AND decision_id=?"
                      " AND to_seq IS NULL"),
      open_decision_(database,
                     "INSERT INTO cluster_decision_states(branch_id, decision_id, from_seq, state)"
                     " VALUES (?,?,?,?)"),
      slug_taken_(database,
                  "SELECT 1 FROM cluster_track_states WHERE slug=?1 AND branch_id IN (1, ?2) UNION ALL"
                  " SELECT 1 FROM cluster_aliases WHERE alias=?1 AND branch_id IN (1, ?2) LIMIT 1") {}

LineageNumbers TrackStore::NextNumbers() {
  SQLite::Statement highest(database_,
                            "SELECT (SELECT coalesce(max(track_key), 0) FROM cluster_tracks),"
                            " (SELECT coalesce(max(decision_id), 0) FROM cluster_merge_decisions)");
  highest.executeStep();
  return {highest.getColumn(0).getInt64() + 1, highest.getColumn(1).getInt64() + 1};
}

std::optional<StoredTrack> TrackStore::Find(TrackKey track) {
  SQLite::Statement row(database_, "SELECT track_id, collection FROM cluster_tracks WHERE track_key=?");
  if (!RowBinder(row).Integer(Number(track)).Step()) return std::nullopt;
  return StoredTrack{track, row.getColumn(0).getString(),
                     ParseClusterCollection(row.getColumn(1).getString()).value()};
}

std::optional<TrackKey> TrackStore::Named(const BranchView& view, const std::string& name) {
  const std::string seen = " AND (branch_id=?2 OR branch_id=1 AND from_seq<=?3)";
  SQLite::Statement row(database_,
                        "SELECT track_key FROM cluster_tracks WHERE track_id=?1 UNION ALL"
                        " SELECT track_key FROM cluster_track_states WHERE slug=?1" +
                            seen + " UNION ALL SELECT track_key FROM cluster_aliases WHERE alias=?1" + seen +
                            " LIMIT 1");
  if (!RowBinder(row).Text(name).Integer(Number(view.branch)).Integer(view.base_seq).Step())
    return std::nullopt;
  return TrackKey{row.getColumn(0).getInt64()};
}

std::optional<StoredTrack> TrackStore::Resolve(const BranchView& view, TrackKey track,
                                               std::optional<TrackKey> apart) {
  for (int redirects = 0; redirects < kMostRedirects; ++redirects) {
    const auto state = Now(view, track);
    if (!state) return std::nullopt;  // it began on a branch that is not seen from here
    if (!state->merged_into || track == apart) break;
    track = *state->merged_into;
  }
  return Find(track);
}

void TrackStore::Begin(const StoredTrack& track, BranchId branch, CommitSeq commit,
                       std::optional<std::int64_t> run) {
  const std::string collection(heliograph::Name(track.collection));
  RowBinder(begin_)
      .Integer(Number(track.key))
      .Text(track.id)
      .Text(collection)
      .Integer(Number(branch))
      .Integer(Number(commit))
      .Integer(run)
      .Run();
}

std::optional<TrackState> TrackStore::Now(const BranchView& view, TrackKey track) {
  std::optional<TrackState> state;
  if (RowBinder(now_).Integer(Number(view.branch)).Integer(view.base_seq).Integer(Number(track)).Step())
    state = ReadState(now_, 1);
  now_.tryReset();
  return state;
}

std::optional<CommitSeq> TrackStore::ChangedAt(const BranchView& view, TrackKey track) {
  std::optional<CommitSeq> commit;
  if (RowBinder(now_).Integer(Number(view.branch)).Integer(view.base_seq).Integer(Number(track)).Step())
    commit = CommitSeq{now_.getColumn(0).getInt64()};
  now_.tryReset();
  return commit;
}

std::optional<TrackState> TrackStore::LastTitled(const BranchView& view, TrackKey track,
                                                 const std::optional<std::string>& title) {
  SQLite::Statement row(database_, std::string("SELECT ") + kStateColumns +
                                       " FROM cluster_track_states WHERE branch_id=? AND track_key=? AND"
                                       " iif(title_pinned, title, NULL) IS ? ORDER BY from_seq DESC LIMIT 1");
  if (!RowBinder(row).Integer(Number(view.branch)).Integer(Number(track)).Text(title).Step())
    return std::nullopt;
  return ReadState(row, 0);
}

void TrackStore::Change(const BranchView& view, TrackKey track, const TrackState& state, CommitSeq commit) {
  if (Now(view, track) == state) return;
  RowBinder(close_).Integer(Number(commit)).Integer(Number(view.branch)).Integer(Number(track)).Run();
  const std::string status(Name(state.status));
  std::optional<std::int64_t> representative;
  if (state.representative) representative = static_cast<std::int64_t>(*state.representative);
  RowBinder(open_)
      .Integer(Number(view.branch))
      .Integer(Number(track))
      .Integer(Number(commit))
      .Text(state.slug)
      .Text(state.title)
      .Integer(state.title_pinned ? 1 : 0)
      .Text(status)
      .Integer(representative)
      .Integer(Number(state.merged_into))
      .Integer(state.merged_by_hand ? 1 : 0)
      .Run();
}

bool TrackStore::IsTaken(BranchId branch, const std::string& slug) {
  const bool taken = RowBinder(slug_taken_).Text(slug).Integer(Number(branch)).Step();
  slug_taken_.tryReset();
  return taken;
}

std::string TrackStore::FreeSlug(const BranchView& view, const std::string& text, TrackKey track) {
  constexpr int kMostNumbered = 9;
  std::string slug = Slugify(text);
  // What looks like an id would hide the track of that id.
  if (slug.empty() || slug.size() == 26) slug += slug.empty() ? "cluster" : "-1";
  std::string stem = slug;
  for (int number = 2; number <= kMostNumbered && IsTaken(view.branch, slug); ++number)
    slug = stem + "-" + std::to_string(number);
  if (!IsTaken(view.branch, slug)) return slug;
  stem += "-" + std::to_string(Number(track));
  slug = stem;
  for (int number = 2; IsTaken(view.branch, slug); ++number) slug = stem + "-" + std::to_string(number);
  return slug;
}

void TrackStore::AddAlias(const std::string& alias, TrackKey track, CommitSeq commit) {
  SQLite::Statement insert(
      database_,
      "INSERT INTO cluster_aliases(branch_id, alias, from_seq, track_key) VALUES (1,?,?,?)"
      " ON CONFLICT DO NOTHING");
  RowBinder(insert).Text(alias).Integer(Number(commit)).Integer(Number(track)).Run();
}

void TrackStore::EndAlias(const std::string& alias, CommitSeq commit) {
  SQLite::Statement close(
      database_, "UPDATE cluster_aliases SET to_seq=? WHERE branch_id=1 AND alias=? AND to_seq IS NULL");
  RowBinder(close).Integer(Number(commit)).Text(alias).Run();
}

void TrackStore::Decide(const BranchView& view, const RecordedDecision& recorded,
                        const DecisionContext& context) {
  const LineageDecision& decision = recorded.decision;
  const LineageFigures& figures = decision.figures;
  const std::string rule(heliograph::Name(context.rule)), outcome(Name(decision.outcome)),
      kind(Name(decision.kind)), reason = Reason(decision);
  std::optional<std::int64_t> ordinal;
  if (decision.cluster) ordinal = static_cast<std::int64_t>(*decision.cluster);
  const auto count = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  RowBinder(decide_)
      .Integer(recorded.id)
      .Integer(Number(view.branch))
      .Integer(context.run)
      .Integer(context.previous_run)
      .Integer(Number(context.commit))
      .Integer(ordinal)
      .Integer(Number(*decision.track))
      .Text(rule)
      .Text(outcome)
      .Text(kind)
      .Integer(count(figures.shared))
      .Integer(count(figures.old_size))
      .Integer(count(figures.new_size))
      .Integer(count(decision.newcomers))
      .Real(figures.share_old)
      .Real(figures.share_new)
      .Real(figures.jaccard)
      .Real(figures.present_jaccard)
      .Real(figures.turnover)
      .Real(figures.score)
      .Real(figures.second)
      .Real(figures.confidence)
      .Text(reason)
      .Run();
  const std::string role(Role(recorded)), child = "child";
  for (const TrackKey track : decision.other_tracks)
    RowBinder(link_).Integer(recorded.id).Integer(Number(track)).Text(role).Run();
  for (const TrackKey track : recorded.child_tracks)
    RowBinder(link_).Integer(recorded.id).Integer(Number(track)).Text(child).Run();
  if (decision.state != DecisionState::kConfirmed)
    SetDecisionState(view, recorded.id, decision.state, context.commit);
}

void TrackStore::SetDecisionState(const BranchView& view, std::int64_t decision, DecisionState state,
                                  CommitSeq commit) {
  RowBinder(close_decision_).Integer(Number(commit)).Integer(Number(view.branch)).Integer(decision).Run();
  const std::string name(Name(state));
  RowBinder(open_decision_)
      .Integer(Number(view.branch))
      .Integer(decision)
      .Integer(Number(commit))
      .Text(name)
      .Run();
}

std::vector<OpenDecision> TrackStore::OpenDecisions(const BranchView& view, ClusterCollection collection) {
  SQLite::Statement rows(database_,
                         "SELECT d.decision_id, d.outcome, d.class, d.track_key FROM " +
                             OpenIntervals("cluster_decision_states", "decision_id") +
                             " AS s JOIN cluster_merge_decisions AS d USING(decision_id) JOIN cluster_tracks "
                             "AS t USING(track_key)"
                             " WHERE s.state='tentative' AND t.collection=?3 ORDER BY d.decision_id");
  SQLite::Statement links(
      database_,
      "SELECT track_key, role FROM cluster_decision_tracks WHERE decision_id=? ORDER BY track_key");
  const std::string name(heliograph::Name(collection));
  RowBinder row(rows);
  row.Integer(Number(view.branch)).Integer(view.base_seq).Text(name);
  std::vector<OpenDecision> open;
  while (row.Step()) {
    OpenDecision decision;
    decision.id = rows.getColumn(0).getInt64();
    decision.outcome = ParseLineageOutcome(rows.getColumn(1).getString()).value();
    decision.kind = ParseLineageClass(rows.getColumn(2).getString()).value();
    decision.track = TrackKey{rows.getColumn(3).getInt64()};
    RowBinder link(links);
    link.Integer(decision.id);
    while (link.Step()) {
      const TrackKey track{links.getColumn(0).getInt64()};
      const std::string role = links.getColumn(1).getString();
      if (role == "source") decision.other_tracks.push_back(track);
      if (role == "child") decision.child_tracks.push_back(track);
    }
    open.push_back(std::move(decision));
  }
  return open;
}

std::vector<std::pair<TrackKey, TrackKey>> TrackStore::MergedByHand(const BranchView& view,
                                                                    ClusterCollection collection) {
  SQLite::Statement rows(
      database_,
      "SELECT s.track_key, s.merged_into, s.merged_by_hand FROM " +
          OpenIntervals("cluster_track_states", "track_key") +
          " AS s JOIN cluster_tracks AS t USING(track_key) WHERE t.collection=?3 AND s.status='merged' AND"
          " (s.merged_by_hand OR NOT EXISTS (SELECT 1 FROM cluster_merge_decisions AS d JOIN"
          " cluster_decision_states AS x USING(decision_id) WHERE d.track_key=t.track_key AND"
          " d.outcome='dissolved' AND x.to_seq IS NULL AND x.state='tentative')) ORDER BY s.track_key");
  const std::string name(heliograph::Name(collection));
  RowBinder row(rows);
  row.Integer(Number(view.branch)).Integer(view.base_seq).Text(name);
  std::map<TrackKey, TrackKey> into;
  std::vector<TrackKey> by_hand;
  while (row.Step()) {
    const TrackKey part{rows.getColumn(0).getInt64()};
    into[part] = TrackKey{rows.getColumn(1).getInt64()};
    if (rows.getColumn(2).getInt() != 0) by_hand.push_back(part);
  }
  std::vector<std::pair<TrackKey, TrackKey>> merged;
  for (const TrackKey part : by_hand) {
    TrackKey whole = into.at(part);
    for (int redirects = 0; redirects < kMostRedirects && into.contains(whole); ++redirects)
      whole = into.at(whole);
    merged.emplace_back(part, whole);
  }
  return merged;
}

std::vector<std::pair<TrackKey, TrackState>> TrackStore::Unfinished(const BranchView& view,
                                                                    ClusterCollection collection) {
  SQLite::Statement rows(
      database_,
      std::string("SELECT t.track_key, ") + kStateColumns + " FROM " +
          OpenIntervals("cluster_track_states", "track_key") +
          " AS s JOIN cluster_tracks AS t USING(track_key)"
          " WHERE t.collection=?3 AND (s.status IN ('active', 'dormant', 'closed')"
          " OR s.status='merged' AND (s.merged_by_hand OR t.track_key IN (SELECT d.track_key FROM " +
          OpenIntervals("cluster_decision_states", "decision_id") +
          " AS x JOIN cluster_merge_decisions AS d USING(decision_id)"
          " WHERE x.state='tentative' AND d.outcome='dissolved'))) ORDER BY t.track_key");
  const std::string name(heliograph::Name(collection));
  RowBinder row(rows);
  row.Integer(Number(view.branch)).Integer(view.base_seq).Text(name);
  std::vector<std::pair<TrackKey, TrackState>> tracks;
  while (row.Step()) tracks.emplace_back(TrackKey{rows.getColumn(0).getInt64()}, ReadState(rows, 1));
  return tracks;
}

std::string Slugify(const std::string& text) {
  std::string slug;
  for (const char character : text) {
    const bool letter = (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
    if (character >= 'A' && character <= 'Z') {
      slug += static_cast<char>(character - 'A' + 'a');
    } else if (letter) {
      slug += character;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  slug.resize(std::min(slug.size(), kMaxSlug));
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

}  // namespace heliograph::ingestor
