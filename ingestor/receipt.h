#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"

namespace heliograph::ingestor {

/// Which of the ingestor's sources a message came from: an index into the list that it was started with.
enum class SourceIndex : std::uint16_t {};

/// One message exactly as a source handed it over, before anything in it is believed.
struct Receipt {
  SourceIndex source{};
  UtcMillis
      received_at{};  ///< arrival for MQTT, `received_at` for a capture file; never later than the wall clock
  std::string topic;
  std::string payload;    ///< the JSON document that the observer published
  bool retained = false;  ///< kept by the broker, so it tells nothing about now
};

/// What a source knows of itself, for the operator. Counters run from the start of the process.
struct SourceStatus {
  std::string name;
  std::string kind;     ///< "mqtt", "capture" or "queue"
  std::string address;  ///< without any secret
  bool connected = false;
  std::optional<UtcMillis> last_connect;
  std::optional<UtcMillis> last_disconnect;
  std::optional<UtcMillis> last_receipt;
  std::uint64_t connect_count = 0;
  std::uint64_t disconnect_count = 0;
  std::uint64_t received = 0;             ///< messages handed over
  std::uint64_t unreadable = 0;           ///< lines or messages that are no message at all
  std::uint64_t stalls = 0;               ///< times the source had to wait for the writer
  std::optional<std::string> last_error;  ///< cleared by the next success
};

/// Where sources put what they receive. Thread-safe.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  /// Takes the batch, waiting while the bounded queue is full. False when the ingestor is stopping: the batch
  /// was not taken, and the source must end.
  virtual bool Submit(std::vector<Receipt> batch) = 0;
  /// The same, and returns only once every message of the batch is committed or refused. False when the
  /// ingestor stops before that: the source must not acknowledge the batch.
  virtual bool SubmitAndWait(std::vector<Receipt> batch) = 0;
};

/// Something that messages come from. It runs threads of its own between Start and Stop.
class Source {
 public:
  virtual ~Source() = default;
  /// REQUIRED: called once; `sink` outlives the source.
  virtual void Start(MessageSink& sink) = 0;
  /// Ends the source's threads and returns when they have ended. May be called more than once.
  virtual void Stop() = 0;
  /// True when the source will never deliver anything more. Always false for a live one.
  virtual bool AtEnd() const = 0;
  virtual SourceStatus Status() const = 0;
};

}  // namespace heliograph::ingestor
