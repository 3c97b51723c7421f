#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/crypto.h"
#include "common/time.h"
#include "common/ulid.h"

namespace heliograph::queue {

/// What a queue file asks the ingestor to do.
enum class Kind : std::uint8_t {
  kMultibyteSnapshot,
  kClusterSnapshot,
  kNeighborSnapshot,
  kClusterJob,
  kOverride,
  kItemBatch,
  kBranchRequest,
  kPin,
  kRevert,
  kPruneRequest,
  kPacketInject,
};

/// The name that headers and file names have: "multibyte-snapshot".
std::string_view Name(Kind kind);
/// Nothing when no kind has that name.
std::optional<Kind> KindNamed(std::string_view name);
std::span<const Kind> AllKinds();

/// The only format of queue files that this version writes and reads.
inline constexpr std::int64_t kEnvelopeFormat = 1;
/// The longest header line, without its line feed.
inline constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
/// The longest `stream`, `epoch`, `instance` and `actor`, in bytes of UTF-8.
inline constexpr std::size_t kMaxEnvelopeText = 256;

/// The header of a queue file: who asks for what, on which state it rests, and what the payload must be.
struct Envelope {
  std::int64_t format = kEnvelopeFormat;
  Kind kind{};
  std::string stream;  ///< files of one stream replace or follow each other: "multibyte", "clusters/mesh"
  Ulid id;             ///< minted once; the ledger knows the file by it
  std::string epoch;   ///< of the database that the content was computed from
  std::int64_t branch_id = 1;        ///< 1 is main
  std::int64_t base_commit_seq = 0;  ///< the head of the branch that the content rests on; 0: on none
  UtcMillis created_at{};            ///< wall clock of the producer
  std::string instance;              ///< the producer's boot
  std::int64_t producer_seq = 0;     ///< from 1, rising; the order of application
  std::int64_t watermark = 0;  ///< highest observation id that the content was computed from; 0: from none
  std::string actor;           ///< who asked: a person, a job, the server itself
  std::uint64_t payload_bytes = 0;
  Sha256Digest payload_sha256{};

  bool operator==(const Envelope&) const = default;
};

/// What is wrong with a header line.
enum class EnvelopeFault : std::uint8_t {
  kOversized,      ///< longer than kMaxHeaderBytes
  kMalformed,      ///< no JSON object in valid UTF-8
  kUnknownFormat,  ///< `format` is another number than kEnvelopeFormat
  kMissingMember,
  kMistypedMember,  ///< another JSON type, or a text that does not spell what the member holds
  kUnknownMember,
  kDuplicateMember,
  kUnknownKind,
  kImpossibleValue,  ///< the right type, out of its range: a number too small, a text empty, too long or
                     ///< unprintable
};

struct EnvelopeError {
  EnvelopeFault fault{};
  std::string text;  ///< for a person; names the member
};

/// Reads a header line, without its line feed. Takes nothing that SerializeHeader would not write, apart from
/// the order of the members and white space.
tl::expected<Envelope, EnvelopeError> ParseHeader(std::string_view line);

/// The header line without a line feed; never longer than kMaxHeaderBytes. An error when a value is out of
/// its range.
tl::expected<std::string, EnvelopeError> SerializeHeader(const Envelope& envelope);

/// What a file name says. It gives the order; the header is the identity and must agree.
struct FileName {
  std::int64_t producer_seq = 0;
  Ulid id;
  Kind kind{};

  /// `<producer_seq, 20 digits>-<id>.<kind>`
  std::string ToText() const;
  /// Nothing for a name of any other form; such a name is unsafe.
  static std::optional<FileName> Parse(std::string_view text);
  static FileName Of(const Envelope& envelope) { return {envelope.producer_seq, envelope.id, envelope.kind}; }

  bool operator==(const FileName&) const = default;
};

}  // namespace heliograph::queue
