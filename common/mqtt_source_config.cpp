#include "common/mqtt_source_config.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/config_input.h"
#include "common/log.h"

namespace heliograph {
namespace config_input {
namespace {

struct BrokerUrl {
  std::string without_credentials;
  std::string username;
  std::optional<std::string> password;
};

BrokerUrl SplitBrokerUrl(std::string_view url, const std::string& where) {
  const std::size_t mark = url.find("://");
  const std::string_view scheme = mark == std::string_view::npos ? std::string_view() : url.substr(0, mark);
  constexpr std::string_view kSchemes[] = {"mqtt", "mqtts", "ws", "wss", "tcp", "ssl"};
  if (std::find(std::begin(kSchemes), std::end(kSchemes), scheme) == std::end(kSchemes)) {
    Refuse(where + ": a broker's address starts with mqtt://, mqtts://, ws:// or wss://");
  }
  std::string_view rest = url.substr(mark + 3);
  const std::size_t authority_end = rest.find('/');
  const std::size_t at = rest.substr(0, authority_end).rfind('@');
  BrokerUrl split;
  if (at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    const std::size_t colon = user.find(':');
    split.username = std::string(user.substr(0, colon));
    if (colon != std::string_view::npos) split.password = std::string(user.substr(colon + 1));
    rest.remove_prefix(at + 1);
  }
  if (rest.empty() || rest.front() == '/' || rest.front() == ':') {
    Refuse(where + ": the address names no host; write it as mqtt://HOST:PORT");
  }
  split.without_credentials = std::string(scheme) + "://" + std::string(rest);
  return split;
}

MqttSourceConfig ReadMqttSource(Section& section, const std::filesystem::path& folder) {
  MqttSourceConfig source;
  std::string broker, password_file, ca_file;
  section.Read("name", source.name);
  section.Read("broker", broker);
  section.Read("username", source.username);
  section.Read("password", source.password);
  section.Read("passwordFile", password_file);
  section.Read("rejectUnauthorized", source.reject_unauthorized);
  section.Read("caFile", ca_file);
  section.Read("topics", source.topics);
  section.Read("iataFilter", source.iata_filter);
  section.ReadDuration("connectTimeoutSec", source.connect_timeout, 1, 3600);
  section.Read("region", source.region);
  section.Read("clientId", source.client_id);
  section.ReadInteger("qos", source.qos, 0, 1);
  if (source.topics.empty()) source.topics = MqttSourceConfig().topics;
  SetBroker(source, broker, section.Path("broker"));
  if (!password_file.empty()) {
    source.password = ReadSecret(folder / password_file, section.Path("passwordFile"));
  }
  if (!ca_file.empty()) source.ca_file = folder / ca_file;
  return source;
}

}  // namespace

void SetBroker(MqttSourceConfig& source, std::string_view url, const std::string& where) {
  BrokerUrl split = SplitBrokerUrl(url, where);
  source.broker = std::move(split.without_credentials);
  if (source.username.empty()) source.username = std::move(split.username);
  if (source.password.empty() && split.password) source.password = std::move(*split.password);
}

std::vector<MqttSourceConfig> ReadMqttSources(Section& root, const std::filesystem::path& folder) {
  std::vector<MqttSourceConfig> sources;
  const nlohmann::json* list = root.Find("mqttSources");
  if (list != nullptr && !list->is_array()) Refuse("mqttSources: must be a list of objects");
  std::set<std::string> names;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    Section section((*list)[i], "mqttSources[" + std::to_string(i) + "]", root.unknown());
    MqttSourceConfig source = ReadMqttSource(section, folder);
    section.ReportUnknown();
    if (source.name.empty()) source.name = "source" + std::to_string(i + 1);
    if (!names.insert(source.name).second) {
      Refuse(section.Path("name") + ": \"" + Sanitised(source.name) +
             "\" is the name of another source too; names must differ");
    }
    sources.push_back(std::move(source));
  }
  ReadSection(root, "mqtt", [&](Section& section) {
    std::string broker, topic;
    section.Read("broker", broker);
    section.Read("topic", topic);
    if (broker.empty() || !sources.empty()) return;
    MqttSourceConfig source;
    source.name = "default";
    SetBroker(source, broker, section.Path("broker"));
    if (!topic.empty() && topic != source.topics.front()) source.topics.insert(source.topics.begin(), topic);
    sources.push_back(std::move(source));
  });
  return sources;
}

}  // namespace config_input

tl::expected<MqttSourceConfig, ConfigError> MqttSourceFromUrl(std::string_view url, std::string name) {
  try {
    config_input::BrokerUrl split = config_input::SplitBrokerUrl(url, "--mqtt");
    if (split.password) {
      config_input::Refuse(
          "--mqtt: a password on the command line can be read by every process of the machine; put it into "
          "HELIOGRAPH_MQTT_PASSWORD_FILE or the configuration");
    }
    MqttSourceConfig source;
    source.name = std::move(name);
    source.broker = std::move(split.without_credentials);
    source.username = std::move(split.username);
    return source;
  } catch (const config_input::InvalidConfig& invalid) {
    return tl::unexpected(invalid.error);
  }
}

MqttSourceConfig LocalMqttSource() {
  MqttSourceConfig source;
  source.name = "local";
  source.broker = "mqtt://localhost:1883";
  return source;
}

}  // namespace heliograph
