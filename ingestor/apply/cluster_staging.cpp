#include "ingestor/apply/cluster_staging.h"

#include <algorithm>
#include <cmath>

#include "common/failpoint.h"
#include "ingestor/store/member_dictionary.h"
#include "ingestor/store/track_store.h"

namespace heliograph::ingestor {
namespace {

// A piece of work that takes some 50 ms at most.
constexpr std::size_t kRowsAtATime = 5000;
constexpr double kThousand = 1000;

}  // namespace

bool ClusterBooks::Load(SQLite::Database& database, const BranchView& view, ClusterCollection collection) {
  const Key key(view.branch, collection);
  if (books_.contains(key)) return true;
  if (!loading_ || loading_->first != key) loading_.emplace(key, BookLoader(database, view, collection));
  if (!loading_->second.Step()) return false;
  books_.emplace(key, loading_->second.Take());
  loading_.reset();
  return true;
}

TrackBook& ClusterBooks::Of(SQLite::Database& database, const BranchView& view,
                            ClusterCollection collection) {
  while (!Load(database, view, collection)) {
  }
  return books_.at({view.branch, collection});
}

TrackBook* ClusterBooks::Find(BranchId branch, ClusterCollection collection) {
  const auto found = books_.find({branch, collection});
  return found != books_.end() ? &found->second : nullptr;
}

void ClusterBooks::Forget() noexcept {
  books_.clear();
  loading_.reset();
}

void ClusterBooks::Forget(BranchId branch) noexcept {
  loading_.reset();
  std::erase_if(books_, [&](const auto& book) { return book.first.first == branch; });
}

ClusterStaging::ClusterStaging(const queue::QueueFile& file, MeshStore& store) {
  auto decoded = DecodeClusterSnapshot(file.payload);
  if (!decoded) {
    refusal_ = Verdict::Of(Outcome::kRejected, decoded.error());
    return;
  }
  snapshot_ = std::move(*decoded);
  origin_ = {BranchId{file.envelope.branch_id}, file.envelope.id.ToText(), file.envelope.created_at,
             ContentDigest(snapshot_), std::nullopt};
  Judge(store, file);
  if (!refusal_) ListKeys();
}

ClusterStaging::ClusterStaging(RunKey original, const queue::Envelope& file, MeshStore& store) {
  StoredRun stored = ClusterRunStore(store.database()).Load(original).value();
  snapshot_ = std::move(stored.snapshot);
  origin_ = {kMainBranch, file.id.ToText(), stored.computed_at, stored.content, original};
  representatives_ = std::move(stored.representatives);
  new_to_main_ = std::move(stored.new_to_main);
  branch_of_original_ = stored.branch;
}

void ClusterStaging::Judge(MeshStore& store, const queue::QueueFile& file) {
  if (snapshot_.watermark != file.envelope.watermark) {
    refusal_ =
        Verdict::Of(Outcome::kRejected, "the run and the header of its file have different watermarks");
    return;
  }
  if (snapshot_.clusters.empty()) {
    refusal_ = Verdict::Of(Outcome::kNoop, "the run found no cluster, so that the active run stays");
    return;
  }
  const BranchView view = BranchView::Of(store.database(), origin_.branch);
  const auto active = ClusterRunStore(store.database()).Active(view, snapshot_.collection);
  if (active && active->content == origin_.content &&
      TrackStore(store.database()).OpenDecisions(view, snapshot_.collection).empty()) {
    refusal_ = Verdict::Of(Outcome::kNoop, "it says what run " +
                                               std::to_string(static_cast<std::int64_t>(active->active)) +
                                               " says, the active one");
  }
}

void ClusterStaging::ListKeys() {
  for (std::size_t i = 0; i < snapshot_.clusters.size(); ++i) {
    for (const SnapshotMember& member : snapshot_.clusters[i].members) {
      keys_.push_back(&member.key);
      places_.push_back({{}, i, static_cast<int>(std::lround(member.strength * kThousand))});
    }
  }
  for (const std::string& key : snapshot_.unclustered) {
    keys_.push_back(&key);
    places_.push_back({});
  }
  representatives_.resize(snapshot_.clusters.size());
}

void ClusterStaging::Step(MeshStore& store, ClusterBooks& books) {
  StoreTransaction transaction(store);
  switch (phase_) {
    case Phase::kBook:
      if (books.Load(store.database(), BranchView::Of(store.database(), origin_.branch),
                     snapshot_.collection))
        phase_ = Phase::kPlaces;
      break;
    case Phase::kPlaces:
      if (origin_.copy_of) {
        ReadOriginal(store);
      } else {
        Resolve(store);
      }
      break;
    case Phase::kMembers:
      if (!run_) run_ = ClusterRunStore(store.database()).Stage(origin_, snapshot_);
      StageMembers(store);
      break;
    case Phase::kDone:
      break;
  }
  transaction.Commit();
  HELIOGRAPH_FAILPOINT(kClusterStaged);
}

void ClusterStaging::Resolve(MeshStore& store) {
  MemberDictionary dictionary(store.database(), store.identities());
  const std::size_t end = std::min(places_.size(), next_ + kRowsAtATime);
  for (; next_ < end; ++next_) {
    const std::string& key = *keys_[next_];
    PlacedMember& place = places_[next_];
    const auto member = dictionary.KeyOf(snapshot_.collection, key);
    if (!member) {
      refusal_ = Verdict::Of(Outcome::kRejected, "the run names " + key + ", which nobody has met");
      return;
    }
    place.member = *member;
    if (place.ordinal && key == snapshot_.clusters[*place.ordinal].representative)
      representatives_[*place.ordinal] = *member;
  }
  if (next_ == places_.size()) Arrange();
}

void ClusterStaging::ReadOriginal(MeshStore& store) {
  const MemberKey last = places_.empty() ? MemberKey{} : places_.back().member;
  const auto members = ClusterRunStore(store.database()).MembersAfter(*origin_.copy_of, last, kRowsAtATime);
  places_.insert(places_.end(), members.begin(), members.end());
  if (members.size() < kRowsAtATime) Arrange();
}

void ClusterStaging::Arrange() {
  proposed_.coverage = snapshot_.coverage;
  proposed_.clusters.resize(snapshot_.clusters.size());
  for (const PlacedMember& place : places_)
    (place.ordinal ? proposed_.clusters[*place.ordinal] : proposed_.unclustered).push_back(place.member);
  for (MemberSet& cluster : proposed_.clusters) std::sort(cluster.begin(), cluster.end());
  std::sort(proposed_.unclustered.begin(), proposed_.unclustered.end());
  next_ = 0;
  phase_ = Phase::kMembers;
}

void ClusterStaging::StageMembers(MeshStore& store) {
  ClusterRunStore runs(store.database());
  const std::size_t end = std::min(places_.size(), next_ + kRowsAtATime);
  for (; next_ < end; ++next_) runs.StageMember(*run_, places_[next_]);
  HELIOGRAPH_FAILPOINT(kClusterStaging);
  if (next_ == places_.size()) phase_ = Phase::kDone;
}

}  // namespace heliograph::ingestor
