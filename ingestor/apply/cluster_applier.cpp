#include <nlohmann/json.hpp>

#include "ingestor/apply/applier.h"
#include "ingestor/apply/run_application.h"
#include "ingestor/apply/staged_file.h"
#include "ingestor/store/cluster_job_store.h"

namespace heliograph::ingestor {
namespace {

/// A run that is not applied ends its job all the same.
void EndJob(const ApplyContext& context, const ClusterSnapshot& snapshot, const Verdict& refusal) {
  if (!snapshot.job) return;
  ClusterJobStore jobs(context.store.database());
  const std::string job = snapshot.job->ToText();
  if (refusal.outcome == Outcome::kNoop && !snapshot.clusters.empty()) {
    jobs.Succeed(job, std::nullopt, R"({"unchanged":true})", context.now);
  } else {
    jobs.Fail(job, refusal.reason, context.now);
  }
}

}  // namespace

Verdict ApplyClusterSnapshot(const ApplyContext& context, const queue::QueueFile& file) {
  ClusterStaging& staging = context.staged->runs().front();
  const ClusterSnapshot& snapshot = staging.snapshot();
  if (const auto& refusal = staging.refusal()) {
    EndJob(context, snapshot, *refusal);
    return *refusal;
  }
  SQLite::Database& database = context.store.database();
  const queue::Envelope& envelope = file.envelope;
  const BranchView view = BranchView::Of(database, BranchId{envelope.branch_id});
  RunApplication application(context, envelope, view, staging);
  LineageNumbers numbers = TrackStore(database).NextNumbers();
  application.Match(numbers);
  CommitFacts facts{
      view.branch,         "snapshot",           envelope.stream,    envelope.actor,
      envelope.created_at, envelope.id.ToText(), envelope.watermark, ToHexLower(envelope.payload_sha256)};
  application.CountInto(facts);
  const CommitSeq commit = context.store.commits().Begin(facts, context.now);
  application.Write(commit);
  context.store.commits().MoveHead(view.branch, commit);
  Verdict verdict = Verdict::Of(Outcome::kApplied, application.Summary());
  verdict.commit = commit;
  verdict.result = application.Statistics().dump();
  // After the commit's own row in the feed, which is the last of its block.
  if (snapshot.job)
    ClusterJobStore(database).Succeed(snapshot.job->ToText(), staging.run(), *verdict.result, context.now);
  return verdict;
}

}  // namespace heliograph::ingestor
