#include "ingestor/mqtt_source.h"

#include <algorithm>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker.h"
#include "ingestor/connection_cutter.h"
#include "ingestor/mqtt_address.h"
#include "source_fixtures.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const char kTopic[] = "meshcore/SFO/x/packets";
const VolumeIdentity kVolume{"installation", "volume"};

class MqttSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Broker::IsInstalled()) GTEST_SKIP() << "mosquitto is not installed";
  }

  static MqttSourceConfig Config(const std::string& broker, const std::string& name = "test") {
    MqttSourceConfig config;
    config.name = name;
    config.broker = broker;
    config.connect_timeout = seconds(5);
    return config;
  }
  static MqttSource::Options Fast() {
    MqttSource::Options options;
    options.volume = kVolume;
    options.first_retry = milliseconds(50);
    options.last_retry = milliseconds(200);
    return options;
  }
  static std::string Url(const char* scheme, std::uint16_t port) {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
  }
  /// A source that is started and connected, its subscription in force.
  static std::unique_ptr<MqttSource> Connected(Broker& broker, const MqttSourceConfig& config,
                                               MessageSink& sink,
                                               const MqttSource::Options& options = Fast()) {
    const std::size_t before = Count(broker.Log(), "Sending SUBACK");
    auto source = std::make_unique<MqttSource>(config, SourceIndex{3}, options);
    source->Start(sink);
    EXPECT_TRUE(Eventually([&] { return Count(broker.Log(), "Sending SUBACK") > before; })) << broker.Log();
    return source;
  }
  static std::size_t Count(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }
  static std::vector<std::string> Numbered(int first, int last) {
    std::vector<std::string> payloads;
    for (int i = first; i <= last; ++i) payloads.push_back("{\"n\":" + std::to_string(i) + "}");
    return payloads;
  }
};

TEST_F(MqttSourceTest, HandsOverWhatIsPublishedInOrder) {
  Broker broker;
  RecordingSink sink;
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink);
  Publish(broker.ports().tcp, kTopic, Numbered(1, 500), 0);
  ASSERT_TRUE(Eventually([&] { return sink.Count() == 500; })) << sink.Count();
  EXPECT_EQ(sink.Payloads(), Numbered(1, 500));
  const Receipt first = sink.Received().front();
  EXPECT_EQ(first.topic, kTopic);
  EXPECT_EQ(first.source, SourceIndex{3});
  EXPECT_FALSE(first.retained);
  EXPECT_LT(sink.BatchSizes().size(), 250U) << "messages of QoS 0 come in batches";
  EXPECT_EQ(sink.AwaitedCount(), 0U);
}

TEST_F(MqttSourceTest, StatusCountsAndNamesTheBrokerWithoutSecrets) {
  Broker broker;
  RecordingSink sink;
  auto source =
      Connected(broker, Config("mqtt://me:secret@127.0.0.1:" + std::to_string(broker.ports().tcp)), sink);
  Publish(broker.ports().tcp, kTopic, Numbered(1, 3), 0);
  ASSERT_TRUE(Eventually([&] { return sink.Count() == 3; }));
  const SourceStatus status = source->Status();
  EXPECT_TRUE(status.connected);
  EXPECT_EQ(status.name, "test");
  EXPECT_EQ(status.kind, "mqtt");
  EXPECT_EQ(status.address, Url("mqtt", broker.ports().tcp));
  EXPECT_EQ(status.received, 3U);
  EXPECT_EQ(status.connect_count, 1U);
  EXPECT_TRUE(status.last_receipt && status.last_connect && !status.last_error);
}

TEST_F(MqttSourceTest, PassesTheRetainedFlagOn) {
  Broker broker;
  Publish(broker.ports().tcp, "meshcore/SFO/x/status", {"{}"}, 1, true);
  RecordingSink sink;
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink);
  ASSERT_TRUE(Eventually([&] { return sink.Count() == 1; }));
  EXPECT_TRUE(sink.Received().front().retained);
}

TEST_F(MqttSourceTest, AcknowledgesOnlyAfterTheCommit) {
  Broker broker;
  RecordingSink sink;
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink);
  sink.Close();
  Publish(broker.ports().tcp, kTopic, Numbered(1, 1), 1);
  ASSERT_TRUE(Eventually([&] { return sink.WaitingCount() == 1; }));
  const std::string client = DeriveClientId("test", kVolume);
  EXPECT_FALSE(Eventually([&] { return Count(broker.Log(), "Received PUBACK from " + client) > 0; },
                          milliseconds(300)));
  sink.Open();
  EXPECT_TRUE(Eventually([&] { return Count(broker.Log(), "Received PUBACK from " + client) == 1; }));
  EXPECT_EQ(sink.AwaitedCount(), 1U);
}

TEST_F(MqttSourceTest, WhatASinkThatStopsDidNotCommitIsDeliveredAgain) {
  Broker broker;
  const MqttSourceConfig config = Config(Url("mqtt", broker.ports().tcp));
  RecordingSink stopped;
  auto source = Connected(broker, config, stopped);
  stopped.Close();
  Publish(broker.ports().tcp, kTopic, Numbered(1, 3), 1);
  ASSERT_TRUE(Eventually([&] { return stopped.WaitingCount() == 1; }));
  stopped.Stop();
  source->Stop();
  EXPECT_EQ(Count(broker.Log(), "Received PUBACK from " + DeriveClientId("test", kVolume)), 0U);

  RecordingSink sink;
  auto next = Connected(broker, config, sink);
  EXPECT_TRUE(Eventually([&] { return sink.Count() == 3; }));
  EXPECT_EQ(sink.Payloads(), Numbered(1, 3));
}

TEST_F(MqttSourceTest, TheBrokerKeepsWhatArrivesWhileTheSourceIsAway) {
  for (const int qos : {0, 1}) {
    Broker broker;
    const MqttSourceConfig config = Config(Url("mqtt", broker.ports().tcp));
    RecordingSink sink;
    Connected(broker, config, sink)->Stop();
    Publish(broker.ports().tcp, kTopic, Numbered(1, 200), qos);
    auto source = Connected(broker, config, sink);
    EXPECT_TRUE(Eventually([&] { return sink.Count() == 200; })) << "QoS " << qos << ": " << sink.Count();
    EXPECT_EQ(sink.Payloads(), Numbered(1, 200));
  }
}

TEST_F(MqttSourceTest, ReconnectsToABrokerThatWasRestarted) {
  Broker broker;
  RecordingSink sink;
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink);
  broker.Stop();
  ASSERT_TRUE(Eventually([&] { return !source->Status().connected; }));
  EXPECT_TRUE(source->Status().last_error.has_value());
  broker.Start();
  ASSERT_TRUE(Eventually([&] { return source->Status().connect_count == 2; }));
  Publish(broker.ports().tcp, kTopic, Numbered(1, 1), 1);
  EXPECT_TRUE(Eventually([&] { return sink.Count() == 1; }));
  EXPECT_EQ(source->Status().disconnect_count, 1U);
}

TEST_F(MqttSourceTest, ReportsAGapThatAnEarlierProcessLeft) {
  Broker broker;
  RecordingSink sink;
  MqttSource::Options options = Fast();
  options.away_since = UtcMillis(seconds(1'779'033'699));
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink, options);
  EXPECT_THAT(source->Status().last_error.value_or(""),
              testing::HasSubstr("no session, so what was published from 2026-05-17T16:01:39Z"));
  source.reset();
  source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink, options);
  EXPECT_FALSE(source->Status().last_error) << "the broker kept the session";
}

TEST_F(MqttSourceTest, KeepsTryingABrokerThatIsNotThereYet) {
  Broker broker;
  broker.Stop();
  RecordingSink sink;
  MqttSource source(Config(Url("mqtt", broker.ports().tcp)), SourceIndex{0}, Fast());
  source.Start(sink);
  ASSERT_TRUE(Eventually([&] { return source.Status().last_error.has_value(); }));
  EXPECT_FALSE(source.AtEnd());
  broker.Start();
  EXPECT_TRUE(Eventually([&] { return source.Status().connected; }));
}

TEST_F(MqttSourceTest, TwoBrokersAreIndependent) {
  Broker one, other;
  RecordingSink sink;
  auto first = Connected(one, Config(Url("mqtt", one.ports().tcp), "one"), sink);
  auto second = Connected(other, Config(Url("mqtt", other.ports().tcp), "other"), sink);
  one.Stop();
  ASSERT_TRUE(Eventually([&] { return !first->Status().connected; }));
  Publish(other.ports().tcp, kTopic, Numbered(1, 50), 1);
  EXPECT_TRUE(Eventually([&] { return sink.Count() == 50; }));
  EXPECT_TRUE(second->Status().connected);
}

TEST_F(MqttSourceTest, SpeaksWebSocketsAndTls) {
  Broker broker(true);
  const std::pair<const char*, std::uint16_t> ways[] = {
      {"ws", broker.ports().ws}, {"mqtts", broker.ports().tls}, {"wss", broker.ports().wss}};
  for (const auto& [scheme, port] : ways) {
    RecordingSink sink;
    MqttSourceConfig config = Config(Url(scheme, port), scheme);
    config.ca_file = broker.ca_file();
    auto source = Connected(broker, config, sink);
    Publish(broker.ports().tcp, kTopic, Numbered(1, 5), 1);
    EXPECT_TRUE(Eventually([&] { return sink.Count() == 5; })) << scheme;
  }
}

TEST_F(MqttSourceTest, ACertificateOfAnUnknownAuthorityIsRefusedUnlessItIsNotAskedFor) {
  Broker broker(true);
  RecordingSink sink;
  MqttSourceConfig config = Config(Url("mqtts", broker.ports().tls));
  {
    MqttSource source(config, SourceIndex{0}, Fast());
    source.Start(sink);
    ASSERT_TRUE(Eventually([&] { return source.Status().last_error.has_value(); }));
    EXPECT_EQ(source.Status().connect_count, 0U);
  }
  config.reject_unauthorized = false;
  auto source = Connected(broker, config, sink);
  EXPECT_TRUE(source->Status().connected);
}

TEST_F(MqttSourceTest, AWrongPasswordIsReportedAndTheRightOneWorks) {
  Broker broker(false, "sesame");
  RecordingSink sink;
  MqttSourceConfig config = Config(Url("mqtt", broker.ports().tcp));
  config.username = "observer";
  config.password = "wrong";
  {
    MqttSource source(config, SourceIndex{0}, Fast());
    source.Start(sink);
    ASSERT_TRUE(Eventually([&] { return source.Status().last_error.has_value(); }));
    EXPECT_THAT(*source.Status().last_error, testing::HasSubstr("the broker does not let this user in"));
  }
  config.password = "sesame";
  auto source = Connected(broker, config, sink);
  EXPECT_TRUE(source->Status().connected);
}

TEST_F(MqttSourceTest, ASinkWithoutRoomHoldsTheBrokerBackAndLosesNothing) {
  Broker broker;
  RecordingSink sink;
  MqttSource::Options options = Fast();
  options.most_pending = 64;
  options.flush_messages = 16;
  auto source = Connected(broker, Config(Url("mqtt", broker.ports().tcp)), sink, options);
  sink.Close();
  // More than the source holds: its callback waits, and with it every client of Paho in this process.
  const std::vector<std::string> payloads = Numbered(1, 40);
  Publish(broker.ports().tcp, kTopic, payloads, 0);
  ASSERT_TRUE(Eventually([&] { return sink.WaitingCount() > 0; }));
  EXPECT_EQ(sink.Count(), 0U);
  sink.Open();
  EXPECT_TRUE(Eventually([&] { return sink.Count() == 40; }));
  EXPECT_EQ(sink.Payloads(), payloads);
}

TEST_F(MqttSourceTest, AHalfOpenConnectionIsNoticedAndMadeAnew) {
  Broker broker;
  Hop hop(broker.ports().tcp);
  RecordingSink sink;
  MqttSource::Options options = Fast();
  options.keep_alive = seconds(1);
  auto source = Connected(broker, Config(Url("mqtt", hop.port())), sink, options);
  hop.FreezePresentConnections();
  Publish(broker.ports().tcp, kTopic, Numbered(1, 5), 1);
  // Paho misses the answer to its ping and connects again; the broker then delivers what it could not.
  ASSERT_TRUE(Eventually([&] { return sink.Count() >= 5; })) << source->Status().connect_count;
  EXPECT_GE(source->Status().connect_count, 2U);
}

TEST_F(MqttSourceTest, TheWatchdogReplacesAConnectionThatIsSilent) {
  Broker broker;
  Hop hop(broker.ports().tcp);
  RecordingSink sink;
  MqttSource::Options options = Fast();
  options.keep_alive = seconds(60);  // pings would not notice in time
  options.watchdog.silence = milliseconds(500);
  options.watchdog.first_reconnect_gap = milliseconds(500);
  auto source = Connected(broker, Config(Url("mqtt", hop.port())), sink, options);
  hop.FreezePresentConnections();
  Publish(broker.ports().tcp, kTopic, Numbered(1, 5), 1);
  EXPECT_TRUE(Eventually([&] { return sink.Count() >= 5; }));
  EXPECT_GE(source->Status().connect_count, 2U);
}

TEST_F(MqttSourceTest, StopsAtOnceWhileABrokerDoesNotAnswer) {
  Broker broker;
  Hop hop(broker.ports().tcp);
  MqttSource::Options options = Fast();
  RecordingSink sink;
  broker.Stop();
  MqttSource source(Config(Url("mqtt", hop.port())), SourceIndex{0}, options);
  source.Start(sink);
  ASSERT_TRUE(Eventually([&] { return hop.ConnectionCount() > 0; }));
  const auto start = std::chrono::steady_clock::now();
  source.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(4));
}

TEST(MqttAddressTest, MapsSchemesAndPorts) {
  struct Case {
    const char* url;
    const char* uri;
    const char* shown;
  };
  const Case cases[] = {
      {"mqtt://host", "tcp://host:1883", "mqtt://host:1883"},
      {"mqtts://host", "ssl://host:8883", "mqtts://host:8883"},
      {"ws://host/mqtt", "ws://host:80/mqtt", "ws://host:80/mqtt"},
      {"wss://user:pw@host:444/p", "wss://host:444/p", "wss://host:444/p"},
      {"tcp://[::1]:5", "tcp://[::1]:5", "tcp://[::1]:5"},
      {"ssl://[::1]", "ssl://[::1]:8883", "ssl://[::1]:8883"},
  };
  for (const Case& c : cases) {
    const auto address = ParseMqttAddress(c.url);
    ASSERT_TRUE(address) << c.url;
    EXPECT_EQ(address->uri, c.uri);
    EXPECT_EQ(address->shown, c.shown);
  }
  for (const char* bad : {"", "host", "http://host", "mqtt://", "mqtt://:1883", "mqtt://host:0",
                          "mqtt://host:x", "mqtt://host:70000"}) {
    EXPECT_FALSE(ParseMqttAddress(bad)) << bad;
  }
}

TEST(MqttAddressTest, TheClientIdIsStableAndFitsEveryBroker) {
  EXPECT_EQ(DeriveClientId("a", {"i", "v"}), DeriveClientId("a", {"i", "v"}));
  EXPECT_NE(DeriveClientId("a", {"i", "v"}), DeriveClientId("a", {"i", "w"}));
  EXPECT_NE(DeriveClientId("a", {"i", "bv"}), DeriveClientId("ab", {"i", "v"}));
  EXPECT_EQ(DeriveClientId("a", {"i", "v"}).size(), 23U);
}

TEST(MqttAddressTest, TheClientIdsOfTwoInstallationsOnOnePathDiffer) {
  EXPECT_NE(DeriveClientId("a", {"i", "/var/lib/heliograph"}),
            DeriveClientId("a", {"j", "/var/lib/heliograph"}));
}

}  // namespace
}  // namespace heliograph::ingestor
