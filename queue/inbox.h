#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/volume.h"
#include "queue/envelope.h"
#include "queue/folders.h"
#include "queue/quarantine.h"
#include "queue/queue_file.h"

namespace heliograph::queue {

struct InboxLimits {
  std::uint64_t max_payload_bytes = kMaxPayloadBytes;
  std::size_t max_listed = 10'000;  ///< entries that one List returns
  QuarantineLimits quarantine;
};

/// An entry of `new`.
struct ListedFile {
  std::string name;
  std::optional<FileName> parsed;  ///< nothing: the name is unsafe, and Open will refuse the entry
};

struct Listing {
  std::vector<ListedFile> files;
  bool more = false;  ///< `new` holds more than one listing may; list again when these are dealt with
};

/// The ingestor's side of the queue: it sees what was published, takes it away when it is applied, and sets
/// aside what cannot be. Whether a file was applied is the ledger's knowledge, not this class's. Used by one
/// thread.
class Inbox {
 public:
  /// Makes what is missing of the folders (mode 2770) and opens them.
  static tl::expected<Inbox, IoError> Open(const Volume& volume, InboxLimits limits = {});

  /// What lies in `new`: queue files in the order of application (sequence number, then name), then
  /// everything else by name. At most `max_listed` of them, the first ones in that order. An error when the
  /// folder cannot be read, or was removed under the running process.
  tl::expected<Listing, IoError> List() const;

  /// Reads and verifies an entry that List named. A Refusal is final: record it under its ledger_id and
  /// quarantine the entry. An IoError is not: leave the entry and try again later, unless it is ENOENT.
  tl::expected<QueueFile, ReadError> Open(std::string_view name) const;

  /// Removes an entry whose outcome the ledger holds durably, and makes the removal durable. REQUIRED: the
  /// transaction that recorded it has been synced. After an error, ENOENT too, the outcome stands all the
  /// same; a file that is still there is listed again, and the ledger knows it.
  tl::expected<void, IoError> Acknowledge(std::string_view name) const;

  /// Moves an entry to `failed` with `reason`, a text for a person, beside it.
  QuarantineReport Quarantine(std::string_view name, std::string_view reason) const;

 private:
  Inbox(Folders folders, InboxLimits limits) : folders_(std::move(folders)), limits_(limits) {}

  Folders folders_;
  InboxLimits limits_;
};

}  // namespace heliograph::queue
