#include "ingestor/apply/staged_file.h"

#include <utility>

#include "common/failpoint.h"

namespace heliograph::ingestor {
namespace {

// A piece of work that takes some 50 ms at most.
constexpr std::size_t kRowsAtATime = 5000;

}  // namespace

bool MayBringRuns(queue::Kind kind) {
  return kind == queue::Kind::kClusterSnapshot || kind == queue::Kind::kBranchRequest ||
         kind == queue::Kind::kRevert;
}

StagedFile::StagedFile(std::string name, const queue::QueueFile& file, MeshStore& store)
    : name_(std::move(name)) {
  file_.envelope = file.envelope;
  if (file.envelope.kind == queue::Kind::kClusterSnapshot) {
    runs_.emplace_back(file, store);
    return;
  }
  file_.payload = file.payload;
  const bool is_revert = file.envelope.kind == queue::Kind::kRevert;
  for (const RunKey original : is_revert ? RunsOfRevert(store, file) : RunsOfMerge(store, file))
    runs_.emplace_back(original, file.envelope, store);
}

bool StagedFile::Step(MeshStore& store, ClusterBooks& books) {
  for (ClusterStaging& run : runs_) {
    if (run.IsComplete()) continue;
    if (swept_) {
      run.Step(store, books);
      // What comes of a run is another piece: the writer may store packets before it.
      return run.refusal().has_value();
    }
    StoreTransaction transaction(store);
    swept_ = !ClusterRunStore(store.database()).SweepStaged(kRowsAtATime);
    transaction.Commit();
    HELIOGRAPH_FAILPOINT(kClusterStaged);
    return false;
  }
  return true;
}

}  // namespace heliograph::ingestor
