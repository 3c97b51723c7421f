#include "common/config.h"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/config_environment.h"
#include "common/config_input.h"
#include "common/config_section.h"
#include "common/log.h"
#include "common/mqtt_source_config.h"

namespace heliograph {
namespace {

using config_input::InvalidConfig;
using config_input::kMaxDays;
using config_input::ReadSecret;
using config_input::ReadSection;
using config_input::Refuse;
using config_input::Section;
using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 4 << 20;
// Half the way round the earth.
constexpr int kMostBufferKm = 20'000;

bool IsOnEarth(const GeoPoint& point) {
  return std::abs(point.latitude) <= 90 && std::abs(point.longitude) <= 180;
}

/// A filter that means nothing would let everything pass, and nobody would know.
void CheckPolygon(const GeoFilter& area) {
  if (!area.polygon.empty() && area.polygon.size() < 3)
    Refuse("geo_filter.polygon: needs three corners or more, and has " + std::to_string(area.polygon.size()));
  for (std::size_t i = 0; i < area.polygon.size(); ++i) {
    if (!IsOnEarth(area.polygon[i]))
      Refuse("geo_filter.polygon[" + std::to_string(i) +
             "]: must be [latitude, longitude], from -90 to 90 and from -180 to 180");
  }
  if (!(area.buffer_km >= 0 && area.buffer_km <= kMostBufferKm))
    Refuse("geo_filter.bufferKm: must be from 0 to " + std::to_string(kMostBufferKm));
}

void CheckBox(const GeoBox& box) {
  if (!IsOnEarth({box.min_latitude, box.min_longitude}) || !IsOnEarth({box.max_latitude, box.max_longitude}))
    Refuse("geo_filter: latMin and latMax must be from -90 to 90, lonMin and lonMax from -180 to 180");
  if (box.min_latitude > box.max_latitude || box.min_longitude > box.max_longitude)
    Refuse("geo_filter: latMin must not exceed latMax, nor lonMin lonMax");
}

void ReadGeoFilter(Section& root, Config& config) {
  ReadSection(root, "geo_filter", [&](Section& section) {
    GeoFilter area;
    if (const json* polygon = section.Find("polygon")) {
      const auto is_corner = [](const json& corner) {
        return corner.is_array() && corner.size() == 2 && corner[0].is_number() && corner[1].is_number();
      };
      if (!polygon->is_array() || !std::all_of(polygon->begin(), polygon->end(), is_corner)) {
        Refuse("geo_filter.polygon: must be a list of [latitude, longitude]");
      }
      for (const json& corner : *polygon)
        area.polygon.push_back({corner[0].get<double>(), corner[1].get<double>()});
    }
    std::optional<double> buffer;
    section.ReadNumber("bufferKm", buffer);
    area.buffer_km = buffer.value_or(0);
    CheckPolygon(area);
    std::optional<double> south, north, west, east;
    section.ReadNumber("latMin", south);
    section.ReadNumber("latMax", north);
    section.ReadNumber("lonMin", west);
    section.ReadNumber("lonMax", east);
    if (south && north && west && east) area.box = GeoBox{*south, *north, *west, *east};
    if (!area.box && (south || north || west || east))
      Refuse("geo_filter: a box needs latMin, latMax, lonMin and lonMax, all four");
    if (area.box) CheckBox(*area.box);
    config.geo_filter = std::move(area);
  });
}

void ReadChannels(Section& root, const std::filesystem::path& folder, Config& config) {
  if (const json* keys = root.Find("channelKeys")) {
    if (!keys->is_object()) Refuse("channelKeys: must be an object of names and hexadecimal keys");
    for (const auto& [name, key] : keys->items()) {
      if (!key.is_string())
        Refuse("channelKeys." + Sanitised(name) + ": must be a string of hexadecimal digits");
      config.channel_keys[name] = key.get<std::string>();
    }
  }
  std::string keys_path;
  root.Read("channelKeysPath", keys_path);
  if (!keys_path.empty()) config.channel_keys_path = folder / keys_path;
  root.Read("hashChannels", config.hash_channels);
  root.Read("hashRegions", config.hash_regions);
}

void ReadIngest(Section& root, Config& config) {
  root.Read("observerIATAWhitelist", config.observer_iata_whitelist);
  root.Read("observerBlacklist", config.observer_blacklist);
  ReadGeoFilter(root, config);
  ReadSection(root, "foreignAdverts", [&](Section& section) {
    std::string mode = "flag";
    section.Read("mode", mode);
    if (mode != "flag" && mode != "drop") Refuse("foreignAdverts.mode: must be \"flag\" or \"drop\"");
    config.foreign_adverts = mode == "drop" ? ForeignAdverts::kDrop : ForeignAdverts::kFlag;
  });
  root.Read("validateSignatures", config.validate_signatures);
  root.ReadInteger("ingestBufferSize", config.ingest_buffer_size, 1, 10'000'000);
  ReadSection(root, "commit", [&](Section& section) {
    section.ReadDuration("intervalMs", config.commit_interval, 1, 60'000);
    section.ReadInteger("size", config.commit_size, 1, 1'000'000);
  });
  ReadSection(root, "watchdog", [&](Section& section) {
    section.ReadDuration("silenceSeconds", config.silence_threshold, 1, 7 * 86400);
  });
}

void ReadHousekeeping(Section& root, Config& config) {
  ReadSection(root, "retention", [&](Section& section) {
    section.ReadDays("nodeDays", config.retention.node_days);
    section.ReadDays("observerDays", config.retention.observer_days);
    section.ReadDays("metricsDays", config.retention.metrics_days);
    section.ReadDays("packetDays", config.retention.packet_days);
    section.ReadDays("historyDays", config.retention.history_days);
    section.ReadInteger("historyCommits", config.retention.history_commits, 10, 1'000'000);
  });
  root.ReadInteger("neighborEdgesMaxAgeDays", config.neighbor_edges_max_age_days, 1, kMaxDays);
  ReadSection(root, "neighborGraph", [&](Section& section) {
    std::optional<double> max_edge_km;
    section.ReadNumber("maxEdgeKm", max_edge_km);
    config.neighbor_max_edge_km = max_edge_km.value_or(config.neighbor_max_edge_km);
  });
  ReadSection(root, "metrics", [&](Section& section) {
    section.ReadDuration("sampleIntervalSec", config.metrics_sample_interval, 1, 86400);
  });
  ReadSection(root, "db", [&](Section& section) {
    section.Read("vacuumOnStartup", config.vacuum_on_start);
    section.ReadInteger("incrementalVacuumPages", config.incremental_vacuum_pages, 0, 1'000'000);
  });
}

void ReadServing(Section& root, const std::filesystem::path& folder, Config& config) {
  std::string key_file, level;
  root.Read("apiKey", config.api_key);
  root.Read("apiKeyFile", key_file);
  if (!key_file.empty()) config.api_key = ReadSecret(folder / key_file, "apiKeyFile");
  root.Read("nodeBlacklist", config.node_blacklist);
  root.Read("hiddenNamePrefixes", config.hidden_name_prefixes);
  root.Read("corsAllowedOrigins", config.cors_allowed_origins);
  ReadSection(root, "listLimits", [&](Section& section) {
    section.ReadInteger("packetsMax", config.list_limits.packets, 1, 100'000);
    section.ReadInteger("nodesMax", config.list_limits.nodes, 1, 100'000);
    section.ReadInteger("analyticsMax", config.list_limits.analytics, 1, 100'000);
    section.ReadInteger("channelMessagesMax", config.list_limits.channel_messages, 1, 100'000);
    section.ReadInteger("bulkHealthMax", config.list_limits.bulk_health, 1, 100'000);
  });
  ReadSection(root, "analytics", [&](Section& section) {
    section.ReadDuration("intervalSeconds", config.analytics_interval, 1, 86400);
  });
  ReadSection(root, "clusters", [&](Section& section) {
    std::optional<double> resolution;
    section.ReadDuration("intervalSeconds", config.clusters.interval, 10, 7 * 86400);
    section.ReadNumber("resolution", resolution);
    if (resolution && !(*resolution > 0 && *resolution <= 1000))
      Refuse("clusters.resolution: must be above 0, and 1000 at most");
    config.clusters.resolution = resolution.value_or(config.clusters.resolution);
    section.ReadInteger("runs", config.clusters.runs, 1, 64);
    section.ReadInteger("minSize", config.clusters.min_size, 1, 1000);
    std::string match_rule(Name(config.clusters.match_rule));
    section.Read("matchRule", match_rule);
    const auto parsed = ParseMatchRule(match_rule);
    if (!parsed) Refuse("clusters.matchRule: must be \"memory\" or \"plain-jaccard\"");
    config.clusters.match_rule = *parsed;
  });
  ReadSection(root, "capability",
              [&](Section& section) { section.ReadDays("ageOutDays", config.capability_age_out_days); });
  root.Read("listen", config.listen);
  ReadSection(root, "http", [&](Section& section) {
    section.ReadInteger("maxConnections", config.http.max_connections, 1, 100'000);
    section.ReadInteger("maxStreams", config.http.max_streams, 1, 100'000);
    section.ReadInteger("maxBodyBytes", config.http.max_body_bytes, 1, 1 << 30);
    section.ReadInteger("maxHeaderBytes", config.http.max_header_bytes, 256, 1 << 20);
    section.ReadDuration("requestTimeoutSeconds", config.http.request_timeout, 1, 3600);
    section.ReadDuration("idleTimeoutSeconds", config.http.idle_timeout, 1, 3600);
  });
  root.Read("logLevel", level);
  if (!level.empty()) {
    const std::optional<LogLevel> parsed = ParseLogLevel(level);
    if (!parsed) Refuse("logLevel: must be trace, debug, info, warn or error");
    config.log_level = *parsed;
  }
}

ConfigError MalformedAt(std::string_view text, const json::parse_error& error) {
  const std::size_t offset = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n');
  ConfigError malformed;
  malformed.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  malformed.column = 1 + (line_start == std::string_view::npos ? offset : offset - line_start - 1);
  malformed.message = "line " + std::to_string(malformed.line) + ", column " +
                      std::to_string(malformed.column) + ": this is no JSON; correct the text there";
  return malformed;
}

}  // namespace

tl::expected<LoadedConfig, ConfigError> ParseConfig(std::string_view text,
                                                    const std::filesystem::path& folder) {
  try {
    const json document = json::parse(text);
    LoadedConfig loaded;
    Section root(document, "", loaded.unknown_keys);
    loaded.config.mqtt_sources = config_input::ReadMqttSources(root, folder);
    ReadChannels(root, folder, loaded.config);
    ReadIngest(root, loaded.config);
    ReadHousekeeping(root, loaded.config);
    ReadServing(root, folder, loaded.config);
    root.ReportUnknown();
    return loaded;
  } catch (const json::parse_error& error) {
    return tl::unexpected(MalformedAt(text, error));
  } catch (const InvalidConfig& invalid) {
    return tl::unexpected(invalid.error);
  }
}

tl::expected<LoadedConfig, ConfigError> LoadConfig(const std::optional<std::filesystem::path>& named,
                                                   const std::filesystem::path& fallback,
                                                   const Environment& environment) {
  try {
    std::optional<std::filesystem::path> file = named;
    if (!file) {
      if (const auto value = config_input::Get(environment, config_input::kConfigFileVariable)) file = *value;
    }
    std::error_code ignored;
    if (!file && !fallback.empty() && std::filesystem::exists(fallback, ignored)) file = fallback;
    LoadedConfig loaded;
    if (file) {
      const std::string text = config_input::ReadWhole(*file, kMaxConfigBytes, "configuration");
      auto parsed = ParseConfig(text, file->parent_path());
      if (!parsed) {
        parsed.error().message = file->string() + ": " + parsed.error().message;
        return parsed;
      }
      loaded = std::move(*parsed);
      loaded.file = *file;
    }
    config_input::ApplyOverrides(loaded.config, environment);
    if (auto applied = ApplyCredentials(loaded.config.mqtt_sources, environment); !applied) {
      return tl::unexpected(applied.error());
    }
    return loaded;
  } catch (const InvalidConfig& invalid) {
    return tl::unexpected(invalid.error);
  }
}

}  // namespace heliograph
