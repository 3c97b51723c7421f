#include "server/analytics/cycle.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

#include "common/time.h"
#include "server/analytics/readiness_material.h"

namespace heliograph::server {
namespace {

using Result = StreamReport::Result;

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

/// Runs `compute`, and puts its time and what goes wrong into the report.
template <typename Report, typename Compute>
Report Timed(Compute&& compute) {
  const auto begin = std::chrono::steady_clock::now();
  Report report;
  try {
    report = compute();
  } catch (const std::exception& error) {  // unavailable, deadline, SQLite's own, or no memory
    report = {};
    report.result = Result::kFailed;
    report.text = error.what();
  }
  report.ended_at = WallClockNow();
  report.duration = Since(begin);
  return report;
}

}  // namespace

std::string_view Name(StreamReport::Result result) {
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
      settings_(settings),
      capability_({queue::Kind::kMultibyteSnapshot, kMultibyteStream, "capability snapshot",
                   settings.supersede_pending},
                  publisher, readers) {}

AnalyticsCycle::~AnalyticsCycle() {
  Stop();
}

void AnalyticsCycle::Add(std::string name, Part part) {
  parts_.push_back({std::move(name), std::move(part), {}});
}

CycleReport AnalyticsCycle::RunOnce() {
  const std::lock_guard cycle(cycle_mutex_);
  const auto report = Timed<CycleReport>([this] { return AssessCapability(); });
  {
    const std::lock_guard lock(report_mutex_);
    latest_ = report;
  }
  Log(report);
  RunParts();
  return report;
}

CycleReport AnalyticsCycle::AssessCapability() {
  auto assessment = assess_();
  CycleReport report;
  if (!assessment) {
    report.text = "the packets have not all been read yet";
    return report;
  }
  report = Summarise(*assessment);
  capability_.Settle(assessment->epoch);
  const auto readiness = AssessReadiness(*assessment, report);
  report.readiness_changed =
      readiness && (!assessment->stored_readiness ||
                    DiffersForStorage(*assessment->stored_readiness, readiness->readiness));
  if (assessment->changed == 0 && !report.readiness_changed) {
    report.result = Result::kUnchanged;
    report.text = "nothing changed";
    return report;
  }
  const StreamReport offered =
      capability_.Offer({assessment->epoch, assessment->watermark, assessment->head_seq}, [&] {
        MultibyteSnapshot snapshot{assessment->computed};
        if (readiness) snapshot.readiness = readiness->readiness;
        return EncodeMultibyteSnapshot(snapshot);
      });
  report.result = offered.result;
  report.id = offered.id;
  report.text = offered.text;
  return report;
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

void AnalyticsCycle::RunParts() {
  for (AddedPart& part : parts_) {
    auto report = Timed<StreamReport>([&] { return part.run(stop_.get_token()); });
    {
      const std::lock_guard lock(report_mutex_);
      part.latest = std::move(report);
    }
    Log(part);
  }
}

void AnalyticsCycle::Log(const CycleReport& report) {
  if (report.result == Result::kPublished) {
    spdlog::info("capability: {} confirmed, {} suspected, {} unknown; readiness in {} ms; {}",
                 report.confirmed, report.suspected, report.unknown, report.readiness_duration.count(),
                 report.text);
  } else if (report.result == Result::kFailed) {
    spdlog::warn("the analytics cycle failed: {}", report.text);
  } else if (report.result == Result::kPending && logged_ != Result::kPending) {
    spdlog::info("the analytics cycle {}", report.text);
  }
  logged_ = report.result;
}

void AnalyticsCycle::Log(AddedPart& part) {
  if (part.latest.result == Result::kFailed) {
    spdlog::warn("{}: the analytics cycle failed: {}", part.name, part.latest.text);
  } else if (part.latest.result == Result::kPublished ||
             (part.latest.result == Result::kPending && part.logged != Result::kPending)) {
    spdlog::info("{}: {}", part.name, part.latest.text);
  }
  part.logged = part.latest.result;
}

void AnalyticsCycle::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(std::move(stop)); });
}

void AnalyticsCycle::Stop() {
  stop_.request_stop();
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

StreamReport AnalyticsCycle::LatestOf(std::string_view name) const {
  const std::lock_guard lock(report_mutex_);
  for (const AddedPart& part : parts_) {
    if (part.name == name) return part.latest;
  }
  return {};
}

void AnalyticsCycle::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const CycleReport report = RunOnce();
    const auto time = report.result == Result::kNotComplete ? settings_.first_look : settings_.interval;
    std::unique_lock lock(pause_mutex_);
    pause_.wait_for(lock, stop, time, [] { return false; });
  }
}

}  // namespace heliograph::server
