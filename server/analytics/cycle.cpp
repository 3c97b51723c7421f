#include "server/analytics/cycle.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "server/analytics/readiness_material.h"

namespace heliograph::server {
namespace {

constexpr const char* kActor = "server:analytics";

using Result = CycleReport::Result;

CycleReport Summarise(const CapabilityAssessment& assessment) {
  CycleReport report;
  report.assessed = true;
  report.watermark = assessment.watermark;
  report.changed = assessment.changed;
  for (const CapabilityEntry& entry : assessment.computed) {
    std::size_t& count = entry.status == CapabilityStatus::kConfirmed   ? report.confirmed
                         : entry.status == CapabilityStatus::kSuspected ? report.suspected
                                                                        : report.unknown;
    ++count;
  }
  return report;
}

std::chrono::milliseconds Since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

CycleReport With(CycleReport report, Result result, std::string text) {
  report.result = result;
  report.text = std::move(text);
  return report;
}

/// The ledger's outcome and reason, or nothing when it has no such row.
std::optional<std::pair<std::string, std::string>> OutcomeOf(ReaderConnection& connection, const Ulid& id) {
  SQLite::Statement& row =
      connection.Prepared("SELECT outcome, coalesce(reason, '') FROM ledger WHERE id = ?");
  row.bind(1, id.ToText());
  if (!row.executeStep()) return std::nullopt;
  return std::pair(row.getColumn(0).getString(), row.getColumn(1).getString());
}

}  // namespace

std::string_view Name(CycleReport::Result result) {
  switch (result) {
    case Result::kPublished:
      return "published";
    case Result::kUnchanged:
      return "unchanged";
    case Result::kPending:
      return "pending";
    case Result::kNotComplete:
      return "not_complete";
    case Result::kFailed:
      break;
  }
  return "failed";
}

AnalyticsCycle::AnalyticsCycle(Assess assess, queue::Publisher& publisher, ReaderPool& readers,
                               Settings settings)
    : assess_(std::move(assess)),
      publisher_(publisher),
      readers_(readers),
      settings_(settings),
      ledger_(publisher, readers) {}

AnalyticsCycle::~AnalyticsCycle() {
  Stop();
}

CycleReport AnalyticsCycle::RunOnce() {
  const std::lock_guard cycle(cycle_mutex_);
  const auto begin = std::chrono::steady_clock::now();
  CycleReport report;
  try {
    report = Compute();
  } catch (const std::exception& error) {  // unavailable, deadline, SQLite's own, or no memory
    report = With({}, Result::kFailed, error.what());
  }
  report.ended_at = WallClockNow();
  report.duration = Since(begin);
  const std::lock_guard lock(report_mutex_);
  latest_ = report;
  return report;
}

CycleReport AnalyticsCycle::Compute() {
  auto assessment = assess_();
  if (!assessment) return With({}, Result::kNotComplete, "the packets have not all been read yet");
  CycleReport report = Summarise(*assessment);
  ledger_.Observe(assessment->epoch);
  SettleLast();
  const auto readiness = AssessReadiness(*assessment, report);
  report.readiness_changed =
      readiness && (!assessment->stored_readiness ||
                    DiffersForStorage(*assessment->stored_readiness, readiness->readiness));
  if (assessment->changed == 0 && !report.readiness_changed)
    return With(std::move(report), Result::kUnchanged, "nothing changed");
  if (const auto outstanding = FindOutstanding(*assessment)) {
    report.id = outstanding->id;
    return With(std::move(report), outstanding->result, outstanding->text);
  }
  return Publish(*assessment, readiness.get(), std::move(report));
}

/// Null when there is nothing to assess. What was assessed from the same packets and commits stays.
std::shared_ptr<const AssessedReadiness> AnalyticsCycle::AssessReadiness(CapabilityAssessment& assessment,
                                                                         CycleReport& report) {
  if (!assessment.material) return nullptr;
  const auto before = Readiness();
  if (before && before->epoch == assessment.epoch && before->watermark == assessment.watermark &&
      before->head_seq == assessment.head_seq)
    return before;
  const auto begin = std::chrono::steady_clock::now();
  auto assessed = std::make_shared<AssessedReadiness>();
  assessed->epoch = assessment.epoch;
  assessed->watermark = assessment.watermark;
  assessed->head_seq = assessment.head_seq;
  assessed->readiness = Rounded(AssessSwitch(BuildReadinessInput(*assessment.material)));
  assessment.material.reset();
  report.readiness_duration = Since(begin);
  const std::lock_guard lock(report_mutex_);
  readiness_ = assessed;
  return assessed;
}

/// Looks for the outcome of the last file, so that one that was refused is not taken for one that was stored.
void AnalyticsCycle::SettleLast() {
  if (!last_ || last_settled_) return;
  // In this order: a file leaves `new` only after its outcome is in the ledger.
  const auto waits = publisher_.Holds(last_->id);
  const auto outcome =
      readers_.Read([&](ReaderConnection& connection) { return OutcomeOf(connection, last_->id); });
  if (!outcome) {
    if (!waits || *waits) return;
    spdlog::warn("the capability snapshot {} has vanished from the queue without an outcome",
                 last_->id.ToText());
    last_.reset();
  }
  last_settled_ = true;
  if (!outcome) return;
  const auto& [name, reason] = *outcome;
  const bool refused = name == "rejected" || name == "wrong_epoch" || name == "stale" || name == "conflict";
  if (!refused) return;
  spdlog::warn("the capability snapshot {} was not stored: {} {}", last_->id.ToText(), name, reason);
  // The same again would only be refused again, unless the database is another by now.
  if (name == "wrong_epoch" || name == "stale") last_.reset();
}

std::optional<CycleReport> AnalyticsCycle::FindOutstanding(const CapabilityAssessment& assessment) {
  const auto waiting = publisher_.Outstanding(kMultibyteStream);
  if (!waiting) return With({}, Result::kFailed, waiting.error().text);
  if (waiting->empty()) return std::nullopt;
  const queue::Envelope& newest = waiting->back().envelope;
  if (settings_.supersede_pending &&
      (newest.epoch != assessment.epoch || newest.watermark < assessment.watermark))
    return std::nullopt;
  CycleReport report =
      With({}, Result::kPending, "skipped: " + waiting->back().name + " still waits for the ingestor");
  report.id = newest.id;
  return report;
}

CycleReport AnalyticsCycle::Publish(const CapabilityAssessment& assessment,
                                    const AssessedReadiness* readiness, CycleReport report) {
  MultibyteSnapshot snapshot{assessment.computed};
  if (readiness != nullptr) snapshot.readiness = readiness->readiness;
  std::string payload = EncodeMultibyteSnapshot(snapshot);
  if (last_ && last_->epoch == assessment.epoch && last_->payload == payload) {
    report.id = last_->id;
    return With(std::move(report), Result::kUnchanged, "nothing changed since the last snapshot");
  }
  queue::EnvelopeFields fields;
  fields.kind = queue::Kind::kMultibyteSnapshot;
  fields.stream = kMultibyteStream;
  fields.epoch = assessment.epoch;
  fields.base_commit_seq = assessment.head_seq;
  fields.watermark = assessment.watermark;
  fields.actor = kActor;
  fields.created_at = WallClockNow();
  const auto published = publisher_.Publish(fields, payload);
  if (!published && !published.error().file)
    return With(std::move(report), Result::kFailed, published.error().text);
  const queue::PublishedFile& file = published ? *published : *published.error().file;
  last_ = Published{file.id, assessment.epoch, std::move(payload)};
  last_settled_ = false;
  report.id = file.id;
  return With(std::move(report), Result::kPublished, "published " + file.name);
}

void AnalyticsCycle::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void AnalyticsCycle::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

std::shared_ptr<const AssessedReadiness> AnalyticsCycle::Readiness() const {
  const std::lock_guard lock(report_mutex_);
  return readiness_;
}

CycleReport AnalyticsCycle::Latest() const {
  const std::lock_guard lock(report_mutex_);
  return latest_;
}

void AnalyticsCycle::Run(std::stop_token stop) {
  Result before = Result::kNotComplete;
  while (!stop.stop_requested()) {
    const CycleReport report = RunOnce();
    if (report.result == Result::kPublished) {
      spdlog::info("capability: {} confirmed, {} suspected, {} unknown; readiness in {} ms; {}",
                   report.confirmed, report.suspected, report.unknown, report.readiness_duration.count(),
                   report.text);
    } else if (report.result == Result::kFailed) {
      spdlog::warn("the analytics cycle failed: {}", report.text);
    } else if (report.result == Result::kPending && before != Result::kPending) {
      spdlog::info("the analytics cycle {}", report.text);
    }
    before = report.result;
    const auto time = report.result == Result::kNotComplete ? settings_.first_look : settings_.interval;
    std::unique_lock lock(pause_mutex_);
    pause_.wait_for(lock, stop, time, [] { return false; });
  }
}

}  // namespace heliograph::server
