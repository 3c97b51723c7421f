#include "ingestor/apply/cluster_staging.h"

#include <algorithm>
#include <cmath>

#include "common/failpoint.h"
#include "ingestor/store/cluster_run_store.h"
#include "ingestor/store/member_dictionary.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

// A piece of work that takes some 50 ms at most.
constexpr std::size_t kRowsAtATime = 5000;
constexpr double kThousand = 1000;

}  // namespace

TrackBook& ClusterBooks::Of(SQLite::Database& database, const BranchView& view,
                            ClusterCollection collection) {
  const auto key = std::pair(view.branch, collection);
  const auto found = books_.find(key);
  if (found != books_.end()) return found->second;
  return books_.emplace(key, ClusterRunStore(database).LoadBook(view, collection)).first->second;
}

TrackBook* ClusterBooks::Find(BranchId branch, ClusterCollection collection) {
  const auto found = books_.find({branch, collection});
  return found != books_.end() ? &found->second : nullptr;
}

ClusterStaging::ClusterStaging(std::string name, const queue::QueueFile& file, MeshStore& store)
    : name_(std::move(name)) {
  file_.envelope = file.envelope;
  auto decoded = DecodeClusterSnapshot(file.payload);
  if (!decoded) {
    refusal_ = Verdict::Of(Outcome::kRejected, decoded.error());
    return;
  }
  snapshot_ = std::move(*decoded);
  if (snapshot_.watermark != file.envelope.watermark) {
    refusal_ =
        Verdict::Of(Outcome::kRejected, "the run and the header of its file have different watermarks");
    return;
  }
  if (snapshot_.clusters.empty()) {
    refusal_ = Verdict::Of(Outcome::kNoop, "the run found no cluster, so that the active run stays");
    return;
  }
  const BranchView view = BranchView::Of(store.database(), BranchId{file.envelope.branch_id});
  const auto active = ClusterRunStore(store.database()).Active(view, snapshot_.collection);
  if (active && active->content == ContentDigest(snapshot_) &&
      TrackStore(store.database()).OpenDecisions(view, snapshot_.collection).empty()) {
    refusal_ = Verdict::Of(Outcome::kNoop, "it says what run " +
                                               std::to_string(static_cast<std::int64_t>(active->active)) +
                                               " says, the active one");
    return;
  }
  ListPlaces();
}

void ClusterStaging::ListPlaces() {
  for (std::size_t i = 0; i < snapshot_.clusters.size(); ++i) {
    for (const SnapshotMember& member : snapshot_.clusters[i].members)
      places_.push_back({&member.key, i, static_cast<int>(std::lround(member.strength * kThousand)), {}});
  }
  for (const std::string& key : snapshot_.unclustered) places_.push_back({&key, std::nullopt, 0, {}});
}

bool ClusterStaging::Step(MeshStore& store, ClusterBooks& books, const queue::Envelope& envelope) {
  if (refusal_ || phase_ == Phase::kDone) return true;
  StoreTransaction transaction(store);
  switch (phase_) {
    case Phase::kSweep:
      if (!ClusterRunStore(store.database()).SweepStaged(kRowsAtATime)) {
        books.Of(store.database(), BranchView::Of(store.database(), BranchId{envelope.branch_id}),
                 snapshot_.collection);
        phase_ = Phase::kResolve;
      }
      break;
    case Phase::kResolve:
      Resolve(store);
      break;
    case Phase::kMembers:
      if (!run_) run_ = ClusterRunStore(store.database()).Stage(envelope, snapshot_);
      StageMembers(store);
      break;
    case Phase::kDone:
      break;
  }
  transaction.Commit();
  HELIOGRAPH_FAILPOINT(kClusterStaged);
  // What comes of the run is another piece: the writer may store packets before it.
  return refusal_.has_value();
}

void ClusterStaging::Resolve(MeshStore& store) {
  MemberDictionary dictionary(store.database(), store.identities());
  const std::size_t end = std::min(places_.size(), next_ + kRowsAtATime);
  for (; next_ < end; ++next_) {
    Place& place = places_[next_];
    const auto member = dictionary.KeyOf(snapshot_.collection, *place.key);
    if (!member) {
      refusal_ = Verdict::Of(Outcome::kRejected, "the run names " + *place.key + ", which nobody has met");
      return;
    }
    place.member = *member;
  }
  if (next_ < places_.size()) return;
  Arrange();
  next_ = 0;
  phase_ = Phase::kMembers;
}

void ClusterStaging::Arrange() {
  proposed_.coverage = snapshot_.coverage;
  proposed_.clusters.resize(snapshot_.clusters.size());
  representatives_.resize(snapshot_.clusters.size());
  for (const Place& place : places_) {
    if (!place.ordinal) {
      proposed_.unclustered.push_back(place.member);
      continue;
    }
    proposed_.clusters[*place.ordinal].push_back(place.member);
    if (*place.key == snapshot_.clusters[*place.ordinal].representative)
      representatives_[*place.ordinal] = place.member;
  }
  for (MemberSet& cluster : proposed_.clusters) std::sort(cluster.begin(), cluster.end());
  std::sort(proposed_.unclustered.begin(), proposed_.unclustered.end());
}

void ClusterStaging::StageMembers(MeshStore& store) {
  ClusterRunStore runs(store.database());
  const std::size_t end = std::min(places_.size(), next_ + kRowsAtATime);
  for (; next_ < end; ++next_)
    runs.StageMember(*run_, places_[next_].member, places_[next_].ordinal, places_[next_].strength);
  HELIOGRAPH_FAILPOINT(kClusterStaging);
  if (next_ == places_.size()) phase_ = Phase::kDone;
}

}  // namespace heliograph::ingestor
