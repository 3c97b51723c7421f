#include "tests/meshsim/mqtt_publisher.h"

#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "ingestor/mqtt_address.h"

namespace heliograph::meshsim {
namespace {

using std::chrono::seconds;

constexpr int kQos = 1;
constexpr int kInFlight = 1000;
constexpr std::size_t kMostUnacknowledged = 2000;
constexpr seconds kConnectTimeout(5), kAnswerTimeout(30);
constexpr int kAttempts = 10;  // to connect anew, a second apart

}  // namespace

MqttPublisher::MqttPublisher(MqttTarget target) : target_(std::move(target)) {
  const auto address = ingestor::ParseMqttAddress(target_.url);
  if (!address) throw std::runtime_error("--mqtt: this is no address like mqtt://HOST:PORT");
  shown_ = address->shown;
  mqtt::create_options options(MQTTVERSION_3_1_1);
  options.set_max_buffered_messages(
      2 * static_cast<int>(kMostUnacknowledged));  // Paho counts those on their way too
  client_ =
      std::make_unique<mqtt::async_client>(address->uri, "meshsim-" + std::to_string(getpid()), options);
  try {
    Connect();
  } catch (const mqtt::exception& error) {
    Fail(error.what());
  }
}

void MqttPublisher::Connect() {
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_3_1_1);
  options.set_clean_session(true);
  options.set_connect_timeout(kConnectTimeout);
  options.set_max_inflight(kInFlight);
  if (!target_.username.empty()) options.set_user_name(target_.username);
  if (!target_.password.empty()) options.set_password(target_.password);
  if (!client_->connect(options)->wait_for(kConnectTimeout + seconds(2))) {
    throw mqtt::exception(MQTTASYNC_FAILURE, "no answer");
  }
}

void MqttPublisher::Publish(std::string_view topic, std::string_view payload) {
  while (unacknowledged_.size() >= kMostUnacknowledged) AwaitOldest();
  const auto message = mqtt::make_message(std::string(topic), payload.data(), payload.size(), kQos, false);
  try {
    Send(message);
  } catch (const mqtt::exception&) {
    StartOver();
    Send(message);
  }
}

void MqttPublisher::Finish() {
  while (!unacknowledged_.empty()) AwaitOldest();
  try {
    client_->disconnect()->wait_for(kConnectTimeout);
  } catch (const mqtt::exception&) {
    // The connection broke after the last acknowledgement: nothing is missing.
  }
}

void MqttPublisher::Send(mqtt::const_message_ptr message) {
  unacknowledged_.push_back(client_->publish(std::move(message)));
}

void MqttPublisher::AwaitOldest() {
  bool acknowledged = false;
  try {
    acknowledged = unacknowledged_.front()->wait_for(kAnswerTimeout);
  } catch (const mqtt::exception&) {
    return StartOver();
  }
  if (!acknowledged) Fail("it acknowledges nothing");
  unacknowledged_.pop_front();
}

void MqttPublisher::StartOver() {
  std::vector<mqtt::const_message_ptr> again;
  for (const auto& token : unacknowledged_) again.push_back(token->get_message());
  std::string reason;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    try {
      if (!client_->is_connected()) Connect();
      unacknowledged_.clear();
      for (const auto& message : again) Send(message);
      return;
    } catch (const mqtt::exception& error) {
      reason = error.what();
      std::this_thread::sleep_for(seconds(1));
    }
  }
  Fail("the connection was lost: " + reason);
}

void MqttPublisher::Fail(const std::string& what) const {
  throw std::runtime_error("cannot publish to " + shown_ + ": " + what +
                           "; see that the broker runs and lets this user in");
}

}  // namespace heliograph::meshsim
