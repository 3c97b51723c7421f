#include "ingestor/commands.h"

#include <unistd.h>

#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "common/channel_key_config.h"
#include "common/config_environment.h"
#include "common/log.h"
#include "common/stop_signals.h"
#include "dbschema/migrate.h"
#include "ingestor/backup.h"
#include "ingestor/capture_source.h"
#include "ingestor/check.h"
#include "ingestor/corescope_source.h"
#include "ingestor/ingestor.h"
#include "ingestor/mqtt_address.h"
#include "ingestor/mqtt_source.h"
#include "ingestor/status_board.h"
#include "queue/inbox.h"

namespace heliograph::ingestor {
namespace {

// What SIGTERM leaves for draining, of the 10 s that it may take.
constexpr std::chrono::seconds kDrainLimit{7};

struct Arguments {
  std::string data;
  std::optional<std::string> config;
  std::vector<std::string> mqtt, captures;
  bool once = false;
  std::string file;
};

/// The arguments or the configuration make no sense; the message says what to change.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Config LoadSettings(const Arguments& arguments, const Volume& volume) {
  std::optional<std::filesystem::path> named;
  if (arguments.config) named = *arguments.config;
  const auto loaded = LoadConfig(named, volume.root() / "config.json");
  if (!loaded) throw UsageError(loaded.error().message);
  if (const auto keys = LoadChannelKeys(loaded->config); !keys) throw UsageError(keys.error().message);
  InitialiseLog("heliograph-ingestor", loaded->config.log_level);
  for (const std::string& key : loaded->unknown_keys)
    spdlog::warn("{}: `{}` is not known and was ignored", loaded->file.string(), key);
  return loaded->config;
}

/// The brokers to listen to: those of the flags; without any source among the flags, those of the
/// configuration, or the one on this host.
std::vector<MqttSourceConfig> BrokersOf(const Arguments& arguments, const Config& config) {
  std::vector<MqttSourceConfig> brokers;
  for (const std::string& url : arguments.mqtt) {
    auto broker =
        MqttSourceFromUrl(url, brokers.empty() ? "mqtt" : "mqtt" + std::to_string(brokers.size() + 1));
    if (!broker) throw UsageError(broker.error().message);
    brokers.push_back(std::move(*broker));
  }
  if (brokers.empty() && arguments.captures.empty()) brokers = config.mqtt_sources;
  if (brokers.empty() && arguments.captures.empty()) brokers.push_back(LocalMqttSource());
  ApplyTopics(brokers, ProcessEnvironment);
  if (const auto credentials = ApplyCredentials(brokers); !credentials)
    throw UsageError(credentials.error().message);
  return brokers;
}

void ShowProgress(std::uint64_t done, std::uint64_t total) {
  if (total > 0)
    std::cerr << "\rdone " << done * 100 / total << " %" << (done >= total ? "\n" : "") << std::flush;
}

/// ShowProgress for counters of this type, if somebody looks at a terminal.
template <class Count>
std::function<void(Count, Count)> ShownProgress() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [](Count done, Count total) {
    ShowProgress(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total));
  };
}

using Sources = std::vector<std::unique_ptr<Source>>;

/// Connects to nothing yet. The first of the brokers is the first source.
Sources MakeBrokerSources(Ingestor& ingestor, const Config& config, const Volume& volume,
                          const std::vector<MqttSourceConfig>& brokers) {
  Sources sources;
  for (const MqttSourceConfig& broker : brokers) {
    MqttSource::Options options;
    options.volume = {ingestor.InstallationId(),
                      std::filesystem::absolute(volume.root()).lexically_normal().string()};
    options.watchdog.silence = config.silence_threshold;
    if (const auto address = ParseMqttAddress(broker.broker))
      options.away_since = AwaySince(ingestor.store(), broker.name, address->shown);
    sources.push_back(std::make_unique<MqttSource>(
        broker, SourceIndex{static_cast<std::uint16_t>(sources.size())}, options));
  }
  return sources;
}

/// `first` is the index of the first of them.
Sources OpenCaptures(const std::vector<std::string>& captures, std::size_t first) {
  Sources sources;
  for (const std::string& capture : captures) {
    CaptureSource::Options options;
    options.progress = ShownProgress<std::uint64_t>();
    auto source = CaptureSource::Open(
        capture, SourceIndex{static_cast<std::uint16_t>(first + sources.size())}, options);
    if (!source) throw UsageError(source.error());
    sources.push_back(std::move(*source));
  }
  return sources;
}

ExitCode MigrateVolume(const Arguments& arguments) {
  const Volume volume(arguments.data);
  LoadSettings(arguments, volume);
  const VolumeLock lock(volume);
  auto database = dbschema::OpenForWriting(volume.database());
  const auto report = dbschema::Migrate(database);
  if (const auto inbox = queue::Inbox::Open(volume); !inbox) throw std::runtime_error(inbox.error().text);
  std::cout << volume.database().string() << " has schema version " << report.to
            << (report.from == report.to ? ", as before" : ", before it had " + std::to_string(report.from))
            << '\n';
  return ExitCode::kFine;
}

ExitCode Apply(const Arguments& arguments) {
  const Volume volume(arguments.data);
  const Config config = LoadSettings(arguments, volume);
  Ingestor ingestor(volume, config, {});
  ingestor.ApplyOnce();
  return ExitCode::kFine;
}

/// Runs the ingestor on these sources until they are at their end, or it is told to stop.
ExitCode RunSources(Ingestor& ingestor, const std::vector<std::unique_ptr<Source>>& sources, bool until_end,
                    StopSignals& signals) {
  std::atomic<bool> ended = false;
  std::thread watcher([&] {
    while (!ended) {
      if (!signals.Take()) continue;
      spdlog::info("Stopping: what was received is committed first");
      ingestor.RequestStop();
      return;
    }
  });
  bool all_committed = false;
  try {
    all_committed = ingestor.Run(sources, until_end, kDrainLimit);
  } catch (...) {
    ended = true;
    watcher.join();
    throw;
  }
  ended = true;
  watcher.join();
  const IngestCounters& counters = ingestor.store().counters();
  spdlog::info("Stopped. Stored so far: {} transmissions, {} observations; {} receptions were known already",
               counters.transmissions, counters.observations, counters.duplicates);
  return all_committed ? ExitCode::kFine : ExitCode::kFailed;
}

ExitCode Run(const Arguments& arguments) {
  const Volume volume(arguments.data);
  const Config config = LoadSettings(arguments, volume);
  const auto brokers = BrokersOf(arguments, config);
  if (arguments.once && !brokers.empty())
    throw UsageError(
        "--once ends when the sources are at their end, and a broker never is: name only captures with it");
  // Before the volume is touched: a capture that is not there is an error of usage.
  Sources captures = OpenCaptures(arguments.captures, brokers.size());
  StopSignals signals;
  Ingestor ingestor(volume, config, brokers);
  Sources sources = MakeBrokerSources(ingestor, config, volume, brokers);
  std::move(captures.begin(), captures.end(), std::back_inserter(sources));
  spdlog::info("Ready: {} sources, volume {}", sources.size(), volume.root().string());
  return RunSources(ingestor, sources, arguments.once, signals);
}

ExitCode ImportCoreScope(const Arguments& arguments) {
  const Volume volume(arguments.data);
  const Config config = LoadSettings(arguments, volume);
  StopSignals signals;
  Ingestor ingestor(volume, config, {});
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(
      std::make_unique<CoreScopeSource>(arguments.file, SourceIndex{0}, ShownProgress<std::uint64_t>()));
  const ExitCode code = RunSources(ingestor, sources, true, signals);
  const SourceStatus status = sources.front()->Status();
  if (status.last_error) throw std::runtime_error(arguments.file + ": " + *status.last_error);
  if (status.unreadable > 0)
    spdlog::warn("{} observations name no observer or no frame that can be told, and were left out",
                 status.unreadable);
  return code;
}

ExitCode DeriveAgain(const Arguments& arguments) {
  const Volume volume(arguments.data);
  Ingestor ingestor(volume, LoadSettings(arguments, volume), {});
  const ReindexReport report = ingestor.DeriveAgain(ShownProgress<std::int64_t>());
  std::cout << report.transmissions << " transmissions read again, " << report.corrected << " corrected, "
            << report.refused << " refused by the present decoder; " << report.nodes << " nodes\n";
  return ExitCode::kFine;
}

ExitCode CheckVolume(const Arguments& arguments) {
  const CheckReport report = Check(Volume(arguments.data), ShownProgress<std::size_t>());
  for (const std::string& note : report.notes) std::cout << note << '\n';
  for (const std::string& fault : report.faults) std::cout << "FAULT " << fault << '\n';
  if (report.foreign) return ExitCode::kForeign;
  if (!report.well()) return ExitCode::kFailed;
  std::cout << "all is well\n";
  return ExitCode::kFine;
}

ExitCode BackUp(const Arguments& arguments) {
  Backup(Volume(arguments.data), arguments.file, ShownProgress<int>());
  std::cout << "backed up to " << arguments.file << '\n';
  return ExitCode::kFine;
}

ExitCode RestoreVolume(const Arguments& arguments) {
  const Volume volume(arguments.data);
  const VolumeLock lock(volume);
  const RestoreReport report = Restore(volume, arguments.file, ShownProgress<int>());
  if (const auto inbox = queue::Inbox::Open(volume); !inbox) throw std::runtime_error(inbox.error().text);
  std::cout << "restored from " << arguments.file << ", under a new epoch";
  if (report.kept) std::cout << "; the database that was there is kept as " << report.kept->string();
  std::cout << '\n';
  if (report.damage)
    std::cout << "it is kept as it was, with its log beside it, for it could not be opened: "
              << *report.damage << '\n';
  return ExitCode::kFine;
}

ExitCode Guarded(ExitCode (*command)(const Arguments&), const Arguments& arguments) {
  const auto explain = [](const std::exception& error, ExitCode code) {
    std::cerr << "heliograph-ingestor: " << error.what() << '\n';
    return code;
  };
  try {
    return command(arguments);
  } catch (const UsageError& error) {
    return explain(error, ExitCode::kUsage);
  } catch (const VolumeHeld& error) {
    return explain(error, ExitCode::kHeld);
  } catch (const dbschema::ForeignDatabase& error) {
    return explain(error, ExitCode::kForeign);
  } catch (const std::exception& error) {
    return explain(error, ExitCode::kFailed);
  }
}

}  // namespace

ExitCode RunProgram(int argc, const char* const* argv) {
  CLI::App program("The ingestor of Heliograph: the one process that writes the database of a MeshCore mesh");
  program.set_version_flag("--version", HELIOGRAPH_VERSION);
  program.require_subcommand(1);
  Arguments arguments;
  ExitCode (*chosen)(const Arguments&) = nullptr;
  const auto add = [&](const char* name, const char* help, ExitCode (*command)(const Arguments&)) {
    CLI::App* subcommand = program.add_subcommand(name, help);
    subcommand->add_option("--data", arguments.data, "the volume that the two processes share")
        ->envname("HELIOGRAPH_DATA")
        ->required();
    subcommand->callback([&chosen, command] { chosen = command; });
    return subcommand;
  };
  const auto with_config = [&](CLI::App* command) {
    command->add_option("--config", arguments.config,
                        "the configuration file; DIR/config.json when there is one");
    return command;
  };
  CLI::App* run =
      with_config(add("run", "store what the sources deliver, and apply what the server publishes", Run));
  run->add_option("--mqtt", arguments.mqtt, "a broker: mqtt://, mqtts://, ws:// or wss://; may be repeated");
  run->add_option("--capture", arguments.captures,
                  "a capture file of JSON lines, - for standard input; may be repeated");
  run->add_flag("--once", arguments.once, "end when the captures are at their end and all is committed");
  with_config(add("migrate", "bring the database to the schema of this program", MigrateVolume));
  with_config(add("apply", "one pass over the queue and the maintenance tasks, then end", Apply));
  CLI::App* import = program.add_subcommand("import", "take over what another program has stored");
  import->require_subcommand(1);
  CLI::App* corescope = import->add_subcommand("corescope", "the packets of a CoreScope database");
  corescope->add_option("file", arguments.file, "its database file")->required()->check(CLI::ExistingFile);
  corescope->add_option("--data", arguments.data, "the volume that the two processes share")
      ->envname("HELIOGRAPH_DATA")
      ->required();
  corescope->callback([&chosen] { chosen = ImportCoreScope; });
  with_config(corescope);
  with_config(add("reindex", "derive everything again from the stored packets", DeriveAgain));
  add("check", "integrity, schema and queue; ends with 0 only when all is well", CheckVolume);
  add("backup", "copy the database while it is in use", BackUp)
      ->add_option("out", arguments.file, "the file to make")
      ->required();
  add("restore", "put a backup in the place of the database, under a new epoch", RestoreVolume)
      ->add_option("in", arguments.file, "a backup")
      ->required()
      ->check(CLI::ExistingFile);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? ExitCode::kFine : ExitCode::kUsage;
  }
  return Guarded(chosen, arguments);
}

}  // namespace heliograph::ingestor
