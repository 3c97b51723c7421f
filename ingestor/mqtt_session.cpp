#include "ingestor/mqtt_session.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/log.h"
#include "ingestor/connection_cutter.h"

namespace heliograph::ingestor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTokenSlice{50};
constexpr milliseconds kDisconnectTimeout{2000};
constexpr milliseconds kSubscribeTimeout{10000};
constexpr milliseconds kStall{5};
constexpr int kRefusedSubscription = 0x80;

MqttAddress AddressOf(const MqttSourceConfig& config) {
  std::optional<MqttAddress> address = ParseMqttAddress(config.broker);
  if (!address) {
    throw std::invalid_argument("source " + config.name + ": its broker is no address like mqtt://HOST:PORT");
  }
  return std::move(*address);
}

/// Why the broker refused, for the return codes of CONNACK in MQTT 3.1.1.
std::string Describe(const mqtt::exception& error) {
  switch (error.get_return_code()) {
    case 1:
      return "the broker does not speak MQTT 3.1.1";
    case 2:
      return "the broker refuses the client id; set another clientId";
    case 3:
      return "the broker is not available now";
    case 4:
      return "the broker refuses the user name or password";
    case 5:
      return "the broker does not let this user in";
    case MQTTASYNC_FAILURE:
      return std::string("no connection: the broker can't be reached, or its certificate is not trusted (") +
             error.what() + ")";
    default:
      return error.what();
  }
}

}  // namespace

MqttSource::Session::Session(MqttSourceConfig config, SourceIndex index, Options options)
    : config_(std::move(config)),
      index_(index),
      options_(std::move(options)),
      address_(AddressOf(config_)),
      watchdog_(options_.watchdog, config_.name, Clock::now()) {
  status_.name = config_.name;
  status_.kind = "mqtt";
  status_.address = address_.shown;
  status_.last_disconnect = options_.away_since;
}

MqttSource::Session::~Session() {
  Stop();
}

void MqttSource::Session::Start(MessageSink& sink) {
  sink_ = &sink;
  flusher_ = std::thread([this] { FlushLoop(); });
  supervisor_ = std::thread([this] { Supervise(); });
}

void MqttSource::Session::Stop() {
  {
    const std::lock_guard lock(status_mutex_);
    stopping_ = true;
  }
  supervisor_wakes_.notify_all();
  if (supervisor_.joinable()) supervisor_.join();
  {
    const std::lock_guard lock(pending_mutex_);
    flusher_may_end_ = true;
  }
  pending_changed_.notify_all();
  if (flusher_.joinable()) flusher_.join();
}

SourceStatus MqttSource::Session::Status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

SourceAlarm MqttSource::Session::Alarm() const {
  const std::lock_guard lock(status_mutex_);
  return alarm_;
}

void MqttSource::Session::Supervise() {
  const milliseconds shortest = std::min(options_.watchdog.silence, options_.watchdog.disconnection);
  const milliseconds tick = std::clamp<milliseconds>(shortest / 10, milliseconds(20), seconds(5));
  milliseconds retry = options_.first_retry;
  Clock::time_point next_attempt = Clock::now();
  while (!stopping_) {
    if (!Status().connected && !sink_stopped_ && Clock::now() >= next_attempt) {
      retry = Connect() ? options_.first_retry : std::min(2 * retry, options_.last_retry);
      next_attempt = Clock::now() + retry;
    }
    RunWatchdog();
    std::unique_lock lock(status_mutex_);
    const Clock::time_point until = status_.connected || sink_stopped_
                                        ? Clock::now() + tick
                                        : std::min(next_attempt, Clock::now() + tick);
    supervisor_wakes_.wait_until(lock, until, [this, connected = status_.connected] {
      return stopping_ || status_.connected != connected;
    });
  }
  Disconnect();
  client_.reset();
}

void MqttSource::Session::CreateClient() {
  client_.reset();
  const std::string client_id =
      config_.client_id.empty() ? DeriveClientId(config_.name, options_.volume) : config_.client_id;
  // Nothing is published, so there is nothing for Paho to persist.
  client_ = std::make_unique<mqtt::async_client>(address_.uri, client_id);
  client_->set_callback(*this);
}

mqtt::connect_options MqttSource::Session::ConnectOptions() {
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_3_1_1);
  options.set_clean_session(false);
  options.set_keep_alive_interval(std::chrono::duration_cast<seconds>(options_.keep_alive));
  options.set_connect_timeout(config_.connect_timeout);
  if (!config_.username.empty()) options.set_user_name(config_.username);
  if (!config_.password.empty()) options.set_password(config_.password);
  if (address_.tls) {
    mqtt::ssl_options tls;
    tls.set_enable_server_cert_auth(config_.reject_unauthorized);
    tls.set_verify(config_.reject_unauthorized);
    if (!config_.ca_file.empty()) tls.set_trust_store(config_.ca_file.string());
    options.set_ssl(std::move(tls));
  }
  return options;
}

bool MqttSource::Session::Connect() {
  try {
    if (client_ == nullptr) CreateClient();
    const mqtt::token_ptr token = client_->connect(ConnectOptions());
    // A little more than Paho's own time-out, which gives the better error.
    if (!AwaitToken(*token, config_.connect_timeout + seconds(2))) {
      if (!stopping_) SetError("no answer from " + address_.shown);
      client_.reset();
      return false;
    }
    const bool session_present = token->get_connect_response().is_session_present();
    SetConnected(true);
    ReportGap(session_present);
    Subscribe();
    return true;
  } catch (const mqtt::exception& error) {
    SetError(Describe(error));
    Disconnect();
    return false;
  }
}

void MqttSource::Session::Subscribe() {
  const auto topics = mqtt::string_collection::create(config_.topics);
  const mqtt::iasync_client::qos_collection levels(config_.topics.size(), config_.qos);
  const mqtt::token_ptr token = client_->subscribe(topics, levels);
  if (!AwaitToken(*token, kSubscribeTimeout)) {
    if (!stopping_) throw mqtt::exception(MQTTASYNC_FAILURE, "no answer to the subscription");
    return;
  }
  const std::vector<mqtt::ReasonCode> granted = token->get_subscribe_response().get_reason_codes();
  for (std::size_t i = 0; i < granted.size() && i < config_.topics.size(); ++i) {
    if (static_cast<int>(granted[i]) >= kRefusedSubscription) {
      SetError("the broker refuses the topic " + config_.topics[i] +
               "; correct topics or the broker's access list");
    }
  }
}

bool MqttSource::Session::AwaitToken(mqtt::token& token, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (!token.wait_for(kTokenSlice)) {
    if (stopping_ || Clock::now() >= deadline) return false;
  }
  return true;
}

void MqttSource::Session::Disconnect() {
  if (client_ == nullptr) return;
  try {
    const mqtt::token_ptr token = client_->disconnect();
    if (!token->wait_for(kDisconnectTimeout)) client_.reset();
  } catch (const mqtt::exception&) {
    // It was not connected, or the connection broke: both are what is wanted. A new client starts without a
    // past.
    client_.reset();
  }
  SetConnected(false);
}

void MqttSource::Session::ReportGap(bool session_present) {
  const SourceStatus status = Status();
  spdlog::info("{}: connected to {}{}", Sanitised(config_.name), address_.shown,
               session_present ? ", which kept the session" : "");
  // Stays in the status until the next connection, for whoever does not read the log.
  if (!session_present && status.last_disconnect) {
    SetError("the broker kept no session, so what was published from " + FormatTime(*status.last_disconnect) +
             " to " + FormatTime(WallClockNow()) + " may be missing");
  }
}

void MqttSource::Session::RunWatchdog() {
  WatchdogVerdict verdict;
  {
    const std::lock_guard lock(status_mutex_);
    verdict = watchdog_.Check(Clock::now());
    alarm_ = verdict.alarm;
  }
  const std::string name = Sanitised(config_.name);
  if (verdict.raised || verdict.reminder) {
    spdlog::warn("{}: {} for {} s ({})", name, Name(verdict.alarm), verdict.lasting.count(), address_.shown);
  }
  if (verdict.recovered) spdlog::info("{}: messages or connection are back", name);
  if (!verdict.reconnect || stopping_ || sink_stopped_) return;
  spdlog::info("{}: connecting anew", name);
  Disconnect();
  client_.reset();
  Connect();
}

void MqttSource::Session::connection_lost(const std::string& cause) {
  SetConnected(false);
  SetError("the connection was lost" + (cause.empty() ? std::string() : ": " + Sanitised(cause)));
}

void MqttSource::Session::SetConnected(bool connected) {
  {
    const std::lock_guard lock(status_mutex_);
    if (status_.connected == connected) return;
    status_.connected = connected;
    if (connected) {
      watchdog_.OnConnected(Clock::now());
      status_.last_connect = WallClockNow();
      ++status_.connect_count;
      status_.last_error.reset();
    } else {
      watchdog_.OnDisconnected(Clock::now());
      status_.last_disconnect = WallClockNow();
      ++status_.disconnect_count;
    }
  }
  supervisor_wakes_.notify_all();
}

void MqttSource::Session::SetError(const std::string& error) {
  const std::lock_guard lock(status_mutex_);
  if (status_.last_error != error) spdlog::warn("{}: {}", Sanitised(config_.name), Sanitised(error));
  status_.last_error = error;
}

void MqttSource::Session::message_arrived(mqtt::const_message_ptr message) {
  Receipt receipt;
  receipt.source = index_;
  receipt.received_at = WallClockNow();
  receipt.topic = message->get_topic();
  receipt.payload = message->get_payload_str();
  receipt.retained = message->is_retained();
  {
    const std::lock_guard lock(status_mutex_);
    watchdog_.OnReceived(Clock::now());
    status_.last_receipt = receipt.received_at;
    ++status_.received;
  }
  if (message->get_qos() == 0) {
    Gather(std::move(receipt));
  } else {
    HandOverAndWait(std::move(receipt));
  }
}

void MqttSource::Session::Gather(Receipt receipt) {
  std::unique_lock lock(pending_mutex_);
  pending_changed_.wait(lock, [this] {
    return sink_stopped_ ||
           (pending_.size() < options_.most_pending && pending_bytes_ < options_.most_pending_bytes);
  });
  if (sink_stopped_) return;
  pending_bytes_ += receipt.payload.size();
  pending_.push_back(std::move(receipt));
  const bool tell = pending_.size() == 1 || pending_.size() == options_.flush_messages;
  lock.unlock();
  if (tell) pending_changed_.notify_all();
}

std::vector<Receipt> MqttSource::Session::TakePending() {
  const std::lock_guard lock(pending_mutex_);
  pending_bytes_ = 0;
  return std::exchange(pending_, {});
}

void MqttSource::Session::HandOverAndWait(Receipt receipt) {
  const std::lock_guard submit_lock(submit_mutex_);
  const Clock::time_point start = Clock::now();
  std::vector<Receipt> batch = TakePending();
  batch.push_back(std::move(receipt));
  if (sink_stopped_ || !sink_->SubmitAndWait(std::move(batch))) {
    RefuseFurther();
    CutConnectionsTo(address_.port);
    return;
  }
  CountHandedOver(1, start);
}

void MqttSource::Session::FlushLoop() {
  std::unique_lock lock(pending_mutex_);
  while (true) {
    pending_changed_.wait(lock, [this] { return flusher_may_end_ || !pending_.empty(); });
    if (pending_.empty()) return;
    pending_changed_.wait_for(lock, options_.flush_interval, [this] {
      return flusher_may_end_ || pending_.size() >= options_.flush_messages;
    });
    lock.unlock();
    {
      const std::lock_guard submit_lock(submit_mutex_);
      Flush();
    }
    pending_changed_.notify_all();
    lock.lock();
  }
}

void MqttSource::Session::Flush() {
  std::vector<Receipt> batch = TakePending();
  if (batch.empty() || sink_stopped_) return;
  const Clock::time_point start = Clock::now();
  const std::size_t count = batch.size();
  if (!sink_->Submit(std::move(batch))) {
    RefuseFurther();
    return;
  }
  CountHandedOver(count, start);
}

void MqttSource::Session::CountHandedOver(std::size_t count, Clock::time_point start) {
  // A commit takes its time; only batches that need none are measured.
  if (count <= 1 || Clock::now() - start < kStall) return;
  const std::lock_guard lock(status_mutex_);
  ++status_.stalls;
}

void MqttSource::Session::RefuseFurther() {
  {
    const std::lock_guard lock(pending_mutex_);
    sink_stopped_ = true;
  }
  pending_changed_.notify_all();
}

}  // namespace heliograph::ingestor
