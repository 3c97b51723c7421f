#include "server/clusters/cluster_reader.h"

#include <algorithm>

#include "common/bytes.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

using SQLite::Statement;

constexpr double kThousand = 1000;
constexpr const char* kByStatus = "cluster_track_states_by_status";

/// Where merges lead from a track in the end; `into` tells where one track went, if it did. Merges point
/// forward in time, so that each way ends; on a circle, as a damaged database may have, that is its oldest
/// track.
template <typename Into>
std::int64_t EndOfMerges(std::int64_t track, Into into) {
  std::vector<std::int64_t> way{track};
  while (const std::optional<std::int64_t> next = into(way.back())) {
    const auto seen = std::find(way.begin(), way.end(), *next);
    if (seen != way.end()) return *std::min_element(seen, way.end());
    way.push_back(*next);
  }
  return way.back();
}

/// The key of a member of a collection, as a scalar subquery on the column `member`.
std::string MemberName(ClusterCollection collection, const std::string& member) {
  return collection == ClusterCollection::kMesh
             ? "(SELECT lower(hex(public_key)) FROM identity WHERE key=" + member + ")"
             : "(SELECT item_id FROM item_identity WHERE key=" + member + ")";
}

/// The columns of a track; ReadTrack reads them. `s` is its interval, `t` the track.
const std::string& TrackColumns() {
  static const std::string columns =
      "t.track_key, t.track_id, t.collection, s.slug, s.title, s.title_pinned, s.status, s.merged_into,"
      " s.merged_by_hand, CASE t.collection WHEN 'mesh' THEN " +
      MemberName(ClusterCollection::kMesh, "s.representative_key") + " ELSE " +
      MemberName(ClusterCollection::kItems, "s.representative_key") +
      " END, s.from_seq, t.born_seq, (SELECT committed_us / 1000 FROM commit_log WHERE "
      "commit_seq=t.born_seq),"
      " max(s.from_seq, coalesce((SELECT d.commit_seq FROM cluster_merge_decisions AS d WHERE"
      " d.track_key=t.track_key AND d.class NOT IN ('continuation', 'growth', 'contraction') AND"
      " (d.branch_id=?1 AND d.commit_seq<=?3 OR d.branch_id=1 AND d.commit_seq<=min(?2, ?3))"
      " ORDER BY d.decision_id DESC LIMIT 1), 0)) AS changed_seq,"
      " CASE s.status WHEN 'closed' THEN (SELECT coalesce(sum(d.newcomers), 0) FROM cluster_merge_decisions"
      " AS d WHERE d.track_key=t.track_key AND d.outcome='updated' AND (d.branch_id=?1 AND d.commit_seq<=?3 "
      "OR"
      " d.branch_id=1 AND d.commit_seq<=min(?2, ?3)) AND d.commit_seq>(SELECT max(o.from_seq) FROM"
      " cluster_overrides AS o WHERE o.branch_id=1 AND o.track_key=t.track_key AND o.action='close' AND"
      " o.from_seq<=?3)) END AS newcomers";
  return columns;
}

std::string TracksFrom(const ClusterMoment& moment, const std::string& open_index = {}) {
  return "SELECT x.*, (SELECT committed_us / 1000 FROM commit_log WHERE commit_seq=x.changed_seq) FROM "
         "(SELECT " +
         TrackColumns() + " FROM " + IntervalsAt("cluster_track_states", "track_key", moment, open_index) +
         " AS s JOIN cluster_tracks AS t USING(track_key) WHERE ";
}

ClusterTrack ReadTrack(Statement& row) {
  ClusterTrack track;
  track.key = row.getColumn(0).getInt64();
  track.id = row.getColumn(1).getString();
  track.collection = ParseClusterCollection(row.getColumn(2).getString()).value_or(ClusterCollection::kMesh);
  track.slug = row.getColumn(3).getString();
  track.title = row.getColumn(4).getString();
  track.title_pinned = row.getColumn(5).getInt() != 0;
  track.status = row.getColumn(6).getString();
  track.merged_into = NumberOf(row.getColumn(7));
  track.merged_by_hand = row.getColumn(8).getInt() != 0;
  track.representative = TextOf(row.getColumn(9));
  track.since_seq = row.getColumn(10).getInt64();
  track.born_seq = row.getColumn(11).getInt64();
  track.born_at = TimeOf(row.getColumn(12));
  track.changed_seq = row.getColumn(13).getInt64();
  track.newcomers_since_closed = NumberOf(row.getColumn(14));
  track.changed_at = TimeOf(row.getColumn(15));
  return track;
}

/// The clusters of the active run by the track that they are shown under.
class ActiveClusters {
 public:
  struct Part {
    std::int64_t ordinal = 0, track = 0;
    double cohesion = 0;
  };

  ActiveClusters(ReaderConnection& reader, const ClusterMoment& moment, ClusterCollection collection)
      : reader_(reader), run_(ActiveRun(reader, moment, collection)) {
    corrections_ = CorrectionsAt(reader, moment, collection);
    if (run_) LoadParts();
    if (run_) Correct();
  }

  std::optional<std::int64_t> run() const { return run_; }
  const ClusterCorrections& corrections() const { return corrections_; }
  std::int64_t Root(std::int64_t track) const { return corrections_.RootOf(track); }
  const std::vector<Part>& PartsOf(std::int64_t root) const {
    static const std::vector<Part> none;
    const auto found = parts_.find(root);
    return found != parts_.end() ? found->second : none;
  }
  void Fill(ClusterTrack& track) const {
    const auto size = sizes_.find(track.key);
    if (size != sizes_.end()) track.size = size->second;
    const auto parts = parts_.find(track.key);
    if (parts != parts_.end()) track.cohesion = parts->second.front().cohesion;
  }

 private:
  void LoadParts() {
    Statement& rows = reader_.Prepared(
        "SELECT ordinal, track_key, size, cohesion FROM cluster_snapshots WHERE run_id=? AND track_key IS "
        "NOT NULL"
        " ORDER BY size DESC");
    rows.bind(1, *run_);
    while (rows.executeStep()) {
      const std::int64_t track = rows.getColumn(1).getInt64(), root = Root(track);
      parts_[root].push_back({rows.getColumn(0).getInt64(), track, rows.getColumn(3).getDouble()});
      sizes_[root] += rows.getColumn(2).getInt64();
    }
  }
  void Correct() {
    Statement& row = reader_.Prepared(
        "SELECT c.track_key FROM cluster_members AS m JOIN cluster_snapshots AS c USING(run_id, ordinal)"
        " WHERE m.run_id=? AND m.member_key=?");
    const auto computed = [&](std::int64_t member) -> std::optional<std::int64_t> {
      row.reset();
      row.bind(1, *run_);
      row.bind(2, member);
      return row.executeStep() ? NumberOf(row.getColumn(0)) : std::nullopt;
    };
    for (const auto& [member, track] : corrections_.pinned) {
      if (const auto from = computed(member)) --sizes_[Root(*from)];
      ++sizes_[track];
    }
    for (const auto& [track, member] : corrections_.excluded) {
      if (corrections_.pinned.contains(member)) continue;
      if (const auto from = computed(member); from && Root(*from) == track) --sizes_[track];
    }
  }

  ReaderConnection& reader_;
  std::optional<std::int64_t> run_;
  ClusterCorrections corrections_;
  std::map<std::int64_t, std::int64_t> sizes_;
  std::map<std::int64_t, std::vector<Part>> parts_;
};

/// The number of the track that this one was merged into, if it was.
std::optional<std::int64_t> MergedInto(ReaderConnection& reader, const ClusterMoment& moment,
                                       std::int64_t track) {
  Statement& row =
      reader.Prepared("SELECT merged_into FROM " + IntervalsAt("cluster_track_states", "track_key", moment) +
                      " WHERE track_key=?4");
  row.reset();
  BindMoment(row, moment);
  row.bind(4, track);
  return row.executeStep() ? NumberOf(row.getColumn(0)) : std::nullopt;
}

std::string EscapedLike(const std::string& text) {
  std::string pattern = "%";
  for (const char character : text) {
    if (character == '%' || character == '_' || character == '\\') pattern += '\\';
    pattern += character;
  }
  return pattern + "%";
}

}  // namespace

std::optional<std::int64_t> MemberNumber(ReaderConnection& reader, ClusterCollection collection,
                                         const std::string& key) {
  Statement& row = reader.Prepared(collection == ClusterCollection::kMesh
                                       ? "SELECT key FROM identity WHERE public_key=?"
                                       : "SELECT key FROM item_identity WHERE item_id=?");
  if (collection == ClusterCollection::kMesh) {
    const auto bytes = FromHex(key);
    if (!bytes || bytes->empty()) return std::nullopt;
    row.bind(1, bytes->data(), static_cast<int>(bytes->size()));
  } else {
    row.bind(1, key);
  }
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getInt64();
}

std::int64_t ClusterCorrections::RootOf(std::int64_t track) const {
  return EndOfMerges(track, [&](std::int64_t from) {
    const auto into = merged_into.find(from);
    return into != merged_into.end() ? std::optional(into->second) : std::nullopt;
  });
}

ClusterCorrections CorrectionsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                 ClusterCollection collection) {
  ClusterCorrections corrections;
  Statement& merges = reader.Prepared("SELECT track_key, merged_into FROM " +
                                      IntervalsAt("cluster_track_states", "track_key", moment, kByStatus) +
                                      " WHERE status='merged'");
  BindMoment(merges, moment);
  while (merges.executeStep())
    corrections.merged_into[merges.getColumn(0).getInt64()] = merges.getColumn(1).getInt64();
  Statement& rows =
      reader.Prepared("SELECT o.action, o.track_key, o.other_track_key, m.member_key FROM " +
                      IntervalsAt("cluster_overrides", "override_id", moment, "cluster_overrides_now") +
                      " AS o JOIN cluster_override_members AS m USING(override_id)"
                      " WHERE o.collection=?4 AND o.action IN ('exclude', 'include', 'split')"
                      " ORDER BY o.from_seq, m.member_key");
  BindMoment(rows, moment);
  rows.bind(4, std::string(Name(collection)));
  while (rows.executeStep()) {
    const auto action = ParseOverrideAction(rows.getColumn(0).getString());
    const std::int64_t track = corrections.RootOf(rows.getColumn(1).getInt64());
    const auto other = NumberOf(rows.getColumn(2));
    if (action)
      corrections.Take(*action, track, other ? corrections.RootOf(*other) : track,
                       rows.getColumn(3).getInt64());
  }
  return corrections;
}

std::vector<ClusterTrack> TracksAt(ReaderConnection& reader, const ClusterMoment& moment,
                                   const ClusterFilter& filter) {
  constexpr int kFirstStatus = 7;
  std::string statuses;
  for (std::size_t i = 0; i < filter.statuses.size(); ++i)
    statuses += (i == 0 ? "?" : ", ?") + std::to_string(kFirstStatus + i);
  if (!statuses.empty()) statuses = " AND s.status IN (" + statuses + ")";
  Statement& rows =
      reader.Prepared(TracksFrom(moment, statuses.empty() ? "" : kByStatus) + "t.collection=?4" + statuses +
                      " AND (?5='' OR s.title LIKE ?5 ESCAPE '\\' OR s.slug LIKE ?5 ESCAPE '\\')"
                      " ORDER BY t.track_key DESC LIMIT ?6) AS x");
  BindMoment(rows, moment);
  rows.bind(4, std::string(Name(filter.collection)));
  rows.bind(5, filter.search.empty() ? std::string() : EscapedLike(filter.search));
  rows.bind(6, kMostTracks);
  for (std::size_t i = 0; i < filter.statuses.size(); ++i)
    rows.bind(kFirstStatus + static_cast<int>(i), filter.statuses[i]);
  std::vector<ClusterTrack> tracks;
  while (rows.executeStep()) tracks.push_back(ReadTrack(rows));
  const ActiveClusters active(reader, moment, filter.collection);
  for (ClusterTrack& track : tracks) active.Fill(track);
  std::erase_if(tracks, [&](const ClusterTrack& track) { return track.size < filter.min_size; });
  return tracks;
}

std::optional<ClusterTrack> TrackByKey(ReaderConnection& reader, const ClusterMoment& moment,
                                       std::int64_t key) {
  Statement& row = reader.Prepared(TracksFrom(moment) + "s.track_key=?4) AS x");
  BindMoment(row, moment);
  row.bind(4, key);
  if (!row.executeStep()) return std::nullopt;
  return ReadTrack(row);
}

void MeasureTracks(ReaderConnection& reader, const ClusterMoment& moment, ClusterCollection collection,
                   std::initializer_list<ClusterTrack*> tracks) {
  const ActiveClusters active(reader, moment, collection);
  for (ClusterTrack* track : tracks) active.Fill(*track);
}

std::optional<std::int64_t> TrackNamed(ReaderConnection& reader, const ClusterMoment& moment,
                                       const std::string& name) {
  // A name that was given later must not be found as of before: what is not there then stays so.
  const std::string on_line = " AND (branch_id=?1 AND from_seq<=?3 OR branch_id=1 AND from_seq<=min(?2, ?3))";
  Statement& row = reader.Prepared(
      "SELECT track_key FROM cluster_tracks WHERE track_id=?4 UNION ALL"
      " SELECT track_key FROM cluster_track_states WHERE slug=?4" +
      on_line + " UNION ALL SELECT track_key FROM cluster_aliases WHERE alias=?4" + on_line + " LIMIT 1");
  BindMoment(row, moment);
  row.bind(4, name);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getInt64();
}

std::optional<ClusterTrack> FindTrack(ReaderConnection& reader, const ClusterMoment& moment,
                                      const std::string& name) {
  const auto key = TrackNamed(reader, moment, name);
  return key ? TrackByKey(reader, moment, *key) : std::nullopt;
}

ClusterTrack RootOf(ReaderConnection& reader, const ClusterMoment& moment, ClusterTrack track) {
  const std::int64_t root =
      EndOfMerges(track.key, [&](std::int64_t from) { return MergedInto(reader, moment, from); });
  if (root == track.key) return track;
  auto end = TrackByKey(reader, moment, root);
  return end ? std::move(*end) : std::move(track);
}

bool IsMergeSettled(ReaderConnection& reader, const ClusterMoment& moment, const ClusterTrack& track) {
  // Of the ends of a track only the newest can be tentative: it had come back before.
  const std::string may_be_undone =
      "SELECT s.merged_by_hand OR coalesce((SELECT " +
      ValueAt("cluster_decision_states", "decision_id", "e.decision_id", "state") +
      " FROM (SELECT d.decision_id FROM cluster_merge_decisions AS d WHERE d.track_key=?4 AND"
      " d.outcome='dissolved' AND (d.branch_id=?1 AND d.commit_seq<=?3 OR d.branch_id=1 AND"
      " d.commit_seq<=min(?2, ?3)) ORDER BY d.decision_id DESC LIMIT 1) AS e)='tentative', 0) FROM " +
      IntervalsAt("cluster_track_states", "track_key", moment) + " AS s WHERE s.track_key=?4";
  bool settled = true;
  EndOfMerges(track.key, [&](std::int64_t from) {
    const auto into = MergedInto(reader, moment, from);
    if (!into) return into;
    Statement& row = reader.Prepared(may_be_undone);
    row.reset();
    BindMoment(row, moment);
    row.bind(4, from);
    settled = settled && row.executeStep() && row.getColumn(0).getInt() == 0;
    return into;
  });
  return settled;
}

std::vector<std::vector<TrackMember>> MembersOf(ReaderConnection& reader, const ClusterMoment& moment,
                                                ClusterCollection collection,
                                                const std::vector<ClusterTrack>& tracks) {
  const ActiveClusters active(reader, moment, collection);
  Statement& name = reader.Prepared("SELECT " + MemberName(collection, "?1"));
  std::map<std::int64_t, std::vector<TrackMember>> by_hand;
  for (const auto& [member, pinned] : active.corrections().pinned) {
    name.reset();
    name.bind(1, member);
    name.executeStep();
    by_hand[pinned].push_back({member, name.getColumn(0).getString(), 1, true});
  }
  Statement& rows =
      reader.Prepared("SELECT m.member_key, m.strength, " + MemberName(collection, "m.member_key") +
                      " FROM cluster_members AS m WHERE m.run_id=? AND m.ordinal=?");
  std::vector<std::vector<TrackMember>> all;
  for (const ClusterTrack& track : tracks) {
    std::vector<TrackMember> members = std::move(by_hand[track.key]);
    for (const auto& part : active.PartsOf(track.key)) {
      rows.reset();
      rows.bind(1, *active.run());
      rows.bind(2, part.ordinal);
      while (rows.executeStep()) {
        const std::int64_t member = rows.getColumn(0).getInt64();
        if (active.corrections().pinned.contains(member) ||
            active.corrections().IsExcluded(track.key, member))
          continue;
        members.push_back(
            {member, rows.getColumn(2).getString(), rows.getColumn(1).getInt() / kThousand, false});
      }
    }
    std::sort(members.begin(), members.end(), [](const TrackMember& a, const TrackMember& b) {
      return a.strength != b.strength ? a.strength > b.strength : a.key < b.key;
    });
    all.push_back(std::move(members));
  }
  return all;
}

std::vector<MemberPlace> PlacesIn(ReaderConnection& reader, std::int64_t run) {
  Statement& rows = reader.Prepared(
      "SELECT m.member_key, c.track_key FROM cluster_members AS m LEFT JOIN cluster_snapshots AS c ON"
      " c.run_id=m.run_id AND c.ordinal=m.ordinal WHERE m.run_id=? ORDER BY m.member_key");
  rows.reset();
  rows.bind(1, run);
  std::vector<MemberPlace> places;
  while (rows.executeStep()) places.push_back({rows.getColumn(0).getInt64(), NumberOf(rows.getColumn(1))});
  return places;
}

std::vector<MemberPlace> PlacesOf(ReaderConnection& reader, const ClusterMoment& moment,
                                  ClusterCollection collection) {
  const ActiveClusters active(reader, moment, collection);
  std::vector<MemberPlace> places;
  if (!active.run()) return places;
  const auto& pinned = active.corrections().pinned;
  for (const auto& [member, track] : pinned) places.push_back({member, track});
  for (MemberPlace& place : PlacesIn(reader, *active.run())) {
    if (pinned.contains(place.member)) continue;
    if (place.track) place.track = active.Root(*place.track);
    if (place.track && active.corrections().IsExcluded(*place.track, place.member)) place.track.reset();
    places.push_back(place);
  }
  std::sort(places.begin(), places.end(),
            [](const MemberPlace& a, const MemberPlace& b) { return a.member < b.member; });
  return places;
}

std::optional<std::pair<ClusterTrack, TrackMember>> ClusterOfMember(ReaderConnection& reader,
                                                                    const ClusterMoment& moment,
                                                                    ClusterCollection collection,
                                                                    const std::string& key) {
  const auto number = MemberNumber(reader, collection, key);
  const auto run = ActiveRun(reader, moment, collection);
  if (!number || !run) return std::nullopt;
  TrackMember member{*number, key, 1, true};
  const ClusterCorrections corrections = CorrectionsAt(reader, moment, collection);
  std::optional<std::int64_t> track;
  if (const auto pinned = corrections.pinned.find(*number); pinned != corrections.pinned.end()) {
    track = pinned->second;
  } else {
    Statement& row = reader.Prepared(
        "SELECT c.track_key, m.strength FROM cluster_members AS m JOIN cluster_snapshots AS c USING(run_id, "
        "ordinal)"
        " WHERE m.run_id=? AND m.member_key=?");
    row.bind(1, *run);
    row.bind(2, *number);
    if (!row.executeStep()) return std::nullopt;
    track = NumberOf(row.getColumn(0));
    member.strength = row.getColumn(1).getInt() / kThousand;
    member.included_by_hand = false;
    if (track && corrections.IsExcluded(corrections.RootOf(*track), *number)) return std::nullopt;
  }
  if (!track) return std::nullopt;
  auto found = TrackByKey(reader, moment, *track);
  if (!found) return std::nullopt;
  return std::pair(RootOf(reader, moment, std::move(*found)), member);
}

std::vector<std::string> AliasesOf(ReaderConnection& reader, const ClusterMoment& moment,
                                   std::int64_t track) {
  Statement& rows = reader.Prepared("SELECT alias FROM " + IntervalsAt("cluster_aliases", "alias", moment) +
                                    " WHERE track_key=?4 UNION SELECT t.track_id FROM " +
                                    IntervalsAt("cluster_track_states", "track_key", moment) +
                                    " AS s JOIN cluster_tracks AS t USING(track_key) WHERE s.merged_into=?4"
                                    " ORDER BY 1 LIMIT 200");
  BindMoment(rows, moment);
  rows.bind(4, track);
  std::vector<std::string> aliases;
  while (rows.executeStep()) aliases.push_back(rows.getColumn(0).getString());
  return aliases;
}

}  // namespace heliograph::server
