#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "common/cluster_snapshot.h"
#include "common/geo_filter.h"

namespace heliograph {

/// One broker: an element of `mqttSources`.
struct MqttSourceConfig {
  std::string name;    ///< unique among the sources; it appears in logs and in the status
  std::string broker;  ///< mqtt://, mqtts://, ws:// or wss://, without any password
  std::string username;
  std::string password;             ///< from `password`, or read from the file that `passwordFile` names
  bool reject_unauthorized = true;  ///< false: the broker's certificate is not checked
  std::filesystem::path ca_file;    ///< `caFile`: trusted instead of the system's roots
  std::vector<std::string> topics = {"meshcore/#"};
  std::vector<std::string> iata_filter;  ///< packets of other regions are dropped; empty: none is
  std::chrono::seconds connect_timeout{30};
  std::string region;  ///< stands for the IATA where a topic says XXX, the firmware's placeholder
  std::string
      client_id;  ///< `clientId`; empty: derived from the name and the volume, and so the same on every start
  int qos =
      1;  ///< of the subscription, 0 or 1; with 2 a message could be lost that was received but not stored

  bool operator==(const MqttSourceConfig&) const = default;
};

/// `foreignAdverts.mode`: what becomes of an advert from outside the area.
enum class ForeignAdverts { kFlag, kDrop };

/// `retention`, in days. Nothing means "never", which the file writes as 0 (observers: -1).
struct RetentionConfig {
  std::optional<int> node_days = 7;  ///< until a silent node moves to inactive_nodes
  std::optional<int> observer_days = 14;
  std::optional<int> metrics_days = 30;
  std::optional<int> packet_days;
  std::optional<int> history_days = 30;  ///< how long a state can be asked for as of a commit
  int history_commits = 200;             ///< of the capability stream, however old

  bool operator==(const RetentionConfig&) const = default;
};

/// `listLimits`: the largest page of each list.
struct ListLimits {
  int packets = 10000;
  int nodes = 2000;
  int analytics = 200;
  int channel_messages = 500;
  int bulk_health = 200;

  bool operator==(const ListLimits&) const = default;
};

/// `http`: what one connection may cost the server.
struct HttpLimits {
  int max_connections = 1024;
  int max_streams = 1024;  ///< event streams, which are not among the connections
  std::int64_t max_body_bytes = 4 << 20;
  std::int64_t max_header_bytes = 16 << 10;
  std::chrono::seconds request_timeout{10};
  std::chrono::seconds idle_timeout{30};

  bool operator==(const HttpLimits&) const = default;
};

/// `clusters`: how the mesh is divided.
struct ClusterConfig {
  std::chrono::seconds interval{900};         ///< `intervalSeconds`: between two runs
  double resolution = 1.5;                    ///< larger: more and smaller clusters
  int runs = 8;                               ///< passes that have to agree
  std::size_t min_size = 3;                   ///< `minSize`: a smaller group is no cluster
  MatchRule match_rule = MatchRule::kMemory;  ///< `matchRule`: how clusters are recognised from run to run

  bool operator==(const ClusterConfig&) const = default;
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };

/// What both processes are told. The members of the JSON file that CoreScope knows keep their names and
/// meaning; each comment names those that differ from the member's name here. A default-constructed Config is
/// the default.
struct Config {
  std::vector<MqttSourceConfig> mqtt_sources;        ///< `mqttSources`, or the older `mqtt {broker, topic}`
  std::map<std::string, std::string> channel_keys;   ///< `channelKeys`: name to hexadecimal key
  std::filesystem::path channel_keys_path;           ///< `channelKeysPath`
  std::vector<std::string> hash_channels;            ///< `hashChannels`
  std::vector<std::string> hash_regions;             ///< `hashRegions`
  std::vector<std::string> observer_iata_whitelist;  ///< `observerIATAWhitelist`; empty: all are allowed
  std::vector<std::string> observer_blacklist;       ///< `observerBlacklist`: observer ids in any case
  GeoFilter geo_filter;                              ///< `geo_filter`; everything passes by default
  ForeignAdverts foreign_adverts = ForeignAdverts::kFlag;
  bool validate_signatures = true;
  RetentionConfig retention;
  int neighbor_edges_max_age_days = 5;
  double neighbor_max_edge_km = 500;                  ///< `neighborGraph.maxEdgeKm`; below 0: any distance
  std::chrono::seconds metrics_sample_interval{300};  ///< `metrics.sampleIntervalSec`
  bool vacuum_on_start = false;                       ///< `db.vacuumOnStartup`
  int incremental_vacuum_pages = 1024;                ///< `db.incrementalVacuumPages`
  std::size_t ingest_buffer_size = 50000;             ///< `ingestBufferSize`, in messages

  std::string api_key;  ///< from `apiKey`, or read from the file that `apiKeyFile` names
  std::vector<std::string> node_blacklist;
  std::vector<std::string> hidden_name_prefixes;
  std::vector<std::string> cors_allowed_origins;
  ListLimits list_limits;

  std::chrono::milliseconds commit_interval{100};  ///< `commit.intervalMs`
  std::size_t commit_size = 10000;                 ///< `commit.size`, in messages
  std::chrono::seconds analytics_interval{60};     ///< `analytics.intervalSeconds`
  ClusterConfig clusters;
  std::optional<int> capability_age_out_days;   ///< `capability.ageOutDays`; 0 in the file: never
  std::chrono::seconds silence_threshold{300};  ///< `watchdog.silenceSeconds`: of a connected broker
  std::string listen = "127.0.0.1:8080";
  HttpLimits http;
  LogLevel log_level = LogLevel::kInfo;  ///< `logLevel`

  bool operator==(const Config&) const = default;
};

/// Why a configuration can't be used, in words for a person: the file, the place in it, and what to do.
struct ConfigError {
  std::string message;
  std::size_t line = 0;    ///< of malformed JSON, from 1; 0 when the position means nothing
  std::size_t column = 0;  ///< in bytes, from 1
};

struct LoadedConfig {
  Config config;
  std::filesystem::path file;             ///< empty when there was none
  std::vector<std::string> unknown_keys;  ///< dotted paths; they were ignored, which deserves a warning
};

/// Reads a variable of the environment; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The environment of this process.
std::optional<std::string> ProcessEnvironment(std::string_view name);

/// The configuration that JSON text states, without the environment. Relative paths in it are taken from
/// `folder`. Files that the text names (passwords, the API key) are read.
tl::expected<LoadedConfig, ConfigError> ParseConfig(std::string_view json,
                                                    const std::filesystem::path& folder);

/// The configuration of a process: the file, overridden by the environment. The file is `named` if given,
/// else what HELIOGRAPH_CONFIG names, else `fallback`; only the fallback may be missing, and then the
/// defaults hold. EnvironmentVariables() lists what is read from `environment`.
tl::expected<LoadedConfig, ConfigError> LoadConfig(const std::optional<std::filesystem::path>& named,
                                                   const std::filesystem::path& fallback,
                                                   const Environment& environment = ProcessEnvironment);

/// Gives each source that has no user name or password of its own those of HELIOGRAPH_MQTT_USERNAME,
/// _PASSWORD and _PASSWORD_FILE. LoadConfig does it for the sources of the file; it is for those that came
/// from flags.
tl::expected<void, ConfigError> ApplyCredentials(std::vector<MqttSourceConfig>& sources,
                                                 const Environment& environment = ProcessEnvironment);

struct EnvironmentVariable {
  std::string_view name;
  std::string_view meaning;
};

/// Every variable that LoadConfig looks at, for the usage text.
const std::vector<EnvironmentVariable>& EnvironmentVariables();

/// The source that a broker's URL alone describes, named `name`. An error for another scheme, for a URL
/// without a host and for one with a password in it, which would show in the list of processes; a user name
/// is taken.
tl::expected<MqttSourceConfig, ConfigError> MqttSourceFromUrl(std::string_view url, std::string name);

/// What the file meant by no source at all: a broker on this host.
MqttSourceConfig LocalMqttSource();

}  // namespace heliograph
