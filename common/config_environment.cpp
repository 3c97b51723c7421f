#include "common/config_environment.h"

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "common/config_input.h"
#include "common/log.h"
#include "common/mqtt_source_config.h"

namespace heliograph {
namespace config_input {
namespace {

template <typename Integer>
void SetInteger(Integer& out, const std::string& text, const std::string& name, std::int64_t least,
                std::int64_t most) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > most) {
    Refuse(name + ": must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  out = static_cast<Integer>(value);
}

bool ParseBool(const std::string& text, const std::string& name) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  Refuse(name + ": must be true or false");
}

void ReplaceSources(Config& config, const std::string& urls) {
  config.mqtt_sources.clear();
  for (const std::string& url : SplitList(urls)) {
    MqttSourceConfig source;
    source.name =
        config.mqtt_sources.empty() ? "env" : "env" + std::to_string(config.mqtt_sources.size() + 1);
    SetBroker(source, url, "HELIOGRAPH_MQTT");
    config.mqtt_sources.push_back(std::move(source));
  }
}

constexpr std::string_view kTopicsVariable = "HELIOGRAPH_MQTT_TOPICS";

void SetTopics(std::vector<MqttSourceConfig>& sources, const std::string& topics) {
  for (MqttSourceConfig& source : sources) source.topics = SplitList(topics);
}

/// A variable and what it does to the configuration.
struct Override {
  EnvironmentVariable variable;
  void (*apply)(Config& config, const std::string& value);
};

/// In the order in which they apply.
const Override kOverrides[] = {
    {{"HELIOGRAPH_LOG_LEVEL", "trace, debug, info, warn or error"},
     [](Config& config, const std::string& value) {
       const std::optional<LogLevel> level = ParseLogLevel(value);
       if (!level) Refuse("HELIOGRAPH_LOG_LEVEL: must be trace, debug, info, warn or error");
       config.log_level = *level;
     }},
    {{"HELIOGRAPH_MQTT", "addresses of brokers, joined by commas, in place of all in the file"},
     ReplaceSources},
    {{kTopicsVariable, "topics for all brokers, joined by commas"},
     [](Config& config, const std::string& value) { SetTopics(config.mqtt_sources, value); }},
    {{"HELIOGRAPH_INGEST_BUFFER_SIZE", "messages between receipt and writer"},
     [](Config& config, const std::string& value) {
       SetInteger(config.ingest_buffer_size, value, "HELIOGRAPH_INGEST_BUFFER_SIZE", 1, 10'000'000);
     }},
    {{"HELIOGRAPH_COMMIT_INTERVAL_MS", "longest time between receipt and commit"},
     [](Config& config, const std::string& value) {
       std::int64_t count = 0;
       SetInteger(count, value, "HELIOGRAPH_COMMIT_INTERVAL_MS", 1, 60'000);
       config.commit_interval = std::chrono::milliseconds(count);
     }},
    {{"HELIOGRAPH_COMMIT_SIZE", "most messages of one commit"},
     [](Config& config, const std::string& value) {
       SetInteger(config.commit_size, value, "HELIOGRAPH_COMMIT_SIZE", 1, 1'000'000);
     }},
    {{"HELIOGRAPH_VALIDATE_SIGNATURES", "true or false"},
     [](Config& config, const std::string& value) {
       config.validate_signatures = ParseBool(value, "HELIOGRAPH_VALIDATE_SIGNATURES");
     }},
    {{"HELIOGRAPH_CHANNEL_KEYS_PATH", "a JSON file of channel names and keys"},
     [](Config& config, const std::string& value) { config.channel_keys_path = value; }},
    {{"HELIOGRAPH_ANALYTICS_INTERVAL_SECONDS", "time between analytics cycles"},
     [](Config& config, const std::string& value) {
       std::int64_t count = 0;
       SetInteger(count, value, "HELIOGRAPH_ANALYTICS_INTERVAL_SECONDS", 1, 86400);
       config.analytics_interval = std::chrono::seconds(count);
     }},
    {{"HELIOGRAPH_LISTEN", "HOST:PORT of the server"},
     [](Config& config, const std::string& value) { config.listen = value; }},
    {{"HELIOGRAPH_CORS_ALLOWED_ORIGINS", "origins, joined by commas"},
     [](Config& config, const std::string& value) { config.cors_allowed_origins = SplitList(value); }},
    {{"HELIOGRAPH_API_KEY", "the key for requests that change something"},
     [](Config& config, const std::string& value) { config.api_key = value; }},
    {{"HELIOGRAPH_API_KEY_FILE", "a file that holds the key"},
     [](Config& config, const std::string& value) {
       config.api_key = ReadSecret(value, "HELIOGRAPH_API_KEY_FILE");
     }},
};

constexpr EnvironmentVariable kConfigVariable = {kConfigFileVariable, "the configuration file"};
constexpr EnvironmentVariable kUsernameVariable = {"HELIOGRAPH_MQTT_USERNAME",
                                                   "user name for brokers that have none of their own"};
constexpr EnvironmentVariable kPasswordVariable = {"HELIOGRAPH_MQTT_PASSWORD",
                                                   "password for brokers that have none of their own"};
constexpr EnvironmentVariable kPasswordFileVariable = {"HELIOGRAPH_MQTT_PASSWORD_FILE",
                                                       "a file that holds it"};

}  // namespace

std::optional<std::string> Get(const Environment& environment, std::string_view name) {
  std::optional<std::string> value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

void ApplyOverrides(Config& config, const Environment& environment) {
  for (const Override& override : kOverrides) {
    if (const auto value = Get(environment, override.variable.name)) override.apply(config, *value);
  }
}

}  // namespace config_input

std::optional<std::string> ProcessEnvironment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void ApplyTopics(std::vector<MqttSourceConfig>& sources, const Environment& environment) {
  if (const auto topics = config_input::Get(environment, config_input::kTopicsVariable))
    config_input::SetTopics(sources, *topics);
}

tl::expected<void, ConfigError> ApplyCredentials(std::vector<MqttSourceConfig>& sources,
                                                 const Environment& environment) {
  try {
    const std::optional<std::string> username =
        config_input::Get(environment, config_input::kUsernameVariable.name);
    std::optional<std::string> password =
        config_input::Get(environment, config_input::kPasswordVariable.name);
    if (const auto file = config_input::Get(environment, config_input::kPasswordFileVariable.name);
        file && !password) {
      password = config_input::ReadSecret(*file, std::string(config_input::kPasswordFileVariable.name));
    }
    for (MqttSourceConfig& source : sources) {
      if (source.username.empty() && username) source.username = *username;
      if (source.password.empty() && password) source.password = *password;
    }
    return {};
  } catch (const config_input::InvalidConfig& invalid) {
    return tl::unexpected(invalid.error);
  }
}

const std::vector<EnvironmentVariable>& EnvironmentVariables() {
  static const std::vector<EnvironmentVariable> kAll = [] {
    std::vector<EnvironmentVariable> all = {config_input::kConfigVariable, config_input::kUsernameVariable,
                                            config_input::kPasswordVariable,
                                            config_input::kPasswordFileVariable};
    for (const config_input::Override& override : config_input::kOverrides) all.push_back(override.variable);
    return all;
  }();
  return kAll;
}

}  // namespace heliograph
