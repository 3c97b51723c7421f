#include "ingestor/run_control.h"

#include <algorithm>
#include <optional>

namespace heliograph::ingestor {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPeriod{20};

}  // namespace

RunControl::RunControl(const std::vector<std::unique_ptr<Source>>& sources, Pipeline& pipeline,
                       const std::atomic<bool>& stop_requested, bool until_end,
                       std::chrono::seconds drain_limit)
    : sources_(sources),
      pipeline_(pipeline),
      stop_requested_(stop_requested),
      until_end_(until_end),
      drain_limit_(drain_limit) {
  try {
    for (const auto& source : sources_) source->Start(pipeline_);
    watcher_ = std::thread([this] { Watch(); });
  } catch (...) {
    GiveUp();
    EndSources();
    throw;
  }
}

RunControl::~RunControl() {
  if (!watcher_.joinable()) return;
  GiveUp();
  watcher_.join();
}

void RunControl::Finish() {
  writer_ended_ = true;
  watcher_.join();
}

bool RunControl::AllAtEnd() const {
  return until_end_ &&
         std::all_of(sources_.begin(), sources_.end(), [](const auto& s) { return s->AtEnd(); });
}

void RunControl::EndSources() {
  // At once, for each may wait for its broker.
  std::vector<std::thread> stoppers;
  for (const auto& source : sources_) stoppers.emplace_back([&source] { source->Stop(); });
  for (std::thread& stopper : stoppers) stopper.join();
}

void RunControl::GiveUp() {
  give_up_ = true;
  pipeline_.Stop();
}

void RunControl::Watch() {
  const auto ended = [this] { return writer_ended_ || give_up_; };
  while (!ended() && !stop_requested_ && !AllAtEnd()) std::this_thread::sleep_for(kPeriod);
  // The intake closes after the sources have ended, so that what they hold is taken too; but a source that
  // waits for the writer must not hold the end up for ever.
  std::thread closer([this] {
    EndSources();
    pipeline_.CloseIntake();
  });
  std::optional<Clock::time_point> deadline;
  while (!ended()) {
    if (stop_requested_ && !deadline) deadline = Clock::now() + drain_limit_;
    if (deadline && Clock::now() >= *deadline) GiveUp();
    std::this_thread::sleep_for(kPeriod);
  }
  // A writer that ended early leaves sources behind that wait for room.
  if (!pipeline_.IsDrained()) pipeline_.Stop();
  closer.join();
}

}  // namespace heliograph::ingestor
