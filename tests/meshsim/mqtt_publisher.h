#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <mqtt/async_client.h>

namespace heliograph::meshsim {

struct MqttTarget {
  std::string url;       ///< as ingestor::ParseMqttAddress reads it
  std::string username;  ///< none when empty
  std::string password;
};

/// Publishes messages to a broker with QoS 1, in order. Not thread-safe. Its methods throw std::runtime_error
/// when the broker can't be reached or refuses; the text names the broker without secrets.
class MqttPublisher {
 public:
  /// Connects.
  explicit MqttPublisher(MqttTarget target);

  /// Sends the message. Waits when many are not acknowledged yet; connects anew when the connection is lost,
  /// and sends these again.
  void Publish(std::string_view topic, std::string_view payload);
  /// Returns when the broker has acknowledged everything.
  void Finish();

 private:
  void Connect();
  void Send(mqtt::const_message_ptr message);
  void AwaitOldest();
  void StartOver();
  [[noreturn]] void Fail(const std::string& what) const;

  MqttTarget target_;
  std::string shown_;
  std::unique_ptr<mqtt::async_client> client_;
  std::deque<mqtt::delivery_token_ptr> unacknowledged_;
};

}  // namespace heliograph::meshsim
