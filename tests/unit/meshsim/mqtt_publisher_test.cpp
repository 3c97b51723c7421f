#include "tests/meshsim/mqtt_publisher.h"

#include <gtest/gtest.h>

#include "tests/meshsim/capture_writer.h"
#include "tests/unit/ingestor/broker.h"
#include "tests/unit/meshsim/small_capture.h"

namespace heliograph::meshsim {
namespace {

class MqttPublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ingestor::Broker::IsInstalled()) GTEST_SKIP() << "mosquitto is not installed";
  }
  static std::string Url(const ingestor::Broker& broker) {
    return "mqtt://127.0.0.1:" + std::to_string(broker.ports().tcp);
  }
  static std::unique_ptr<mqtt::async_client> Subscribe(const ingestor::Broker& broker) {
    auto subscriber = std::make_unique<mqtt::async_client>(Url(broker), "reader");
    subscriber->start_consuming();
    subscriber->connect()->wait();
    subscriber->subscribe("meshcore/#", 1)->wait();
    return subscriber;
  }
};

TEST(CaptureLine, HasATopicAndAPayloadForTheBroker) {
  for (const std::string& line : UsualCapture().lines) {
    const auto message = nlohmann::json::parse(line);
    const LineParts parts = PartsOf(line);
    EXPECT_EQ(parts.topic, message.at("topic"));
    EXPECT_EQ(nlohmann::json::parse(parts.payload), message.at("payload"));
  }
}

TEST_F(MqttPublisherTest, ASubscriberGetsEachMessageInOrder) {
  const ingestor::Broker broker;
  const auto subscriber = Subscribe(broker);
  MqttPublisher publisher({Url(broker), "", ""});
  for (const std::string& line : UsualCapture().lines) {
    publisher.Publish(PartsOf(line).topic, PartsOf(line).payload);
  }
  publisher.Finish();
  for (const std::string& line : UsualCapture().lines) {
    mqtt::const_message_ptr message;
    ASSERT_TRUE(subscriber->try_consume_message_for(&message, std::chrono::seconds(10)));
    EXPECT_EQ(message->get_topic(), PartsOf(line).topic);
    EXPECT_EQ(message->get_payload_str(), PartsOf(line).payload);
    EXPECT_EQ(message->get_qos(), 1);
  }
}

TEST_F(MqttPublisherTest, ABrokerThatReturnsGetsTheRest) {
  ingestor::Broker broker;
  MqttPublisher publisher({Url(broker), "", ""});
  publisher.Publish("meshcore/a", "before");
  broker.Stop();
  broker.Start();
  const auto subscriber = Subscribe(broker);
  publisher.Publish("meshcore/a", "after");
  publisher.Finish();
  mqtt::const_message_ptr message;
  do {
    ASSERT_TRUE(subscriber->try_consume_message_for(&message, std::chrono::seconds(10)));
  } while (message->get_payload_str() == "before");  // sent again when its acknowledgement was lost
  EXPECT_EQ(message->get_payload_str(), "after");
}

TEST_F(MqttPublisherTest, ABrokerThatRefusesIsNamedWithoutSecrets) {
  const ingestor::Broker broker(false, "secret");
  try {
    MqttPublisher publisher({Url(broker), "observer", "wrong"});
    FAIL() << "the broker let it in";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(Url(broker).substr(7)), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("wrong"), std::string::npos);
  }
}

TEST(MqttPublisher, NoAddressIsRefused) {
  EXPECT_THROW(MqttPublisher({"what", "", ""}), std::runtime_error);
}

}  // namespace
}  // namespace heliograph::meshsim
