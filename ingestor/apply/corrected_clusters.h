#pragma once

#include <map>
#include <set>
#include <vector>

#include "ingestor/clusters/track_book.h"
#include "ingestor/store/branch_view.h"

namespace heliograph::ingestor {

/// The clusters of the active run with people's corrections laid over it, as readers see them, at one moment.
/// `apart` as TrackStore::Resolve takes it.
class CorrectedClusters {
 public:
  CorrectedClusters(SQLite::Database& database, const BranchView& view, ClusterCollection collection,
                    std::optional<TrackKey> apart = std::nullopt);

  ClusterCollection collection() const { return collection_; }
  /// Tracks that members are pinned to.
  const std::map<TrackKey, TrackStanding>& held() const { return constraints_.held; }
  /// True when the track, or one that went into it, has a cluster in the run, or members are pinned to it.
  bool Lives(TrackKey track) const { return clusters_.contains(track) || held().contains(track); }
  /// The members of a track that is merged into no other.
  MemberSet MembersOf(TrackKey track) const;

 private:
  SQLite::Database& database_;
  ClusterCollection collection_;
  TrackConstraints constraints_;
  std::int64_t run_ = 0;
  std::map<TrackKey, std::vector<std::int64_t>> clusters_;  ///< ordinals
};

}  // namespace heliograph::ingestor
