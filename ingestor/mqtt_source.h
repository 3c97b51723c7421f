#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/config.h"
#include "ingestor/mqtt_address.h"
#include "ingestor/receipt.h"
#include "ingestor/source_watchdog.h"

namespace heliograph::ingestor {

/// Messages of one MQTT broker, over Eclipse Paho.
///
/// The session is persistent: the broker keeps what arrives while nobody is connected, if it is told to. The
/// source connects until it succeeds, with a pause that grows to 30 s, subscribes after each connection, and
/// connects anew when its watchdog says so. One broker that can't be reached hinders nobody.
///
/// A message of QoS 1 is acknowledged after it is committed: Paho acknowledges when its callback returns, and
/// the callback waits for the sink. When the sink stops first, the connection is cut before the callback
/// returns, so that the message stays with the broker. Messages of QoS 0 are handed over in small batches.
/// When the sink has no room, the source stops reading, and TCP holds the broker back.
///
/// Stop the source while the writer still works, or after the sink was stopped: Stop waits for a message that
/// waits for its commit. Paho serves all connections of a process from one thread, with one lock: a broker
/// whose messages wait makes the others wait.
class MqttSource final : public Source {
 public:
  struct Options {
    VolumeIdentity volume;  ///< part of the derived client id
    /// Since when an earlier process has not been connected; nothing when there was none.
    std::optional<UtcMillis> away_since;
    std::chrono::milliseconds keep_alive = std::chrono::seconds(30);  ///< in whole seconds
    std::chrono::milliseconds first_retry = std::chrono::seconds(1);
    std::chrono::milliseconds last_retry = std::chrono::seconds(30);
    std::chrono::milliseconds flush_interval{10};  ///< longest time that a message of QoS 0 waits for company
    std::size_t flush_messages = 512;
    std::size_t most_pending = 8192;            ///< messages of QoS 0 held while the sink has no room
    std::size_t most_pending_bytes = 16 << 20;  ///< of their payloads, and one message more
    SourceWatchdog::Options watchdog;
  };

  /// Throws std::invalid_argument when `config.broker` is no address (LoadConfig has checked it).
  MqttSource(MqttSourceConfig config, SourceIndex index, Options options);
  ~MqttSource() override;

  void Start(MessageSink& sink) override;
  void Stop() override;
  bool AtEnd() const override { return false; }
  SourceStatus Status() const override;
  /// What the watchdog thinks of it. Thread-safe.
  SourceAlarm Alarm() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace heliograph::ingestor
