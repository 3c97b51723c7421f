#pragma once

#include <map>
#include <set>
#include <utility>

#include "common/cluster_override.h"

namespace heliograph {

/// What people said of members, in the order in which they said it: of two corrections about the same member
/// and the same track the later one counts, and a member belongs to the track that it was put into last. A
/// split puts its members into the new track and keeps them out of the old one. REQUIRED: tracks are named by
/// where they went in the end, so that tracks that were merged are one.
template <class Track, class Member>
struct MemberCorrections {
  std::map<Member, Track> pinned;               ///< belongs to this track, whatever a run says
  std::set<std::pair<Track, Member>> excluded;  ///< does not belong to this track, whatever a run says

  bool empty() const { return pinned.empty() && excluded.empty(); }
  bool IsExcluded(Track track, Member member) const { return excluded.contains({track, member}); }
  /// True when the member is said to belong to another track.
  bool IsElsewhere(Track track, Member member) const {
    const auto pin = pinned.find(member);
    return pin != pinned.end() && pin->second != track;
  }

  void Exclude(Track track, Member member) {
    excluded.insert({track, member});
    const auto pin = pinned.find(member);
    if (pin != pinned.end() && pin->second == track) pinned.erase(pin);
  }
  void Include(Track track, Member member) {
    excluded.erase({track, member});
    pinned[member] = track;
  }
  /// Takes what an override of this action says of one of its members; `other` is the track that a split
  /// made.
  void Take(OverrideAction action, Track track, Track other, Member member) {
    switch (action) {
      case OverrideAction::kExclude:
        return Exclude(track, member);
      case OverrideAction::kInclude:
        return Include(track, member);
      case OverrideAction::kSplit:
        Exclude(track, member);
        return Include(other, member);
      case OverrideAction::kRename:
      case OverrideAction::kMerge:
      case OverrideAction::kClose:
      case OverrideAction::kReopen:
      case OverrideAction::kUndo:
        return;
    }
  }

  bool operator==(const MemberCorrections&) const = default;
};

}  // namespace heliograph
