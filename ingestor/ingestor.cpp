#include "ingestor/ingestor.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <spdlog/spdlog.h>

#include "common/failpoint.h"
#include "common/ulid.h"
#include "dbschema/data_move.h"
#include "dbschema/migrate.h"
#include "ingestor/maintenance/cluster_retention.h"
#include "ingestor/maintenance/history_retention.h"
#include "ingestor/pipeline.h"
#include "ingestor/run_control.h"
#include "ingestor/status_board.h"
#include "ingestor/writer.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kControlPeriod{50};
constexpr milliseconds kDataMoveBudget{20};
// How long files that cannot be read yet hold new packets back at the start.
constexpr seconds kRecoveryPatience{5};

std::unique_ptr<MeshStore> OpenStore(const Volume& volume, const Config& config) {
  auto database = dbschema::OpenForWriting(volume.database());
  HELIOGRAPH_FAILPOINT(kIngestorOpened);
  const auto report = dbschema::Migrate(database);
  if (report.from != report.to)
    spdlog::info("The database is migrated from schema version {} to {}", report.from, report.to);
  dbschema::ReopenFailedMoves(database);
  if (config.vacuum_on_start) {
    spdlog::info(
        "The database is being compacted, as db.vacuumOnStartup asks; packets wait until it is done");
    database.exec("VACUUM");
  }
  database.exec("INSERT OR IGNORE INTO meta VALUES ('installation', lower(hex(randomblob(16))))");
  MeshStore::Options options;
  options.metrics_sample_interval = config.metrics_sample_interval;
  return std::make_unique<MeshStore>(std::move(database), std::move(options));
}

RetentionRules RulesOf(const Config& config) {
  RetentionRules rules;
  rules.node_days = config.retention.node_days;
  rules.observer_days = config.retention.observer_days;
  rules.metrics_days = config.retention.metrics_days;
  rules.packet_days = config.retention.packet_days;
  rules.history_days = config.retention.history_days;
  rules.history_commits = config.retention.history_commits;
  rules.capability_age_out_days = config.capability_age_out_days;
  rules.vacuum_pages = config.incremental_vacuum_pages;
  return rules;
}

StepOutcome MoveData(SQLite::Database& database) {
  const bool pending =
      database.execAndGet("SELECT count(*) FROM data_move WHERE state IN ('pending', 'running')").getInt() >
      0;
  if (!pending) return StepOutcome::kNothingToDo;
  switch (dbschema::RunDataMoves(database, dbschema::ReleasedDataMoves(), kDataMoveBudget)) {
    case dbschema::MoveOutcome::kMoreToDo:
      return StepOutcome::kMore;
    case dbschema::MoveOutcome::kFailed:
      throw std::runtime_error("a move of data failed; the table data_move says why");
    case dbschema::MoveOutcome::kNothingToDo:
      break;
  }
  return StepOutcome::kDone;
}

/// What each source calls itself; those that call themselves the same are numbered, for the name is the key
/// of their row.
std::vector<std::string> NamesOf(const std::vector<std::unique_ptr<Source>>& sources) {
  std::vector<std::string> names;
  for (const auto& source : sources) {
    const std::string own = source->Status().name;
    std::string name = own;
    for (int number = 2; std::find(names.begin(), names.end(), name) != names.end(); ++number)
      name = own + " (" + std::to_string(number) + ")";
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<SourceStatus> StatusOf(const std::vector<std::unique_ptr<Source>>& sources,
                                   const std::vector<std::string>& names) {
  std::vector<SourceStatus> statuses;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    statuses.push_back(sources[i]->Status());
    statuses.back().name = names[i];
  }
  return statuses;
}

}  // namespace

Ingestor::Ingestor(const Volume& volume, const Config& config,
                   const std::vector<MqttSourceConfig>& mqtt_sources)
    : volume_(volume),
      config_(config),
      started_at_(WallClockNow()),
      lock_(volume),
      store_(OpenStore(volume, config)) {
  boot_id_ = Ulid::Generate(started_at_).ToText();
  auto inbox = queue::Inbox::Open(volume_);
  if (!inbox) throw std::runtime_error("The queue cannot be used: " + inbox.error().text);
  inbox_ = std::make_unique<queue::Inbox>(std::move(*inbox));
  watch_ = std::make_unique<queue::InboxWatch>(volume_);
  if (!watch_->degraded_because().empty())
    spdlog::warn("The queue is looked into every 2 s only, for it cannot be watched: {}",
                 watch_->degraded_because());
  auto settings = Preparer::SettingsOf(config_, mqtt_sources);
  if (!settings) throw std::runtime_error(settings.error());
  preparer_ = std::make_unique<Preparer>(std::move(*settings));
  applier_ = std::make_unique<QueueApplier>(
      *store_, *inbox_,
      QueueApplier::Options{config_.capability_age_out_days, boot_id_,
                            [this](const Receipt& receipt) { return preparer_->Prepare(receipt); },
                            [this] { return stop_requested_.load(); }});
  ticker_ = std::make_unique<MaintenanceTicker>(*store_, Tasks(), MaintenanceTicker::Clock::now());
  RecoverQueue();
}

void Ingestor::RecoverQueue() {
  // Ids that a power cut took back are given again to new packets. What was computed from them must be judged
  // before.
  applier_->SetRecovering(true);
  const auto deadline = std::chrono::steady_clock::now() + kRecoveryPatience;
  std::size_t dealt_with = 0, failed = 0;
  while (true) {
    const auto report = applier_->Run();
    dealt_with += report.dealt_with;
    failed += report.failed;
    if (report.waiting == 0 && !report.more && !report.unfinished) break;
    if (report.dealt_with > 0 || report.unfinished) continue;
    if (std::chrono::steady_clock::now() >= deadline) {
      spdlog::error("{} queue files cannot be dealt with now; they are tried again while packets come in",
                    report.waiting);
      break;
    }
    std::this_thread::sleep_for(kControlPeriod);
  }
  applier_->SetRecovering(false);
  if (dealt_with > 0)
    spdlog::info("{} queue files were waiting and are dealt with, {} of them set aside", dealt_with, failed);
}

std::vector<MaintenanceTask> Ingestor::Tasks() {
  const RetentionRules rules = RulesOf(config_);
  MeshStore& store = *store_;
  std::vector<MaintenanceTask> tasks;
  const auto add = [&](std::string name, seconds period, seconds first_after,
                       std::function<StepOutcome()> step) {
    tasks.push_back({std::move(name), period, first_after, std::move(step)});
  };
  add("data_moves", seconds(5), seconds(0), [&store] { return MoveData(store.database()); });
  add("inactive_nodes", hours(1), seconds(5),
      [&store, rules] { return RetireNodes(store, rules, WallClockNow()); });
  add("inactive_observers", hours(1), seconds(15),
      [&store, rules] { return RetireObservers(store, rules, WallClockNow()); });
  add("observer_metrics", hours(24), seconds(30),
      [&store, rules] { return PruneSamples(store, rules, WallClockNow()); });
  add("dropped_packets", hours(24), seconds(45),
      [&store, rules] { return PruneDropped(store, rules, WallClockNow()); });
  add("packets", hours(24), minutes(1), [&store, rules, cursor = std::int64_t{0}]() mutable {
    return PrunePackets(store, rules, WallClockNow(), cursor);
  });
  add("change_log", minutes(15), minutes(2),
      [&store, rules] { return PruneFeed(store, rules, WallClockNow()); });
  add("history", minutes(15), minutes(2) + seconds(30),
      [&store, rules] { return PruneHistory(store, rules, WallClockNow()); });
  add("ledger", hours(24), minutes(3), [&store, rules] { return PruneLedger(store, rules, WallClockNow()); });
  add("capability_age", hours(1), seconds(20),
      [&store, rules] { return AgeOutCapability(store, rules, WallClockNow()); });
  add("cluster_runs", hours(1), seconds(150), [this, &store] {
    return applier_->IsStaging() ? StepOutcome::kNothingToDo : PruneClusterRuns(store, WallClockNow());
  });
  add("cluster_jobs", hours(24), seconds(210), [&store] { return PruneClusterJobs(store, WallClockNow()); });
  add("free_pages", hours(1), minutes(4), [&store, rules] {
    return store.ReturnFreePages(rules.vacuum_pages) ? StepOutcome::kMore : StepOutcome::kDone;
  });
  add("checkpoint", hours(1), minutes(5), [&store] {
    store.Checkpoint();
    return StepOutcome::kDone;
  });
  return tasks;
}

ReindexReport Ingestor::DeriveAgain(const ReindexProgress& progress) {
  return Reindex(
      *store_, [this](const PreparedPacket& stored) { return preparer_->Interpret(stored); }, progress);
}

void Ingestor::ApplyOnce() {
  while (applier_->Run().unfinished) {
  }
  ticker_->RunAll();
}

std::string Ingestor::InstallationId() const {
  return dbschema::ReadMeta(store_->database(), "installation");
}

bool Ingestor::Run(const std::vector<std::unique_ptr<Source>>& sources, bool until_end, seconds drain_limit) {
  Pipeline::Options options;
  options.capacity = config_.ingest_buffer_size;
  Pipeline pipeline([this](const Receipt& receipt) { return preparer_->Prepare(receipt); }, options);
  const std::vector<std::string> names = NamesOf(sources);
  store_->NameSources(names);
  StatusBoard board(*store_, boot_id_, started_at_);
  Writer writer(
      {*store_, pipeline, *applier_, *watch_, *ticker_, board, [&] { return StatusOf(sources, names); }},
      {config_.commit_interval, config_.commit_size});
  std::size_t left = 0;
  {
    RunControl control(sources, pipeline, stop_requested_, until_end, drain_limit);
    left = writer.Run(control.give_up()) + pipeline.Depth();
    control.Finish();
  }
  if (left > 0)
    spdlog::error(
        "{} received messages could not be committed in time; what a broker holds for us comes again", left);
  while (until_end && !stop_requested_ && applier_->Run().unfinished) {
  }
  board.WriteLast(StatusOf(sources, names), StatusBoard::Clock::now());
  return left == 0;
}

}  // namespace heliograph::ingestor
