#include "server/commands.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "common/log.h"
#include "common/ulid.h"
#include "queue/publisher.h"
#include "server/analytics/clusters/mesh_clustering.h"
#include "server/analytics/cycle.h"
#include "server/analytics/neighbors/neighbor_analysis.h"
#include "server/routes/visibility.h"
#include "server/state/follower.h"
#include "server/state/readiness_gate.h"

namespace heliograph::server {
namespace {

constexpr std::chrono::milliseconds kProgressPeriod{500};
constexpr std::uint64_t kMaxReadErrors = 100;  // some ten seconds of trying again

struct Arguments {
  std::string data;
  std::optional<std::string> config;
  std::optional<std::string> listen;
  bool insecure_writes = false;
};

void AddCommonArguments(CLI::App& command, Arguments& arguments) {
  command.add_option("--data", arguments.data, "the volume that the two processes share")
      ->envname("HELIOGRAPH_DATA")
      ->required();
  command.add_option("--config", arguments.config,
                     "the configuration file; DIR/config.json when there is one");
}

/// Prints the report; what the command ends with when the database is not ready.
ExitCode Explain(const GateReport& report, const std::filesystem::path& database) {
  if (report.state == GateState::kReady) {
    std::cout << "ready: " << database.string() << " has version " << report.version << '\n';
    return ExitCode::kFine;
  }
  const bool refused = report.state == GateState::kRefused;
  std::cout << (refused ? "refused: " : "not ready: ") << database.string() << '\n';
  for (const std::string& item : report.missing) std::cout << "  " << item << '\n';
  if (!refused) std::cout << "start heliograph-ingestor on this volume: it creates what is missing\n";
  return refused ? ExitCode::kForeign : ExitCode::kFailed;
}

/// Waits for the first complete view; shows on a terminal how far it has come.
bool WaitUntilComplete(const Follower& follower) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto complete = [](const MeshView& view) { return view.progress == AnalyticsProgress::kComplete; };
  bool shown = false;
  while (!follower.WaitFor(complete, {}, kProgressPeriod)) {
    if (follower.ended()) return false;
    if (follower.statistics().read_errors > kMaxReadErrors)
      throw std::runtime_error("the database cannot be read; the log says why");
    const auto view = follower.Current();
    if (!terminal || !view) continue;
    std::cerr << "\rread up to observation " << view->watermark << ", " << view->totals.observations
              << " in all";
    shown = true;
  }
  if (shown) std::cerr << '\n';
  return true;
}

void Print(const CycleReport& report) {
  std::cout << report.text << '\n'
            << "nodes: " << report.confirmed << " confirmed, " << report.suspected << " suspected, "
            << report.unknown << " unknown; " << report.changed << " differ from the database; watermark "
            << report.watermark << '\n';
}

}  // namespace

ExitCode RunCheck(const CommandOptions& options) {
  ReadinessGate gate(options.volume.database());
  return Explain(gate.Look(), options.volume.database());
}

ExitCode RunAnalyze(const CommandOptions& options) {
  auto publisher = queue::Publisher::Open(options.volume, Ulid::Generate(WallClockNow()).ToText());
  if (!publisher) {
    std::cerr << publisher.error().text << '\n';
    return publisher.error().fault == queue::OpenPublisherError::Fault::kHeldByAnother ? ExitCode::kHeld
                                                                                       : ExitCode::kFailed;
  }
  ReadinessGate gate(options.volume.database());
  if (const GateReport report = gate.Look(); report.state != GateState::kReady)
    return Explain(report, options.volume.database());

  ReaderPool readers(options.volume.database());
  Follower::Settings following;
  following.limits.capability_age_out_days = options.config.capability_age_out_days;
  Follower follower(options.volume.database(), gate, readers, following);
  follower.Start();
  if (!WaitUntilComplete(follower)) return Explain(gate.Look(), options.volume.database());
  AnalyticsCycle::Settings settings;
  settings.supersede_pending = true;
  AnalyticsCycle cycle([&] { return follower.Assess(); }, **publisher, readers, settings);
  NeighborBoard board;
  NeighborAnalysis neighbors([&] { return follower.Neighbors(RulesOf(options.config)); },
                             [&] { return follower.Current()->data_time; }, **publisher, readers, board,
                             true);
  cycle.Add(kNeighborStream, [&](std::stop_token stop) { return neighbors.Run(std::move(stop)); });
  const MeshJobs mesh_jobs(
      [&] { return follower.Current(); }, board, readers, MeshDivisionOf(options.config),
      [visibility = Visibility(options.config)](const PublicKey& key, const NodeView* node) {
        return visibility.Shows(key, node);
      });
  MeshClustering clustering(mesh_jobs, **publisher, readers, true);
  cycle.Add(kMeshClusterStream, [&](std::stop_token stop) { return clustering.Run(std::move(stop)); });
  const CycleReport report = cycle.RunOnce();
  Print(report);
  bool failed = report.result == StreamReport::Result::kFailed;
  for (const char* stream : {kNeighborStream, kMeshClusterStream}) {
    const StreamReport part = cycle.LatestOf(stream);
    std::cout << stream << ": " << part.text << '\n';
    failed = failed || part.result == StreamReport::Result::kFailed;
  }
  return failed ? ExitCode::kFailed : ExitCode::kFine;
}

ExitCode RunProgram(int argc, const char* const* argv) {
  CLI::App program("The server of Heliograph: analytics and HTTP for a MeshCore mesh");
  program.set_version_flag("--version", HELIOGRAPH_VERSION);
  program.require_subcommand(1);
  Arguments arguments;
  CLI::App* run = program.add_subcommand("run", "serve HTTP, and publish what the mesh can do");
  CLI::App* analyze = program.add_subcommand("analyze", "one analytics cycle: compute, publish, end");
  CLI::App* check = program.add_subcommand("check", "is the database ready; if not, what is missing");
  for (CLI::App* command : {run, analyze, check}) AddCommonArguments(*command, arguments);
  run->add_option("--listen", arguments.listen, "HOST:PORT; port 0 lets the kernel pick one");
  run->add_flag("--insecure-writes", arguments.insecure_writes,
                "let requests change something without the API key; on a loopback address only");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? ExitCode::kFine : ExitCode::kUsage;
  }

  CommandOptions options;
  options.volume = Volume(arguments.data);
  options.insecure_writes = arguments.insecure_writes;
  std::optional<std::filesystem::path> named;
  if (arguments.config) named = *arguments.config;
  const auto loaded = LoadConfig(named, options.volume.root() / "config.json");
  if (!loaded) {
    std::cerr << loaded.error().message << '\n';
    return ExitCode::kUsage;
  }
  options.config = loaded->config;
  if (arguments.listen) options.config.listen = *arguments.listen;
  InitialiseLog("heliograph-server", options.config.log_level);
  for (const std::string& key : loaded->unknown_keys)
    spdlog::warn("{}: `{}` is not known and was ignored", loaded->file.string(), key);

  try {
    if (*run) {
      // Either process may be the first on a volume.
      std::filesystem::create_directories(options.volume.root());
      return RunService(options);
    }
    if (*analyze) return RunAnalyze(options);
    return RunCheck(options);
  } catch (const std::exception& error) {
    std::cerr << "heliograph-server: " << error.what() << '\n';
    return ExitCode::kFailed;
  }
}

}  // namespace heliograph::server
