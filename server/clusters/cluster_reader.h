#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/member_corrections.h"
#include "common/time.h"
#include "server/clusters/cluster_moment.h"

namespace heliograph::server {

/// Reads clusters as people see them: the active run, with what people decided laid over it. Every function
/// runs in the caller's read transaction and throws SQLite::Exception.

/// A track at a moment.
struct ClusterTrack {
  std::int64_t key = 0;
  std::string id;
  ClusterCollection collection{};
  std::string slug, title;
  bool title_pinned = false;
  std::string status;  ///< active, dormant, ended, merged or closed
  std::optional<std::int64_t> merged_into;
  bool merged_by_hand = false;
  std::optional<std::string> representative;  ///< the member's key
  std::int64_t since_seq = 0;                 ///< the commit that made it what it is
  std::int64_t born_seq = 0;
  UtcMillis born_at{};
  std::int64_t changed_seq = 0;  ///< the newest commit that changed more of it than some members
  UtcMillis changed_at{};
  /// Of a closed one: members that its clusters gained since, each time that one came; nothing otherwise.
  std::optional<std::int64_t> newcomers_since_closed;
  /// Members now, with corrections; 0 when it has no cluster in the active run. This and the cohesion are
  /// filled in by TracksAt and MeasureTracks alone.
  std::int64_t size = 0;
  std::optional<double> cohesion;
};

/// What people said of members, as far as it is in force at a moment. Tracks that went into others are named
/// by where they are in the end.
struct ClusterCorrections : MemberCorrections<std::int64_t, std::int64_t> {
  std::map<std::int64_t, std::int64_t> merged_into;  ///< each merged track by what it went into

  std::int64_t RootOf(std::int64_t track) const;
};
ClusterCorrections CorrectionsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                 ClusterCollection collection);

struct ClusterFilter {
  ClusterCollection collection{};
  std::vector<std::string> statuses;  ///< empty: all
  std::string search;                 ///< part of the title or the slug, in any case of ASCII letters
  std::int64_t min_size = 0;
};
/// The tracks that pass, measured, at most kMostTracks of them (the youngest), without an order.
inline constexpr std::int64_t kMostTracks = 20'000;
std::vector<ClusterTrack> TracksAt(ReaderConnection& reader, const ClusterMoment& moment,
                                   const ClusterFilter& filter);

/// The number of the track with this id, or with a slug or an alias that it had by the moment. It may not be
/// there at the moment.
std::optional<std::int64_t> TrackNamed(ReaderConnection& reader, const ClusterMoment& moment,
                                       const std::string& name);
/// The track of this name as it is at the moment; a merged one is itself. Nothing when there is none.
std::optional<ClusterTrack> FindTrack(ReaderConnection& reader, const ClusterMoment& moment,
                                      const std::string& name);
std::optional<ClusterTrack> TrackByKey(ReaderConnection& reader, const ClusterMoment& moment,
                                       std::int64_t key);
/// Fills in the size and the cohesion of tracks of the collection.
void MeasureTracks(ReaderConnection& reader, const ClusterMoment& moment, ClusterCollection collection,
                   std::initializer_list<ClusterTrack*> tracks);
/// Where a merged track went in the end; itself when it is not merged. Of tracks that were merged in a
/// circle, which only a damaged database has, the oldest one.
ClusterTrack RootOf(ReaderConnection& reader, const ClusterMoment& moment, ClusterTrack track);
/// False while the next run, or a person, may take a merge back on the way from the track to its root.
bool IsMergeSettled(ReaderConnection& reader, const ClusterMoment& moment, const ClusterTrack& track);

struct TrackMember {
  std::int64_t member = 0;
  std::string key;
  double strength = 0;
  bool included_by_hand = false;
};
/// The members of each of these tracks of one collection, the firmest first.
std::vector<std::vector<TrackMember>> MembersOf(ReaderConnection& reader, const ClusterMoment& moment,
                                                ClusterCollection collection,
                                                const std::vector<ClusterTrack>& tracks);

/// The number of the member with this key, if there was ever one; a key of a node in any case.
std::optional<std::int64_t> MemberNumber(ReaderConnection& reader, ClusterCollection collection,
                                         const std::string& key);

/// Where a member of the active run is, or one that people put somewhere.
struct MemberPlace {
  std::int64_t member = 0;
  std::optional<std::int64_t> track;  ///< the number of its cluster's track; nothing: it is in none
};
/// Where a run put those that it looked at, without corrections. In the order of their numbers.
std::vector<MemberPlace> PlacesIn(ReaderConnection& reader, std::int64_t run);
/// In the order of their numbers, each once; empty before the first run.
std::vector<MemberPlace> PlacesOf(ReaderConnection& reader, const ClusterMoment& moment,
                                  ClusterCollection collection);

/// The track that a member belongs to, and how firmly; nothing when it belongs nowhere.
std::optional<std::pair<ClusterTrack, TrackMember>> ClusterOfMember(ReaderConnection& reader,
                                                                    const ClusterMoment& moment,
                                                                    ClusterCollection collection,
                                                                    const std::string& key);

/// Names that lead to the track, apart from its own id and slug.
std::vector<std::string> AliasesOf(ReaderConnection& reader, const ClusterMoment& moment, std::int64_t track);

/// Another track that a decision concerns.
struct DecisionTrack {
  std::string role;  ///< source, child, parent or into
  std::string id, title;
};
struct ClusterDecision {
  std::int64_t id = 0, run = 0;
  std::optional<std::int64_t> previous_run, ordinal;
  std::string commit_id;
  UtcMillis at{};
  std::string track_id, title;
  std::string rule, outcome, kind, state, reason;
  std::int64_t shared = 0, old_size = 0, new_size = 0, newcomers = 0;
  double share_old = 0, share_new = 0, jaccard = 0, present_jaccard = 0, turnover = 0, score = 0, second = 0,
         confidence = 0;
  std::vector<DecisionTrack> others;
};
/// Without track, run, decision and since_run: of every track of `collection`.
struct DecisionFilter {
  std::optional<std::int64_t> track;  ///< of this one, or concerning it
  std::optional<std::int64_t> run;
  std::optional<std::int64_t> decision;   ///< just this one
  std::optional<std::int64_t> since_run;  ///< of this run and later ones of `collection`
  ClusterCollection collection{};
  bool events_only = false;  ///< not those of clusters that merely go on
  bool confirmed_only = false;
  std::optional<std::int64_t> before;  ///< decisions with a lower number
  std::int64_t limit = 50;
};
/// The newest first.
std::vector<ClusterDecision> DecisionsAt(ReaderConnection& reader, const ClusterMoment& moment,
                                         const DecisionFilter& filter);

struct ClusterOverrideRow {
  std::string id, action, track_id, actor, reason;
  std::optional<std::string> other_id, title, undoes;
  bool in_force = false;
  UtcMillis created_at{};
  std::int64_t commit_seq = 0;
  std::string commit_id;
  std::int64_t members = 0, blocked = 0;
  std::vector<std::string> first_members;  ///< at most 20
};
/// Which corrections of a track are wanted: those that come after the one of this place in their order.
struct OverridePage {
  std::optional<std::pair<std::int64_t, std::string>> after;  ///< its commit and its id
  std::int64_t limit = 50;
};
/// Those of the track and of all that went into it, each once: the newest first.
std::vector<ClusterOverrideRow> OverridesOf(ReaderConnection& reader, const ClusterMoment& moment,
                                            std::int64_t track, const OverridePage& page);

}  // namespace heliograph::server
