#include "ingestor/apply/neighbor_staging.h"

#include <algorithm>
#include <map>

#include "common/failpoint.h"

namespace heliograph::ingestor {
namespace {

// A piece of work that takes some 50 ms at most.
constexpr std::size_t kEdgesAtATime = 4000;

/// True when all but the keys of the nodes is equal.
bool SaysTheSame(NeighborEdge edge, const NeighborEdge& stored) {
  edge.a = stored.a;
  edge.b = stored.b;
  return edge == stored;
}

}  // namespace

NeighborStaging::NeighborStaging(std::string name, const queue::QueueFile& file, MeshStore& store)
    : name_(std::move(name)) {
  auto snapshot = DecodeNeighborSnapshot(file.payload);
  if (!snapshot) {
    refusal_ = Verdict::Of(Outcome::kRejected, snapshot.error());
  } else if (file.envelope.branch_id != static_cast<std::int64_t>(kMainBranch)) {
    refusal_ = Verdict::Of(Outcome::kRejected, "neighbors have no branches: branch_id must be 1");
  } else {
    snapshot_ = std::move(*snapshot);
    Compare(store);
  }
}

void NeighborStaging::Compare(MeshStore& store) {
  std::map<Ends, NeighborEdge> stored = NeighborStore(store.database()).All();
  for (const NeighborEdge& edge : snapshot_.edges) {
    const auto a = store.identities().Find(edge.a), b = store.identities().Find(edge.b);
    if (!a || !b) {
      ++unknown_;
      continue;
    }
    const auto known = stored.extract({*a, *b});
    if (!known.empty() && SaysTheSame(edge, known.mapped())) continue;
    ++(known.empty() ? added_ : changed_);
    puts_.push_back({{*a, *b}, &edge});
  }
  for (const auto& [ends, edge] : stored) removals_.push_back(ends);
}

void NeighborStaging::Apply(MeshStore& store, std::size_t end) {
  NeighborStore neighbors(store.database());
  for (; done_ < end; ++done_) {
    if (done_ == removals_.size()) HELIOGRAPH_FAILPOINT(kApplyMiddleOfRows);
    if (done_ < removals_.size()) {
      neighbors.Remove(removals_[done_]);
    } else {
      const auto& [ends, edge] = puts_[done_ - removals_.size()];
      neighbors.Put(ends, *edge);
    }
  }
}

bool NeighborStaging::Step(MeshStore& store) {
  if (size() - done_ <= kEdgesAtATime) return true;
  StoreTransaction transaction(store);
  Apply(store, done_ + kEdgesAtATime);
  transaction.Commit();
  return false;
}

Verdict NeighborStaging::Finish(MeshStore& store) {
  if (refusal_) return *refusal_;
  const std::string unknown =
      unknown_ > 0 ? ", " + std::to_string(unknown_) + " name a node that was never met" : "";
  if (size() == 0) return Verdict::Of(Outcome::kNoop, "no edge differs" + unknown);
  Apply(store, size());
  return Verdict::Of(Outcome::kDone, std::to_string(added_) + " edges new, " + std::to_string(changed_) +
                                         " changed, " + std::to_string(removals_.size()) + " gone" + unknown);
}

}  // namespace heliograph::ingestor
