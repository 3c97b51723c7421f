#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mqtt/async_client.h>

#include "common/config.h"
#include "ingestor/mqtt_address.h"
#include "ingestor/mqtt_source.h"

namespace heliograph::ingestor {

/// The inside of MqttSource: the supervisor's thread that owns the client, the thread that hands over what
/// has gathered, and the callbacks, which run in Paho's thread under Paho's lock and hence never call Paho.
class MqttSource::Session final : public mqtt::callback {
 public:
  Session(MqttSourceConfig config, SourceIndex index, Options options);
  ~Session() override;

  void Start(MessageSink& sink);
  void Stop();
  SourceStatus Status() const;
  SourceAlarm Alarm() const;

  void message_arrived(mqtt::const_message_ptr message) override;
  void connection_lost(const std::string& cause) override;

 private:
  using Clock = std::chrono::steady_clock;

  void Supervise();
  /// Connects and subscribes once. False when that failed or the source is stopping.
  bool Connect();
  void Subscribe();
  void CreateClient();
  void Disconnect();
  void ReportGap(bool session_present);
  void RunWatchdog();
  /// Waits in slices, so that a stopping source does not wait out a time-out. Throws mqtt::exception when the
  /// action failed.
  bool AwaitToken(mqtt::token& token, std::chrono::milliseconds timeout);
  mqtt::connect_options ConnectOptions();

  void Gather(Receipt receipt);
  /// What has gathered. REQUIRED: submit_mutex_ is held.
  std::vector<Receipt> TakePending();
  void HandOverAndWait(Receipt receipt);
  void FlushLoop();
  /// Hands over what has gathered. REQUIRED: submit_mutex_ is held.
  void Flush();
  void CountHandedOver(std::size_t count, Clock::time_point start);
  void RefuseFurther();

  void SetConnected(bool connected);
  void SetError(const std::string& error);

  const MqttSourceConfig config_;
  const SourceIndex index_;
  const Options options_;
  const MqttAddress address_;
  MessageSink* sink_ = nullptr;

  std::unique_ptr<mqtt::async_client> client_;  ///< of the supervisor's thread
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> sink_stopped_ = false;

  std::mutex submit_mutex_;  ///< keeps batches in order; taken before the next one
  std::mutex pending_mutex_;
  std::condition_variable pending_changed_;
  std::vector<Receipt> pending_;
  std::size_t pending_bytes_ = 0;
  bool flusher_may_end_ = false;

  mutable std::mutex status_mutex_;
  std::condition_variable supervisor_wakes_;
  SourceStatus status_;
  SourceWatchdog watchdog_;
  SourceAlarm alarm_ = SourceAlarm::kNone;

  std::thread supervisor_, flusher_;
};

}  // namespace heliograph::ingestor
