#include "server/clusters/job_scheduler.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "server/clusters/unfinished_jobs.h"
#include "server/history/as_of.h"
#include "server/http/problem.h"
#include "server/requests/ledger_outcome.h"

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

std::string BranchIsGone(const ClusterJobOrder& order) {
  return "the branch " + order.line.name + " was deleted meanwhile; the job ends without a run";
}

QueuedRequest RequestOf(const ClusterJob& job) {
  QueuedRequest request;
  request.kind = queue::Kind::kClusterJob;
  request.stream = kJobStream;
  request.payload = EncodeClusterJob(job);
  request.actor = kActor;
  return request;
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
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const EntryPointer& entry : jobs_)
      if (entry->job.state == ClusterJobState::kRunning) entry->stop.request_stop();
  }
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void ClusterJobScheduler::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      const bool did_anything = RunTurn();
      last_failure_.clear();
      if (did_anything) continue;
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
  const bool ended = PublishEnds();
  const bool settled = SettlePublished();
  const bool forgotten = EndUnknown();
  const bool promised = EnqueuePromised();
  return ScheduleDue() || RunNext() || ended || settled || forgotten || promised;
}

/// What is in the queue but may not survive a power cut counts as told: the cut would end this process, too,
/// and the next one ends its jobs.
void ClusterJobScheduler::Tell(const ClusterJob& job) {
  try {
    publisher_.Publish(RequestOf(job));
  } catch (const UncertainRequest& uncertain) {
    spdlog::warn("job {}: {}", job.id.ToText(), uncertain.what());
  }
}

ClusterJobScheduler::EntryPointer ClusterJobScheduler::Unfinished(const ClusterJobOrder& order) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const EntryPointer& entry) {
    return entry->job.branch == order.line.branch_id && entry->job.collection == order.collection &&
           entry->job.kind == order.kind && entry->job.parameters == order.parameters &&
           !IsFinished(entry->job.state);
  });
  return found != jobs_.end() ? *found : nullptr;
}

ClusterJobScheduler::EntryPointer ClusterJobScheduler::EntryOf(const ClusterJobOrder& order) {
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
  return entry;
}

/// REQUIRED: mutex_ is held, as in the next one.
void ClusterJobScheduler::Keep(const EntryPointer& entry) {
  jobs_.push_back(entry);
  const auto is_done = [](const EntryPointer& kept) { return IsFinished(kept->job.state) && !kept->rerun; };
  while (jobs_.size() > kFinishedKept && is_done(jobs_.front())) jobs_.pop_front();
}

void ClusterJobScheduler::Enqueue(const ClusterJobOrder& order) {
  const EntryPointer entry = EntryOf(order);
  Tell(entry->job);
  Keep(entry);
}

JobSubmission ClusterJobScheduler::Submit(const ClusterJobOrder& order) {
  if (const auto objection = settings_.objection ? settings_.objection(order) : std::nullopt)
    throw ProblemError(400, *objection);
  const std::lock_guard lock(mutex_);
  if (const EntryPointer present = Unfinished(order)) {
    // One that only waits will see all that there is; one that runs may have begun too early.
    if (present->job.state == ClusterJobState::kRunning || present->end) present->rerun = order;
    return {ViewOf(*present), true};
  }
  const auto waiting = std::count_if(jobs_.begin(), jobs_.end(),
                                     [](const EntryPointer& entry) { return !IsFinished(entry->job.state); });
  if (waiting >= static_cast<std::ptrdiff_t>(kMostWaiting))
    throw ProblemError(503, "too many cluster jobs wait; try again when some are finished",
                       kRetryAfterSeconds);
  const EntryPointer entry = EntryOf(order);
  publisher_.Publish(RequestOf(entry->job));
  Keep(entry);
  wake_.notify_all();
  return {ViewOf(*entry), false};
}

CancelOutcome ClusterJobScheduler::Cancel(const Ulid& job) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const EntryPointer& entry) { return entry->job.id == job; });
  if (found == jobs_.end()) return CancelOutcome::kUnknown;
  Entry& entry = **found;
  if (IsFinished(entry.job.state) || entry.end) return CancelOutcome::kFinished;
  if (entry.file) return CancelOutcome::kTooLate;
  entry.rerun.reset();
  if (entry.job.state == ClusterJobState::kRunning) {
    entry.stop.request_stop();
    return CancelOutcome::kCancelled;
  }
  WantEnd(entry, ClusterJobState::kCancelled, "", "{}");
  try {
    Tell(*entry.end);
    entry.job = *std::exchange(entry.end, std::nullopt);
  } catch (const std::exception& error) {
    spdlog::warn("that job {} is cancelled waits for the queue: {}", job.ToText(), error.what());
  }
  return CancelOutcome::kCancelled;
}

ClusterJobView ClusterJobScheduler::ViewOf(const Entry& entry) const {
  const auto [stage, share] = entry.progress.Latest();
  const char* const waits = entry.end    ? "waiting for the queue"
                            : entry.file ? "waiting for the ingestor"
                                         : nullptr;
  return {entry.job, entry.order.line.name, waits != nullptr ? waits : stage, share, entry.rerun.has_value()};
}

std::vector<ClusterJobView> ClusterJobScheduler::Jobs() const {
  const std::lock_guard lock(mutex_);
  std::vector<ClusterJobView> views;
  for (auto entry = jobs_.rbegin(); entry != jobs_.rend(); ++entry) views.push_back(ViewOf(**entry));
  return views;
}

/// REQUIRED: mutex_ is held, as long as the entry is one of jobs_.
void ClusterJobScheduler::WantEnd(Entry& entry, ClusterJobState state, std::string_view error,
                                  const std::string& statistics) {
  ClusterJob end = entry.job;
  end.state = state;
  end.finished_at = WallClockNow();
  end.error = state == ClusterJobState::kFailed ? ClusterJobError(error) : "";
  end.statistics = statistics;
  // An end that the ingestor would refuse would be none.
  if (const auto stored = DecodeClusterJob(EncodeClusterJob(end)); !stored) {
    end.state = ClusterJobState::kFailed;
    end.statistics = "{}";
    end.error = ClusterJobError("its end cannot be stored: " + stored.error());
  }
  entry.end = std::move(end);
}

/// Throws what the queue refuses with, and leaves the ends that it did not take for the next time.
bool ClusterJobScheduler::PublishEnds() {
  const std::lock_guard lock(mutex_);
  bool ended = false;
  for (const EntryPointer& entry : jobs_) {
    if (!entry->end) continue;
    Tell(*entry->end);
    entry->job = *std::exchange(entry->end, std::nullopt);
    ended = true;
  }
  return ended;
}

bool ClusterJobScheduler::SettlePublished() {
  EntryPointer waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const EntryPointer& entry : jobs_)
      if (entry->file && !entry->end && !IsFinished(entry->job.state)) waiting = entry;
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
  {
    const std::lock_guard lock(mutex_);
    const LedgerOutcome lost{"lost", "its file has vanished from the queue without an outcome"};
    const auto& [result, reason] = outcome ? *outcome : lost;
    if (result == "applied" || result == "noop") {
      // The ingestor ended its row in the transaction that applied the run.
      waiting->job.state = ClusterJobState::kSucceeded;
      waiting->job.finished_at = WallClockNow();
    } else {
      WantEnd(
          *waiting, ClusterJobState::kFailed,
          has_branch ? "the run was not applied (" + result + "): " + reason : BranchIsGone(waiting->order),
          waiting->job.statistics);
    }
  }
  PublishEnds();
  return true;
}

bool ClusterJobScheduler::EndUnknown() {
  auto left = readers_.Read(UnfinishedJobs);
  bool ended = false;
  for (auto& [job, instance] : left) {
    if (ended_unknown_.contains(job.id.ToText())) continue;
    if (instance == settings_.boot_id) {
      const std::lock_guard lock(mutex_);
      const auto is_it = [&](const EntryPointer& entry) { return entry->job.id == job.id; };
      if (std::any_of(jobs_.begin(), jobs_.end(), is_it)) continue;
    }
    job.state = ClusterJobState::kFailed;
    job.finished_at = WallClockNow();
    job.error = instance == settings_.boot_id
                    ? "interrupted: whoever asked for it was told that it may not have been taken on"
                    : "interrupted: the server that ran it ended";
    Tell(job);
    ended_unknown_.insert(job.id.ToText());
    ended = true;
  }
  return ended;
}

/// Who asked for another run while one ran gets it, whatever became of that one.
bool ClusterJobScheduler::EnqueuePromised() {
  const std::lock_guard lock(mutex_);
  const auto promised = std::find_if(jobs_.begin(), jobs_.end(), [](const EntryPointer& entry) {
    return entry->rerun && IsFinished(entry->job.state);
  });
  if (promised == jobs_.end()) return false;
  const EntryPointer entry = *promised;  // which the deque may forget
  if (!Unfinished(*entry->rerun)) Enqueue(*entry->rerun);
  entry->rerun.reset();
  return true;
}

bool ClusterJobScheduler::ScheduleDue() {
  const auto now = std::chrono::steady_clock::now();
  for (auto& [collection, due] : due_) {
    if (due > now || (settings_.is_ready && !settings_.is_ready(collection))) continue;
    ClusterJobOrder order;
    order.collection = collection;
    order.trigger = ClusterJobTrigger::kSchedule;
    order.requested_by = "schedule";
    const std::lock_guard lock(mutex_);
    const bool is_needed = !Unfinished(order);
    if (is_needed) Enqueue(order);
    due = now + settings_.interval;
    if (is_needed) return true;
  }
  return false;
}

bool ClusterJobScheduler::RunNext() {
  EntryPointer next;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    for (const EntryPointer& entry : jobs_) {
      if (entry->file && !IsFinished(entry->job.state)) return false;
      if (!next && entry->job.state == ClusterJobState::kPending && !entry->end) next = entry;
    }
    if (!next) return false;
    ClusterJob running = next->job;
    running.state = ClusterJobState::kRunning;
    running.started_at = WallClockNow();
    Tell(running);
    next->job = std::move(running);
  }
  CarryOut(*next);
  PublishEnds();
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
  try {
    Conclude(entry, std::move(result));
  } catch (const std::exception& error) {
    WantEnd(entry, ClusterJobState::kFailed,
            std::string("what came of it could not be published: ") + error.what(), "{}");
  }
}

/// REQUIRED: mutex_ is held, as in the next one.
void ClusterJobScheduler::Conclude(Entry& entry, tl::expected<ClusterJobResult, std::string> result) {
  if (entry.stop.stop_requested()) return WantEnd(entry, ClusterJobState::kCancelled, "", "{}");
  if (!result) return WantEnd(entry, ClusterJobState::kFailed, result.error(), "{}");
  if (!result->snapshot) return WantEnd(entry, ClusterJobState::kSucceeded, "", result->statistics);
  if (result->snapshot->clusters.empty())
    return WantEnd(entry, ClusterJobState::kFailed, "the run found no cluster; the active run stays",
                   result->statistics);
  result->snapshot->job = entry.job.id;
  PublishRun(entry, *result);
}

void ClusterJobScheduler::PublishRun(Entry& entry, const ClusterJobResult& result) {
  QueuedRequest request;
  request.kind = queue::Kind::kClusterSnapshot;
  request.stream = StreamOf(result.snapshot->collection);
  request.payload = EncodeClusterSnapshot(*result.snapshot);
  request.branch_id = entry.order.line.branch_id;
  request.epoch = result.epoch;
  request.base_commit_seq = result.base_seq;
  request.watermark = result.snapshot->watermark;
  request.actor = entry.job.trigger == ClusterJobTrigger::kSchedule ? kActor : entry.job.requested_by;
  // The statistics that only the server knows go ahead of the run, whose application ends the job.
  entry.job.statistics = result.statistics;
  Tell(entry.job);
  try {
    entry.file = publisher_.Publish(request);
  } catch (const UncertainRequest& uncertain) {
    // It is there and will be applied, or be lost together with this process.
    entry.file = uncertain.id();
  }
}

}  // namespace heliograph::server
