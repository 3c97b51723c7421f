#include "common/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config_environment.h"
#include "common/log.h"

namespace heliograph {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Config Parse(const std::string& json) {
  const auto loaded = ParseConfig(json, "/etc/heliograph");
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
  return loaded ? loaded->config : Config();
}
std::string ErrorOf(const std::string& json) {
  const auto loaded = ParseConfig(json, "");
  return loaded ? "" : loaded.error().message;
}
Environment Of(std::map<std::string, std::string, std::less<>> variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(ConfigTest, AnEmptyObjectIsTheDefault) {
  EXPECT_EQ(Parse("{}"), Config());
  EXPECT_EQ(Config().ingest_buffer_size, 50000U);
  EXPECT_EQ(Config().commit_interval, milliseconds(100));
  EXPECT_FALSE(Config().retention.packet_days);
}

TEST(ConfigTest, ReadsASourceWithAllItsKeys) {
  const Config config =
      Parse(R"({"mqttSources":[{"name":"a","broker":"wss://h/p","username":"u","password":"p",
      "rejectUnauthorized":false,"caFile":"ca.pem","topics":["x/#"],"iataFilter":["SFO"],"connectTimeoutSec":5,
      "region":"LAX","clientId":"c","qos":0}]})");
  ASSERT_EQ(config.mqtt_sources.size(), 1U);
  MqttSourceConfig expected;
  expected.name = "a", expected.broker = "wss://h/p", expected.username = "u", expected.password = "p";
  expected.reject_unauthorized = false, expected.ca_file = "/etc/heliograph/ca.pem",
  expected.topics = {"x/#"};
  expected.iata_filter = {"SFO"}, expected.connect_timeout = seconds(5), expected.region = "LAX";
  expected.client_id = "c", expected.qos = 0;
  EXPECT_EQ(config.mqtt_sources.front(), expected);
}

TEST(ConfigTest, TheOlderMqttKeyIsASourceWhenThereIsNoOther) {
  const Config config = Parse(R"({"mqtt":{"broker":"mqtt://u:p@h","topic":"t"}})");
  ASSERT_EQ(config.mqtt_sources.size(), 1U);
  EXPECT_EQ(config.mqtt_sources[0].name, "default");
  EXPECT_EQ(config.mqtt_sources[0].broker, "mqtt://h");
  EXPECT_EQ(config.mqtt_sources[0].password, "p");
  EXPECT_THAT(config.mqtt_sources[0].topics, testing::ElementsAre("t", "meshcore/#"));
  EXPECT_EQ(
      Parse(R"({"mqttSources":[{"broker":"mqtt://a"}],"mqtt":{"broker":"mqtt://b"}})").mqtt_sources.size(),
      1U);
}

TEST(ConfigTest, ReadsTheOtherKeys) {
  const Config config = Parse(
      R"({"retention":{"nodeDays":3,"observerDays":-1,"packetDays":0,"historyDays":0,"historyCommits":50},"geo_filter":
      {"polygon":[[1,2],[3,4],[5,6]],"bufferKm":7,"latMin":1,"latMax":2,"lonMin":3,"lonMax":4},"foreignAdverts":{"mode":"drop"},
      "channelKeys":{"#a":"00"},"channelKeysPath":"keys.json","commit":{"intervalMs":50,"size":9},"logLevel":"DEBUG",
      "capability":{"ageOutDays":30},"listLimits":{"nodesMax":5},"db":{"vacuumOnStartup":true},
      "neighborGraph":{"maxEdgeKm":-1},"clusters":{"intervalSeconds":60,"resolution":3,"runs":4,"minSize":5,
      "matchRule":"plain-jaccard"}})");
  EXPECT_EQ(config.retention.node_days, 3);
  EXPECT_EQ(config.retention.observer_days, std::nullopt);
  EXPECT_EQ(config.retention.history_days, std::nullopt);
  EXPECT_EQ(config.retention.history_commits, 50);
  EXPECT_EQ(config.geo_filter.polygon.size(), 3U);
  EXPECT_EQ(config.geo_filter.box, (GeoBox{1, 2, 3, 4}));
  EXPECT_EQ(config.foreign_adverts, ForeignAdverts::kDrop);
  EXPECT_EQ(config.channel_keys_path, "/etc/heliograph/keys.json");
  EXPECT_EQ(config.commit_interval, milliseconds(50));
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(config.capability_age_out_days, 30);
  EXPECT_EQ(config.list_limits.nodes, 5);
  EXPECT_TRUE(config.vacuum_on_start);
  EXPECT_EQ(config.neighbor_max_edge_km, -1);
  EXPECT_EQ(config.clusters, (ClusterConfig{std::chrono::seconds(60), 3, 4, 5, MatchRule::kPlainJaccard}));
}

TEST(ConfigTest, UnknownKeysAreIgnoredAndNamed) {
  const auto loaded = ParseConfig(R"({"dbPath":"x","_comment":1,"retention":{"clientRxDays":1},
      "mqttSources":[{"broker":"mqtt://h","color":"red"}]})",
                                  "");
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->unknown_keys,
              testing::UnorderedElementsAre("dbPath", "retention.clientRxDays", "mqttSources[0].color"));
}

TEST(ConfigTest, MalformedTextHasAPosition) {
  const auto loaded = ParseConfig("{\n  \"a\": 1,\n  x\n}", "");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().line, 3U);
  EXPECT_EQ(loaded.error().column, 3U);
}

TEST(ConfigTest, WrongValuesNameTheirKey) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "JSON object"},
      {R"({"ingestBufferSize":"many"})", "ingestBufferSize"},
      {R"({"ingestBufferSize":0})", "ingestBufferSize"},
      {R"({"ingestBufferSize":1e99})", "ingestBufferSize"},
      {R"({"retention":5})", "retention"},
      {R"({"mqttSources":{}})", "mqttSources"},
      {R"({"mqttSources":[{}]})", "mqttSources[0].broker"},
      {R"({"mqttSources":[{"broker":"http://h"}]})", "mqttSources[0].broker"},
      {R"({"mqttSources":[{"broker":"mqtt://h","qos":2}]})", "mqttSources[0].qos"},
      {R"({"mqttSources":[{"broker":"mqtt://h","name":"a"},{"broker":"mqtt://h","name":"a"}]})",
       "mqttSources[1].name"},
      {R"({"mqttSources":[{"broker":"mqtt://h","passwordFile":"/absent"}]})", "passwordFile"},
      {R"({"foreignAdverts":{"mode":"x"}})", "foreignAdverts.mode"},
      {R"({"logLevel":"loud"})", "logLevel"},
      {R"({"clusters":{"resolution":0}})", "clusters.resolution"},
      {R"({"clusters":{"matchRule":"luck"}})", "clusters.matchRule"},
      {R"({"geo_filter":{"polygon":[[1]]}})", "geo_filter.polygon"},
      {R"({"geo_filter":{"polygon":[[1,2],[3,4]]}})", "three corners"},
      {R"({"geo_filter":{"polygon":[[1,2],[91,4],[5,6]]}})", "geo_filter.polygon[1]"},
      {R"({"geo_filter":{"polygon":[[1,2],[3,4],[5,6]],"bufferKm":-5}})", "geo_filter.bufferKm"},
      {R"({"geo_filter":{"latMin":1,"latMax":2,"lonMin":3}})", "all four"},
      {R"({"geo_filter":{"latMin":1,"latMax":2,"lonMin":3,"lonMax":181}})", "lonMax"},
      {R"({"geo_filter":{"latMin":2,"latMax":1,"lonMin":3,"lonMax":4}})", "latMin"},
      {R"({"hashChannels":[1]})", "hashChannels"},
      {R"({"validateSignatures":1})", "validateSignatures"},
  };
  for (const auto& [json, key] : cases) EXPECT_THAT(ErrorOf(json), testing::HasSubstr(key)) << json;
}

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "heliograph-config-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigFileTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path Write(const char* name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

TEST_F(ConfigFileTest, OnlyTheFallbackMayBeMissing) {
  EXPECT_EQ(LoadConfig({}, folder_ / "absent", Of({}))->config, Config());
  EXPECT_FALSE(LoadConfig(folder_ / "absent", "", Of({})));
  EXPECT_FALSE(LoadConfig({}, "", Of({{"HELIOGRAPH_CONFIG", (folder_ / "absent").string()}})));
  const auto file = Write("config.json", R"({"listen":"x:1"})");
  EXPECT_EQ(LoadConfig({}, file, Of({}))->config.listen, "x:1");
  EXPECT_EQ(LoadConfig({}, file, Of({}))->file, file);
}

TEST_F(ConfigFileTest, TheEnvironmentBeatsTheFile) {
  const auto file =
      Write("config.json", R"({"listen":"x:1","mqttSources":[{"broker":"mqtt://file"}],"apiKey":"old"})");
  const auto loaded = LoadConfig(file, "",
                                 Of({{"HELIOGRAPH_LISTEN", "y:2"},
                                     {"HELIOGRAPH_MQTT", "mqtt://a, ws://b"},
                                     {"HELIOGRAPH_MQTT_USERNAME", "u"},
                                     {"HELIOGRAPH_MQTT_PASSWORD_FILE", Write("pw", "secret\n").string()},
                                     {"HELIOGRAPH_API_KEY_FILE", Write("key", "k\n").string()}}));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.listen, "y:2");
  EXPECT_EQ(loaded->config.api_key, "k");
  ASSERT_EQ(loaded->config.mqtt_sources.size(), 2U);
  EXPECT_EQ(loaded->config.mqtt_sources[1].broker, "ws://b");
  EXPECT_EQ(loaded->config.mqtt_sources[1].password, "secret");
}

TEST_F(ConfigFileTest, WrongVariablesAreErrorsThatNameThem) {
  for (const char* name : {"HELIOGRAPH_COMMIT_SIZE", "HELIOGRAPH_LOG_LEVEL", "HELIOGRAPH_MQTT",
                           "HELIOGRAPH_VALIDATE_SIGNATURES", "HELIOGRAPH_API_KEY_FILE"}) {
    const auto loaded = LoadConfig({}, "", Of({{name, "/nonsense"}}));
    ASSERT_FALSE(loaded) << name;
    EXPECT_THAT(loaded.error().message, testing::HasSubstr(name));
  }
  EXPECT_GE(EnvironmentVariables().size(), 15U);
}

TEST(MqttSourceFromUrlTest, TakesTheTopicsOfTheEnvironmentAsAnySource) {
  std::vector<MqttSourceConfig> sources{*MqttSourceFromUrl("mqtt://h", "n"), LocalMqttSource()};
  ApplyTopics(sources, Of({{"HELIOGRAPH_MQTT_TOPICS", "a/#, b"}}));
  for (const MqttSourceConfig& source : sources) EXPECT_THAT(source.topics, testing::ElementsAre("a/#", "b"));
  ApplyTopics(sources, Of({}));
  EXPECT_THAT(sources.front().topics, testing::ElementsAre("a/#", "b"));
}

TEST(MqttSourceFromUrlTest, TakesNoPassword) {
  EXPECT_EQ(MqttSourceFromUrl("mqtt://u@h:1", "n")->username, "u");
  EXPECT_EQ(MqttSourceFromUrl("mqtt://u@h:1", "n")->broker, "mqtt://h:1");
  const auto refused = MqttSourceFromUrl("mqtt://u:hush@h", "n");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr("hush")));
  EXPECT_FALSE(MqttSourceFromUrl("h:1883", "n"));
}

TEST(SanitisedTest, LeavesOneShortPrintableLine) {
  EXPECT_EQ(Sanitised("a\nb\x7f\x1b[31m"), "a?b??[31m");
  EXPECT_EQ(Sanitised("\xff"), "\xEF\xBF\xBD");
  EXPECT_LE(Sanitised(std::string(1000, 'x')).size(), 203U);
}

}  // namespace
}  // namespace heliograph
