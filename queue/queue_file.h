#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/crypto.h"
#include "queue/envelope.h"
#include "queue/posix_file.h"

namespace heliograph::queue {

/// The largest payload that is written and read.
inline constexpr std::uint64_t kMaxPayloadBytes = 64ULL * 1024 * 1024;

/// Why a file cannot be what a publisher wrote. It will never become better: it belongs into quarantine.
enum class RefusalReason : std::uint8_t {
  kUnsafeName,      ///< not of the form that FileName writes
  kNotRegularFile,  ///< a symbolic link, folder, FIFO, socket or device
  kOversizedHeader,
  kOversizedPayload,
  kMalformedHeader,  ///< no header, a missing, mistyped, unknown or repeated member, or an impossible value
  kUnknownFormat,
  kUnknownKind,
  kNameMismatch,   ///< the header says another sequence number, id or kind than the name
  kTorn,           ///< ends before its header or payload does
  kTrailingBytes,  ///< goes on after its payload
  kDigestMismatch,
};

/// Lower-case with underscores: "digest_mismatch".
std::string_view Name(RefusalReason reason);

/// Why a file could not be read: it is bad for good, or cannot be had just now.
struct ReadError {
  enum class Verdict : std::uint8_t {
    kRefused,     ///< final: see RefusalReason
    kUnreadable,  ///< the file is not judged and is to be tried again later, unless `code` is ENOENT: then it
                  ///< has gone
  };
  Verdict verdict{};
  std::string text;        ///< for a person
  RefusalReason reason{};  ///< of a refusal
  /// Of a refusal, under which the ledger records it: "bad:" and 64 hexadecimal digits of a digest of the
  /// name and the first bytes. Never the id that the header claims, for a damaged copy must not burn the id
  /// of the genuine file.
  std::string ledger_id;
  int code = 0;  ///< errno, when unreadable

  bool refused() const { return verdict == Verdict::kRefused; }
};

/// A file that is what its publisher wrote, to the last bit.
struct QueueFile {
  Envelope envelope;
  std::string payload;
  /// SHA-256 of the header line. As the line contains the payload's digest, it identifies the whole file.
  Sha256Digest digest{};
  std::uint64_t size = 0;  ///< of the whole file, in bytes
};

/// Reads and verifies the file `name` of the open folder: name, type, size, header, agreement of the two,
/// length and digest. Follows no link and never blocks, whatever lies there. Holds at most
/// `max_payload_bytes` and a header in memory. `path` is for messages alone.
tl::expected<QueueFile, ReadError> ReadQueueFile(int folder, std::string_view name, std::string_view path,
                                                 std::uint64_t max_payload_bytes);

/// The same for the header alone: name, type, size, header and agreement are checked, the payload's bytes are
/// not.
tl::expected<Envelope, ReadError> ReadEnvelope(int folder, std::string_view name, std::string_view path,
                                               std::uint64_t max_payload_bytes);

}  // namespace heliograph::queue
