#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/volume.h"
#include "queue/envelope.h"
#include "queue/folders.h"
#include "queue/queue_file.h"

namespace heliograph::queue {

struct PublishLimits {
  std::uint64_t max_payload_bytes = kMaxPayloadBytes;
  std::size_t max_files = 1000;  ///< entries of `new`, whoever made them; at this many nothing is published
};

/// What the caller says of a file; the publisher adds id, sequence number, instance, length and digest. The
/// members mean what they mean in Envelope.
struct EnvelopeFields {
  Kind kind{};
  std::string stream;
  std::string epoch;
  std::int64_t branch_id = 1;
  std::int64_t base_commit_seq = 0;
  std::int64_t watermark = 0;
  std::string actor;
  UtcMillis created_at{};
};

struct PublishedFile {
  Ulid id;
  std::int64_t producer_seq = 0;
  std::string name;
};

enum class PublishFault : std::uint8_t {
  kInvalidFields,  ///< a field is out of its range; the same fields will always fail
  kPayloadTooLarge,
  kFolderFull,         ///< as many files wait as may; the ingestor is down or behind
  kSequenceExhausted,  ///< no number is left above the highest known one
  kIo,                 ///< nothing was published, and nothing is left behind
  kDurabilityUnknown,  ///< the file is whole in `new` and may be applied, but a power cut could still take it
                       ///< away
};

struct PublishError {
  PublishFault fault{};
  int code = 0;      ///< errno, for the last two faults
  std::string text;  ///< for a person
  std::optional<PublishedFile>
      file;  ///< present exactly for kDurabilityUnknown: ask the ledger before doing it again
};

/// Why a publisher could not start.
struct OpenPublisherError {
  enum class Fault : std::uint8_t {
    kHeldByAnother,  ///< another process publishes on this volume; programs exit with 3
    kIo,
  };
  Fault fault{};
  std::string text;
};

/// A file that waits in `new`.
struct PendingFile {
  std::string name;
  Envelope envelope;
};

struct Pending {
  std::vector<PendingFile> files;  ///< in the order of application
  /// Entries of `new` that are no queue files, cannot be read, or exceed the limit; the ingestor judges them.
  std::size_t unread = 0;
};

/// The one producer of a volume's queue: holds its lock for as long as it lives. Thread-safe.
class Publisher {
 public:
  /// Makes what is missing of the folders, takes the lock on `server.lock`, removes temporary files that an
  /// earlier producer left, and makes the present content of `new` durable. `instance` is the producer's boot
  /// id; it goes into every header. The lock is freed by the kernel when the process ends in whatever way.
  static tl::expected<std::unique_ptr<Publisher>, OpenPublisherError> Open(const Volume& volume,
                                                                           std::string instance,
                                                                           PublishLimits limits = {});

  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() = default;

  /// Tells the highest producer_seq that the ledger holds; lower ones than known are ignored. REQUIRED: once
  /// after Open and before the first Publish, read from the database after Open returned (a file that is
  /// applied between the two readings is then seen by one of them); and again when the database becomes
  /// readable later.
  void ObserveLedger(std::int64_t highest_producer_seq);

  /// Hands one file over. On success it is whole and durable in `new`, under the highest number known plus
  /// one. On an error nothing of it is left, but for kDurabilityUnknown. One file is written at a time.
  tl::expected<PublishedFile, PublishError> Publish(const EnvelopeFields& fields, std::string_view payload);

  /// What waits in `new`, by its headers. Payloads are not read or verified. Bounded by
  /// PublishLimits::max_files.
  tl::expected<Pending, IoError> List() const;

  /// The files of `stream` among them. A periodic stream must have none before its next file is published.
  tl::expected<std::vector<PendingFile>, IoError> Outstanding(std::string_view stream) const;

  /// True when `new` has an entry whose name says this id. Opens no file.
  tl::expected<bool, IoError> Holds(const Ulid& id) const;

  /// The whole of a file that List named; unreadable with ENOENT once the ingestor has taken it.
  tl::expected<QueueFile, ReadError> Read(std::string_view name) const;

  /// Temporary files that Open removed.
  std::size_t swept() const { return swept_; }

 private:
  Publisher(Folders folders, FileDescriptor lock, std::string instance, PublishLimits limits);

  /// What `new` holds: how many entries, and the highest sequence number among their names.
  struct Waiting {
    std::size_t entries = 0;
    std::int64_t sequence = 0;
  };

  tl::expected<std::size_t, IoError> SweepTemporaries();
  tl::expected<Waiting, IoError> HighestWaiting() const;
  /// The number for the next file, above all that are known; an error when the folder is full.
  tl::expected<std::int64_t, PublishError> NextSequence() const;
  tl::expected<void, PublishError> WriteDurably(const PublishedFile& file, std::string_view header,
                                                std::string_view payload);

  const Folders folders_;
  const FileDescriptor lock_;
  const std::string instance_;
  const PublishLimits limits_;
  std::size_t swept_ = 0;
  mutable std::mutex mutex_;
  std::int64_t last_sequence_ =
      0;  ///< highest of the ledger, of `new` and of this producer; guarded by mutex_
};

}  // namespace heliograph::queue
