#include "server/clusters/job_scheduler.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "server/history/as_of.h"
#include "server/http/problem.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

constexpr const char* kJobStream = "cluster-jobs";
constexpr const char* kActor = "server:cluster-jobs";
constexpr std::size_t kMostWaiting = 16;
constexpr std::size_t kFinishedKept = 100;
constexpr int kRetryAfterSeconds = 30;

std::string StreamOf(ClusterCollection collection) {
  return "clusters-" + std::string(Name(collection));
}

/// The ledger's outcome and reason, or nothing when it has no such row.
std::optional<std::pair<std::string, std::string>> OutcomeOf(ReaderConnection& reader, const Ulid& id) {
  SQLite::Statement& row = reader.Prepared("SELECT outcome, coalesce(reason, '') FROM ledger WHERE id=?");
  row.bind(1, id.ToText());
  if (!row.executeStep()) return std::nullopt;
  return std::pair(row.getColumn(0).getString(), row.getColumn(1).getString());
}

/// Jobs that are not finished in the database and belong to another process.
std::vector<ClusterJob> JobsLeftBy(ReaderConnection& reader, const std::string& boot_id) {
  SQLite::Statement& rows = reader.Prepared(
      "SELECT job_id, collection, kind, trigger_kind, requested_by, parameters, requested_at, started_at, "
      "statistics, branch_id"
      " FROM cluster_jobs WHERE finished_at IS NULL AND instance<>? LIMIT 100");
  rows.bind(1, boot_id);
  std::vector<ClusterJob> jobs;
  while (rows.executeStep()) {
    const auto id = Ulid::Parse(rows.getColumn(0).getString());
    const auto collection = ParseClusterCollection(rows.getColumn(1).getString());
    const auto kind = ParseClusterJobKind(rows.getColumn(2).getString());
    const auto trigger = ParseClusterJobTrigger(rows.getColumn(3).getString());
    if (!id || !collection || !kind || !trigger) continue;
    ClusterJob job;
    job.id = *id;
    job.collection = *collection;
    job.kind = *kind;
    job.trigger = *trigger;
    job.requested_by = rows.getColumn(4).getString();
    job.parameters = rows.getColumn(5).getString();
    job.requested_at = TimeOf(rows.getColumn(6));
    job.started_at = OptionalTimeOf(rows.getColumn(7));
    job.statistics = rows.getColumn(8).getString();
    job.branch = rows.getColumn(9).getInt64();
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string BranchIsGone(const ClusterJobOrder& order) {
  return "the branch " + order.line.name + " was deleted meanwhile; the job ends without a run";
}

}  // namespace

ClusterJobScheduler::ClusterJobScheduler(ComputeClusters compute, RequestPublisher& publisher,
                                         ReaderPool& readers, Settings settings)
    : compute_(std::move(compute)), publisher_(publisher), readers_(readers), settings_(std::move(settings)) {
  for (const ClusterCollection collection : settings_.scheduled)
    due_[collection] = std::chrono::steady_clock::now() + settings_.first_after;
}

ClusterJobScheduler::~ClusterJobScheduler() {
  Stop();
}

void ClusterJobScheduler::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

void ClusterJobScheduler::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (const EntryPointer& entry : jobs_)
      if (entry->job.state == ClusterJobState::kRunning) entry->stop.request_stop();
  }
  thread_.join();
}

void ClusterJobScheduler::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      if (RunTurn()) continue;
    } catch (const std::exception& error) {
      // The database or the queue cannot be used just now: what failed is tried again, and told once.
      if (last_failure_ != error.what()) spdlog::warn("cluster jobs wait: {}", error.what());
      last_failure_ = error.what();
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, settings_.look, [] { return false; });
  }
}

bool ClusterJobScheduler::RunTurn() {
  const bool ended = EndJobsOfOtherBoots();
  const bool settled = SettlePublished();
  return ScheduleDue() || RunNext() || settled || ended;
}

void ClusterJobScheduler::PublishJob(const ClusterJob& job) {
  QueuedRequest request;
  request.kind = queue::Kind::kClusterJob;
  request.stream = kJobStream;
  request.payload = EncodeClusterJob(job);
  request.actor = kActor;
  publisher_.Publish(request);
}

ClusterJobScheduler::EntryPointer ClusterJobScheduler::Unfinished(const ClusterJobOrder& order) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const EntryPointer& entry) {
    return entry->job.branch == order.line.branch_id && entry->job.collection == order.collection &&
           entry->job.kind == order.kind && entry->job.parameters == order.parameters &&
           !IsFinished(entry->job.state);
  });
  return found != jobs_.end() ? *found : nullptr;
}

ClusterJobScheduler::EntryPointer ClusterJobScheduler::Enqueue(const ClusterJobOrder& order) {
  auto entry = std::make_shared<Entry>();
  entry->order = order;
  entry->job.requested_at = WallClockNow();
  entry->job.id = Ulid::Generate(entry->job.requested_at);
  entry->job.collection = order.collection;
  entry->job.kind = order.kind;
  entry->job.state = ClusterJobState::kPending;
  entry->job.trigger = order.trigger;
  entry->job.branch = order.line.branch_id;
  entry->job.requested_by = order.requested_by;
  entry->job.parameters = order.parameters;
  PublishJob(entry->job);
  jobs_.push_back(entry);
  const auto is_finished = [](const EntryPointer& kept) { return IsFinished(kept->job.state); };
  while (jobs_.size() > kFinishedKept && is_finished(jobs_.front())) jobs_.pop_front();
  return entry;
}

JobSubmission ClusterJobScheduler::Submit(const ClusterJobOrder& order) {
  const std::lock_guard lock(mutex_);
  if (const EntryPointer present = Unfinished(order)) {
    // One that only waits will see all that there is; one that runs may have begun too early.
    if (present->job.state == ClusterJobState::kRunning) present->rerun = true;
    return {ViewOf(*present), true};
  }
  const auto waiting = std::count_if(jobs_.begin(), jobs_.end(),
                                     [](const EntryPointer& entry) { return !IsFinished(entry->job.state); });
  if (waiting >= static_cast<std::ptrdiff_t>(kMostWaiting))
    throw ProblemError(503, "too many cluster jobs wait; try again when some are finished",
                       kRetryAfterSeconds);
  const EntryPointer entry = Enqueue(order);
  wake_.notify_all();
  return {ViewOf(*entry), false};
}

CancelOutcome ClusterJobScheduler::Cancel(const Ulid& job) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const EntryPointer& entry) { return entry->job.id == job; });
  if (found == jobs_.end()) return CancelOutcome::kUnknown;
  Entry& entry = **found;
  if (IsFinished(entry.job.state)) return CancelOutcome::kFinished;
  if (entry.file) return CancelOutcome::kTooLate;
  entry.rerun = false;
  if (entry.job.state == ClusterJobState::kRunning) {
    entry.stop.request_stop();
  } else {
    End(entry, ClusterJobState::kCancelled, "", "{}");
  }
  return CancelOutcome::kCancelled;
}

ClusterJobView ClusterJobScheduler::ViewOf(const Entry& entry) const {
  const auto [stage, share] = entry.progress.Latest();
  return {entry.job, entry.order.line.name, entry.file ? "waiting for the ingestor" : stage, share,
          entry.rerun};
}

std::vector<ClusterJobView> ClusterJobScheduler::Jobs() const {
  const std::lock_guard lock(mutex_);
  std::vector<ClusterJobView> views;
  for (auto entry = jobs_.rbegin(); entry != jobs_.rend(); ++entry) views.push_back(ViewOf(**entry));
  return views;
}

/// REQUIRED: mutex_ is held.
void ClusterJobScheduler::End(Entry& entry, ClusterJobState state, const std::string& error,
                              const std::string& statistics) {
  ClusterJob ended = entry.job;
  ended.state = state;
  ended.finished_at = WallClockNow();
  ended.error = error;
  ended.statistics = statistics;
  // What the queue does not take now leaves the job as it is; the next look ends it.
  PublishJob(ended);
  entry.job = std::move(ended);
}

bool ClusterJobScheduler::SettlePublished() {
  EntryPointer waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const EntryPointer& entry : jobs_)
      if (entry->file && !IsFinished(entry->job.state)) waiting = entry;
  }
  if (!waiting) return false;
  // In this order: a file that is taken meanwhile is in the ledger before it leaves the queue.
  const bool in_queue = publisher_.IsPending(*waiting->file);
  bool has_branch = true;
  const auto outcome = readers_.Read([&](ReaderConnection& reader) {
    has_branch = LiveBranch(reader, waiting->order.line.branch_id).has_value();
    return OutcomeOf(reader, *waiting->file);
  });
  if (!outcome && in_queue) return false;
  const std::lock_guard lock(mutex_);
  const std::string result = outcome ? outcome->first : "lost";
  if (result == "applied" || result == "noop") {
    // The ingestor ended its row in the transaction that applied the run.
    waiting->job.state = ClusterJobState::kSucceeded;
    waiting->job.finished_at = WallClockNow();
  } else {
    const std::string reason =
        outcome ? outcome->second : "its file has vanished from the queue without an outcome";
    End(*waiting, ClusterJobState::kFailed,
        has_branch ? "the run was not applied (" + result + "): " + reason : BranchIsGone(waiting->order),
        waiting->job.statistics);
  }
  if (waiting->rerun) {
    waiting->rerun = false;
    Enqueue(waiting->order);
  }
  return true;
}

bool ClusterJobScheduler::EndJobsOfOtherBoots() {
  auto left = readers_.Read([&](ReaderConnection& reader) { return JobsLeftBy(reader, settings_.boot_id); });
  bool ended = false;
  for (ClusterJob& job : left) {
    if (ended_for_others_.contains(job.id.ToText())) continue;
    job.state = ClusterJobState::kFailed;
    job.finished_at = WallClockNow();
    job.error = "interrupted: the server that ran it ended";
    PublishJob(job);
    ended_for_others_.insert(job.id.ToText());
    ended = true;
  }
  return ended;
}

bool ClusterJobScheduler::ScheduleDue() {
  const auto now = std::chrono::steady_clock::now();
  for (auto& [collection, due] : due_) {
    if (due > now || (settings_.is_ready && !settings_.is_ready(collection))) continue;
    due = now + settings_.interval;
    ClusterJobOrder order;
    order.collection = collection;
    order.trigger = ClusterJobTrigger::kSchedule;
    order.requested_by = "schedule";
    const std::lock_guard lock(mutex_);
    if (Unfinished(order)) continue;
    Enqueue(order);
    return true;
  }
  return false;
}

bool ClusterJobScheduler::RunNext() {
  EntryPointer next;
  {
    const std::lock_guard lock(mutex_);
    for (const EntryPointer& entry : jobs_) {
      if (entry->file && !IsFinished(entry->job.state)) return false;
      if (!next && entry->job.state == ClusterJobState::kPending) next = entry;
    }
    if (!next) return false;
    ClusterJob running = next->job;
    running.state = ClusterJobState::kRunning;
    running.started_at = WallClockNow();
    PublishJob(running);
    next->job = std::move(running);
  }
  CarryOut(*next);
  return true;
}

void ClusterJobScheduler::SetLine(Entry& entry, const BranchLine& line) {
  const std::lock_guard lock(mutex_);
  entry.order.line = line;
}

void ClusterJobScheduler::CarryOut(Entry& entry) {
  tl::expected<ClusterJobResult, std::string> result = tl::unexpected(std::string("nothing was computed"));
  try {
    const auto is_live = [&] {
      const auto line = readers_.Read(
          [&](ReaderConnection& reader) { return LiveBranch(reader, entry.order.line.branch_id); });
      if (line) SetLine(entry, *line);
      return line.has_value();
    };
    if (is_live()) result = compute_(entry.order, entry.progress, entry.stop.get_token());
    if (!is_live()) result = tl::unexpected(BranchIsGone(entry.order));
  } catch (const std::exception& error) {
    result = tl::unexpected(std::string(error.what()));
  }
  const std::lock_guard lock(mutex_);
  if (entry.stop.stop_requested()) return End(entry, ClusterJobState::kCancelled, "", "{}");
  if (!result) return End(entry, ClusterJobState::kFailed, result.error(), "{}");
  entry.job.statistics = result->statistics;
  if (!result->snapshot) {
    End(entry, ClusterJobState::kSucceeded, "", result->statistics);
  } else if (result->snapshot->clusters.empty()) {
    End(entry, ClusterJobState::kFailed, "the run found no cluster; the active run stays",
        result->statistics);
  } else {
    result->snapshot->job = entry.job.id;
    return PublishRun(entry, *result->snapshot);
  }
  if (std::exchange(entry.rerun, false)) Enqueue(entry.order);
}

/// REQUIRED: mutex_ is held.
void ClusterJobScheduler::PublishRun(Entry& entry, const ClusterSnapshot& snapshot) {
  QueuedRequest request;
  request.kind = queue::Kind::kClusterSnapshot;
  request.stream = StreamOf(snapshot.collection);
  request.payload = EncodeClusterSnapshot(snapshot);
  request.branch_id = entry.order.line.branch_id;
  request.base_commit_seq = entry.order.line.head_seq;
  request.watermark = snapshot.watermark;
  request.actor = entry.job.trigger == ClusterJobTrigger::kSchedule ? kActor : entry.job.requested_by;
  try {
    // The statistics that only the server knows go ahead of the run, whose application ends the job.
    PublishJob(entry.job);
    entry.file = publisher_.Publish(request);
  } catch (const ProblemError& error) {
    End(entry, ClusterJobState::kFailed, std::string("the run could not be published: ") + error.what(),
        entry.job.statistics);
  }
}

}  // namespace heliograph::server
