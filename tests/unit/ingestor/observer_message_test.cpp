#include "ingestor/observer_message.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::ingestor {
namespace {

const std::string kId = "5B9839E58AE312ECC8624A8F374CF57A1B5B631FB00EC0124C9AB9DE2BE9F229";
const std::string kOtherId = "67A5142E49EA8D197297B05FB056F5B6E64A4E1CF1714D82AAF1C74433941611";
const UtcMillis kReceived = ParseTime("2026-05-17T16:01:39Z")->time;

ObserverMessage Read(const std::string& topic, const std::string& payload, const MessageRules& rules = {},
                     bool retained = false) {
  ObserverMessageReader reader;
  Receipt receipt;
  receipt.topic = topic;
  receipt.payload = payload;
  receipt.received_at = kReceived;
  receipt.retained = retained;
  return reader.Read(receipt, rules);
}
ObserverMessage ReadPacket(const std::string& members, const MessageRules& rules = {}) {
  return Read("meshcore/SFO/" + kId + "/packets", "{\"raw\":\"0A0B\"" + members + "}", rules);
}
PacketReport Report(const std::string& members) {
  return std::get<PacketReport>(ReadPacket(members));
}
PreparedStatus Status(const std::string& json) {
  return std::get<PreparedStatus>(Read("meshcore/SFO/" + kId + "/status", json));
}
std::optional<DropReason> DropOf(const ObserverMessage& message) {
  const auto* drop = std::get_if<PreparedDrop>(&message);
  if (drop == nullptr) return std::nullopt;
  EXPECT_FALSE(drop->detail.empty());
  EXPECT_THAT(drop->detail, testing::Not(testing::HasSubstr(kId)))
      << "the whole id of an observer is not for logs";
  return drop->reason;
}

TEST(ObserverTopicTest, TakesPacketsAndStatusUnderAnyPrefix) {
  for (const std::string prefix : {"meshcore", "test", "mesh-2"}) {
    const auto topic = ParseObserverTopic(prefix + "/sfo/" + kId + "/packets");
    ASSERT_TRUE(topic) << prefix;
    EXPECT_EQ(topic->iata, "SFO");
    EXPECT_EQ(topic->observer.ToObserverId(), kId);
    EXPECT_EQ(topic->kind, TopicKind::kPackets);
  }
  EXPECT_EQ(ParseObserverTopic("meshcore/test/" + kId + "/status")->kind, TopicKind::kStatus);
}

TEST(ObserverTopicTest, RefusesEverythingElse) {
  const std::string zeros(64, '0');
  for (const std::string& topic :
       {std::string(), std::string("meshcore"), "meshcore/SFO/" + kId, "meshcore/SFO/" + kId + "/raw",
        "meshcore/SFO/" + kId + "/debug", "meshcore/SFO/" + kId + "/neighbors",
        "meshcore/SFO/" + kId + "/packets/x", "meshcore/SFO/" + kId + "/serial/commands",
        "meshcore/SFO/" + kId.substr(1) + "/packets", "meshcore/SFO/" + zeros + "/packets",
        "meshcore//" + kId + "/packets", "/SFO/" + kId + "/packets", "meshcore/client/" + kId + "/packets",
        "meshcore/CLIENT/" + kId + "/packets", std::string("meshcore/message/channel/0"),
        std::string("meshcore/message/direct/packets"), std::string("meshcore/status"),
        std::string("meshcore/SJC/packets"), "meshcore/S FO/" + kId + "/packets"}) {
    EXPECT_FALSE(ParseObserverTopic(topic)) << topic;
    EXPECT_EQ(DropOf(Read(topic, "{}")), DropReason::kUnsupportedTopic) << topic;
  }
}

TEST(ParseMeasurementTest, ReadsNumbersWithUnitsAndNothingElse) {
  const std::pair<const char*, std::optional<double>> cases[] = {
      {"5", 5},       {"-5.5", -5.5}, {" 12.25 ", 12.25}, {"-110dBm", -110}, {"-110 DBM", -110},
      {"3.5dB", 3.5}, {"20mW", 20},   {"7km", 7},         {"2mi", 2},        {"9m", 9},
      {"+4", 4},      {"1e2", 100},   {"4100mV", 4100},   {"Unknown", {}},   {"", {}},
      {"   ", {}},    {"NaN", {}},    {"inf", {}},        {"-Infinity", {}}, {"1e999", {}},
      {"5 5", {}},    {"dBm", {}},    {"0x10", {}},       {"+-4", {}},       {"5dBdB", {}},
      {"null", {}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(ParseMeasurement(text), expected) << text;
}

TEST(ObserverMessageTest, ReadsSignalFiguresInEveryForm) {
  struct Case {
    const char* members;
    std::optional<std::int16_t> snr, rssi;
  };
  const Case cases[] = {
      {R"(,"SNR":5,"RSSI":-65)", 20, -65},
      {R"(,"SNR":"12.5","RSSI":"-65")", 50, -65},
      {R"(,"snr":-3.3,"rssi":-110.6)", -13, -111},
      {R"(,"SNR":"-7.25 dB","RSSI":"-110dBm")", -29, -110},
      {R"(,"SNR":"Unknown","RSSI":"Unknown")", {}, {}},
      {R"(,"SNR":"","RSSI":null)", {}, {}},
      {R"(,"SNR":"NaN","RSSI":"inf")", {}, {}},
      {R"(,"SNR":"Unknown","snr":4,"RSSI":null,"rssi":-9)", {}, {}},
      {R"(,"SNR":[1],"RSSI":{"a":1})", {}, {}},
      {R"(,"SNR":true,"RSSI":false)", {}, {}},
      {R"(,"SNR":1e300,"RSSI":-1e300)", {}, {}},
      {R"(,"SNR":5,"RSSI":-65,"direction":"tx")", {}, {}},
      {R"(,"SNR":5,"RSSI":-65,"direction":"RX")", 20, -65},
      {"", {}, {}},
  };
  for (const Case& c : cases) {
    const PacketReport report = Report(c.members);
    EXPECT_EQ(report.snr_quarter_db, c.snr) << c.members;
    EXPECT_EQ(report.rssi_dbm, c.rssi) << c.members;
  }
}

TEST(ObserverMessageTest, JudgesTheObserversClock) {
  struct Case {
    const char* timestamp;
    DeviceTimeTrust trust;
    std::int64_t offset_ms;
  };
  const Case cases[] = {
      {"2026-05-17T16:01:39Z", DeviceTimeTrust::kTrusted, 0},
      {"2026-05-17T16:01:40.250Z", DeviceTimeTrust::kTrusted, 1250},
      {"2026-05-17T16:01:39.000000+00:00", DeviceTimeTrust::kTrusted, 0},
      {"2026-05-17T18:01:39+02:00", DeviceTimeTrust::kTrusted, 0},
      {"2026-05-17T09:01:39Z", DeviceTimeTrust::kTrusted, -7 * 3600000},
      {"2026-05-17T09:01:39.000000", DeviceTimeTrust::kNaive, -7 * 3600000},
      {"2026-05-17T15:59:39", DeviceTimeTrust::kNaive, -120000},
      {"2026-05-18T06:01:39Z", DeviceTimeTrust::kTrusted, 14 * 3600000},
      {"2026-05-18T06:01:40Z", DeviceTimeTrust::kImplausible, 14 * 3600000 + 1000},
      {"2026-05-19T16:01:39Z", DeviceTimeTrust::kImplausible, 48 * 3600000LL},
      {"2026-04-18T16:01:39Z", DeviceTimeTrust::kTrusted, -29 * 86400000LL},
      {"2026-04-16T16:01:39Z", DeviceTimeTrust::kImplausible, -31 * 86400000LL},
      {"garbage", DeviceTimeTrust::kAbsent, 0},
      {"", DeviceTimeTrust::kAbsent, 0},
  };
  for (const Case& c : cases) {
    const DeviceTime time = Report(std::string(",\"timestamp\":\"") + c.timestamp + "\"").device_time;
    EXPECT_EQ(time.trust, c.trust) << c.timestamp;
    EXPECT_EQ(time.offset_ms, c.offset_ms) << c.timestamp;
  }
  EXPECT_EQ(Report(",\"timestamp\":1779033699").device_time.trust, DeviceTimeTrust::kAbsent);
}

TEST(ObserverMessageTest, ReadsWhoAndWhichWay) {
  const PacketReport report = Report(R"(,"origin":" Mutual Aid \ud83c\udf11 ","direction":"tx")");
  EXPECT_EQ(report.observer.name, "Mutual Aid 🌑");
  EXPECT_EQ(report.observer.iata, "SFO");
  EXPECT_EQ(report.direction, Direction::kSent);
  EXPECT_EQ(Report(R"(,"Direction":"rx")").direction, Direction::kReceived);
  EXPECT_EQ(Report(R"(,"direction":"up")").direction, Direction::kUnknown);
  EXPECT_EQ(Report(R"(,"origin":"")").observer.name, std::nullopt);
  EXPECT_EQ(Report(R"(,"origin":null)").observer.name, std::nullopt);
  EXPECT_EQ(Report(R"(,"origin":"a\u0000\nb")").observer.name, "a??b");
}

TEST(ObserverMessageTest, TheOriginMustBeTheTopics) {
  std::string lower = kId;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  for (const std::string& id :
       {"\"" + kId + "\"", "\"" + lower + "\"", std::string("null"), std::string("\"\"")}) {
    EXPECT_EQ(DropOf(ReadPacket(",\"origin_id\":" + id)), std::nullopt) << id;
  }
  for (const std::string& id : {kOtherId, kId.substr(0, 8), std::string("companion")}) {
    EXPECT_EQ(DropOf(ReadPacket(",\"origin_id\":\"" + id + "\"")), DropReason::kOriginMismatch) << id;
  }
}

TEST(ObserverMessageTest, RefusesWhatHasNoFrame) {
  const std::string topic = "meshcore/SFO/" + kId + "/packets";
  for (const char* json : {"{}", R"({"raw":null})", R"({"raw":""})", R"({"raw":12})", R"({"raw":{}})"}) {
    EXPECT_EQ(DropOf(Read(topic, json)), DropReason::kMissingRaw) << json;
  }
  for (const char* json : {R"({"raw":"0"})", R"({"raw":"XY"})", R"({"raw":"  "})", R"({"raw":"0x0A"})"}) {
    EXPECT_EQ(DropOf(Read(topic, json)), DropReason::kInvalidHex) << json;
  }
  EXPECT_EQ(std::get<PacketReport>(Read(topic, R"({"raw":"0a 0B\r\n0c"})")).frame, (Bytes{10, 11, 12}));
}

TEST(ObserverMessageTest, RefusesWhatIsNoObject) {
  const std::string topic = "meshcore/SFO/" + kId + "/packets";
  for (const std::string& json :
       {std::string(), std::string("x"), std::string("[]"), std::string("12"), std::string("null"),
        std::string(R"({"raw":)"), std::string(R"({"raw":"0A0B")"), std::string(R"({"raw":"0A0B"} x)"),
        std::string(R"({"raw":"0A0B"}{})"), std::string("{\"origin\":\"\xff\",\"raw\":\"0A0B\"}"),
        std::string(R"({"raw" "0A0B"})"), std::string(100000, '[')}) {
    EXPECT_EQ(DropOf(Read(topic, json)), DropReason::kMalformedJson) << json.substr(0, 40);
  }
}

TEST(ObserverMessageTest, RefusesWhatIsTooLongUnread) {
  MessageRules rules;
  rules.max_message_bytes = 14;
  EXPECT_EQ(DropOf(ReadPacket("", rules)), std::nullopt);
  EXPECT_EQ(DropOf(ReadPacket(",", rules)), DropReason::kOversized);
  EXPECT_EQ(MessageRules().max_message_bytes, 262144U);
}

TEST(ObserverMessageTest, FiltersIgnoreCaseAndHaveTheirOrder) {
  Config config;
  config.observer_iata_whitelist = {"sfo", " OAK "};
  MqttSourceConfig source;
  source.iata_filter = {"oak"};
  const MessageRules rules(config, {source});
  const std::string packet = R"({"raw":"0A0B"})";
  EXPECT_EQ(DropOf(Read("m/Oak/" + kId + "/packets", packet, rules)), std::nullopt);
  EXPECT_EQ(DropOf(Read("m/sfo/" + kId + "/packets", packet, rules)), DropReason::kFilteredBySource);
  EXPECT_EQ(DropOf(Read("m/sfo/" + kId + "/status", "{}", rules)), std::nullopt) << "it never drops a status";
  EXPECT_EQ(DropOf(Read("m/SJC/" + kId + "/packets", packet, rules)), DropReason::kIataNotAllowed);
  EXPECT_EQ(DropOf(Read("m/SJC/" + kId + "/status", "{}", rules)), DropReason::kIataNotAllowed);

  std::string lower = kId;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  config.observer_blacklist = {lower};
  const MessageRules strict(config, {source});
  EXPECT_EQ(DropOf(Read("m/SJC/" + kId + "/status", "{}", strict)), DropReason::kBlacklistedObserver);
  EXPECT_EQ(DropOf(Read("m/OAK/" + kOtherId + "/status", "{}", strict)), std::nullopt);
}

TEST(ObserverMessageTest, TheRegionIsTheTopics) {
  EXPECT_EQ(Report(R"(,"region":"LAX")").observer.iata, "SFO");
  MqttSourceConfig source;
  source.region = "lax";
  const MessageRules rules(Config(), {source});
  const auto placeholder = Read("meshcore/xxx/" + kId + "/packets", R"({"raw":"0A0B"})", rules);
  EXPECT_EQ(std::get<PacketReport>(placeholder).observer.iata, "LAX");
  EXPECT_EQ(std::get<PacketReport>(ReadPacket("", rules)).observer.iata, "SFO");
}

TEST(ObserverStatusTest, ReadsEveryField) {
  const PreparedStatus status = Status(
      R"({"status":"online","origin":"n","model":"Heltec","firmware":"old","firmware_version":"1.9","client_version":"a",
          "clientVersion":"b","radio":"910.5,62.5,7,5","repeat":"on","stats":{"battery_mv":3500.7,"uptime_secs":"61",
          "noise_floor":-110.5,"tx_air_secs":3,"rx_air_secs":4,"recv_errors":5,"packets_sent":6,"packets_recv":7}})");
  EXPECT_EQ(status.online, true);
  EXPECT_EQ(status.model, "Heltec");
  EXPECT_EQ(status.firmware, "1.9");
  EXPECT_EQ(status.client_version, "b");
  EXPECT_EQ(status.radio, "910.5,62.5,7,5");
  EXPECT_EQ(status.can_relay, true);
  EXPECT_EQ(status.battery_mv, 3501);
  EXPECT_EQ(status.uptime_secs, 61);
  EXPECT_EQ(status.noise_floor, -110.5);
  EXPECT_EQ(status.tx_air_secs, 3);
  EXPECT_EQ(status.rx_air_secs, 4);
  EXPECT_EQ(status.recv_errors, 5);
  EXPECT_EQ(status.packets_sent, 6);
  EXPECT_EQ(status.packets_received, 7);
  EXPECT_TRUE(status.HasMetrics());
}

TEST(ObserverStatusTest, StatsComeFirstAndNullThereHidesTheOutside) {
  EXPECT_EQ(Status(R"({"battery_mv":1})").battery_mv, 1);
  EXPECT_EQ(Status(R"({"battery_mv":1,"stats":{"battery_mv":2}})").battery_mv, 2);
  EXPECT_EQ(Status(R"({"stats":{"battery_mv":2},"battery_mv":1})").battery_mv, 2);
  EXPECT_EQ(Status(R"({"battery_mv":1,"stats":{"battery_mv":null}})").battery_mv, std::nullopt);
  EXPECT_EQ(Status(R"({"battery_mv":1,"stats":"none"})").battery_mv, 1);
  EXPECT_EQ(Status(R"({"battery_mv":1,"stats":{"uptime_secs":9}})").battery_mv, 1);
}

TEST(ObserverStatusTest, KnowsAllSpellingsOfTheReceivedCounter) {
  for (const char* name : {"packets_recv", "packets_received", "recv"}) {
    EXPECT_EQ(Status(std::string("{\"stats\":{\"") + name + "\":8}}").packets_received, 8) << name;
  }
  EXPECT_EQ(Status(R"({"stats":{"sent":3}})").packets_sent, 3);
}

TEST(ObserverStatusTest, ReadsRepeatInEveryForm) {
  const std::pair<const char*, std::optional<bool>> cases[] = {
      {"true", true},     {"false", false},  {"\"on\"", true},  {"\"OFF\"", false}, {"\"1\"", true},
      {"\"0\"", false},   {"\"yes\"", true}, {"\"no\"", false}, {"1", true},        {"0", false},
      {"\"true\"", true}, {"\"maybe\"", {}}, {"null", {}},      {"{}", {}},
  };
  for (const auto& [value, expected] : cases) {
    EXPECT_EQ(Status(std::string("{\"repeat\":") + value + "}").can_relay, expected) << value;
  }
}

TEST(ObserverStatusTest, SaysNothingWhereNothingIsSaid) {
  const PreparedStatus status =
      Status(R"({"status":"offline","model":"","battery_mv":-1,"uptime_secs":1e300})");
  EXPECT_EQ(status.online, false);
  EXPECT_FALSE(status.model || status.firmware || status.can_relay || status.observer.name);
  EXPECT_FALSE(status.HasMetrics());
  EXPECT_EQ(Status(R"({"status":"sleeping"})").online, std::nullopt);
}

TEST(ObserverStatusTest, KeepsTheRetainedFlag) {
  const auto read = Read("meshcore/SFO/" + kId + "/status", "{}", {}, true);
  EXPECT_TRUE(std::get<PreparedStatus>(read).retained);
  EXPECT_FALSE(Status("{}").retained);
}

}  // namespace
}  // namespace heliograph::ingestor
