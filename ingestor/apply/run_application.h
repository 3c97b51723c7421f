#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "ingestor/apply/applier.h"
#include "ingestor/apply/cluster_staging.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {

/// Makes a staged run the active one of its branch and collection, whoever brought it: matched to the tracks
/// of the branch, with the decisions, under a commit that may hold more than this run. Match comes before the
/// commit begins, so that the commit can count what it changes; Write after it. Used by the writer's thread,
/// in one transaction.
class RunApplication {
 public:
  /// REQUIRED: all of it outlives the application; the staging is complete, nothing is refused.
  RunApplication(const ApplyContext& context, const queue::Envelope& file, const BranchView& view,
                 ClusterStaging& staging);

  /// Tracks and decisions get their numbers from `numbers`, which moves on. REQUIRED: called once, and
  /// `Write` follows, or the books are forgotten.
  void Match(LineageNumbers& numbers);
  /// Adds to the counts of `facts` what begins, goes on and dissolves. REQUIRED: Match was called.
  void CountInto(CommitFacts& facts) const;
  /// All rows, and last of them the pointer.
  void Write(CommitSeq commit);

  /// What is told of the run: its collection and number, counts of clusters, members and events, and of a
  /// copy the original.
  nlohmann::json Statistics() const;
  /// The same in a sentence.
  std::string Summary() const;

 private:
  std::size_t CountOf(LineageOutcome outcome) const;
  std::size_t CountOf(LineageClass kind) const;
  std::size_t Members() const;
  void BeginTracks();
  void ChangeTracks();
  TrackState Begun(std::size_t cluster);
  TrackState Continued(std::size_t cluster, TrackState state);
  void Decide();
  void AddClusters();
  void AddCarriedMembers();

  const ApplyContext& context_;
  const queue::Envelope& envelope_;
  ClusterStaging& staging_;
  const ClusterSnapshot& snapshot_;
  SQLite::Database& database_;
  BranchView view_;
  TrackStore tracks_;
  ClusterRunStore runs_;
  std::optional<ClusterPointer> active_;
  TrackConstraints constraints_;
  RunConclusion conclusion_;
  CommitSeq commit_{};
};

/// The applications to main of the runs that were staged for `originals`, in their order. Throws
/// std::system_error(EAGAIN) when others were staged, so that the file is staged anew.
std::deque<RunApplication> ApplicationsOf(const ApplyContext& context, const queue::Envelope& file,
                                          const std::vector<RunKey>& originals);

}  // namespace heliograph::ingestor
