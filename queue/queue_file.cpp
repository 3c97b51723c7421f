#include "queue/queue_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/bytes.h"

namespace heliograph::queue {
namespace {

/// How much of a file its synthetic ledger id depends on.
constexpr std::size_t kFirstBytes = 4096;

constexpr std::array<std::string_view, 11> kReasonNames{
    "unsafe_name",       "not_regular_file", "oversized_header",
    "oversized_payload", "malformed_header", "unknown_format",
    "unknown_kind",      "name_mismatch",    "torn",
    "trailing_bytes",    "digest_mismatch"};

RefusalReason ReasonOf(EnvelopeFault fault) {
  switch (fault) {
    case EnvelopeFault::kOversized:
      return RefusalReason::kOversizedHeader;
    case EnvelopeFault::kUnknownFormat:
      return RefusalReason::kUnknownFormat;
    case EnvelopeFault::kUnknownKind:
      return RefusalReason::kUnknownKind;
    default:
      return RefusalReason::kMalformedHeader;
  }
}

std::string LedgerIdOf(std::string_view name, std::string_view first_bytes) {
  std::string content(name);
  content.push_back('\0');
  content.append(first_bytes.substr(0, kFirstBytes));
  return "bad:" + ToHexLower(Sha256(AsBytes(content)));
}

tl::unexpected<ReadError> Unreadable(IoError error) {
  return tl::unexpected<ReadError>(
      ReadError{ReadError::Verdict::kUnreadable, std::move(error.text), RefusalReason{}, {}, error.code});
}

/// One file on its way from a name to a verified content.
class Reader {
 public:
  Reader(int folder, std::string_view name, std::string_view path, std::uint64_t max_payload_bytes)
      : folder_(folder), name_(name), path_(path), max_payload_bytes_(max_payload_bytes) {}

  /// Everything but the payload. Afterwards `envelope` is filled.
  tl::expected<void, ReadError> ReadHeader() {
    auto opened = Open();
    if (!opened) return opened;
    const auto parsed_name = FileName::Parse(name_);
    if (!parsed_name)
      return Refuse(RefusalReason::kUnsafeName, "the name has not the form of a queue file's");
    if (size_ > kMaxHeaderBytes + 1 + max_payload_bytes_) {
      return Refuse(RefusalReason::kOversizedPayload, "the file has " + std::to_string(size_) +
                                                          " bytes; a payload may have " +
                                                          std::to_string(max_payload_bytes_));
    }
    if (const auto header = ParseHeaderLine(); !header) return header;
    if (FileName::Of(envelope) != *parsed_name)
      return Refuse(RefusalReason::kNameMismatch, "the header names " + FileName::Of(envelope).ToText());
    return CheckSize(size_);
  }

  /// REQUIRED: ReadHeader succeeded.
  tl::expected<QueueFile, ReadError> ReadPayload() {
    QueueFile file;
    file.digest = Sha256(AsBytes(std::string_view(start_).substr(0, header_bytes_)));
    const auto payload_bytes = static_cast<std::size_t>(envelope.payload_bytes);
    file.payload.reserve(payload_bytes + 1);
    file.payload = std::string_view(start_).substr(header_bytes_ + 1);
    // The one byte more shows a file that grew since its size was asked for.
    const std::size_t rest = payload_bytes + 1 - std::min(file.payload.size(), payload_bytes);
    if (const int code = ReadUpTo(fd_.get(), rest, file.payload); code != 0)
      return Unreadable(ErrorOf(code, "read", path_));
    file.size = header_bytes_ + 1 + file.payload.size();
    if (const auto size = CheckSize(file.size); !size) return tl::unexpected<ReadError>(size.error());
    if (Sha256(AsBytes(file.payload)) != envelope.payload_sha256)
      return Refuse(RefusalReason::kDigestMismatch, "the payload has not the SHA-256 that the header names");
    file.envelope = std::move(envelope);
    return file;
  }

  Envelope envelope;

 private:
  tl::unexpected<ReadError> Refuse(RefusalReason reason, std::string text) const {
    return tl::unexpected<ReadError>(
        ReadError{ReadError::Verdict::kRefused, std::move(text), reason, LedgerIdOf(name_, start_), 0});
  }

  tl::expected<void, ReadError> Open() {
    const bool safe = FileName::Parse(name_).has_value();
    // A slash would lead out of the folder, and nothing that a folder lists is called so.
    if (name_.empty() || name_ == "." || name_ == ".." || name_.find('/') != std::string::npos ||
        name_.find('\0') != std::string::npos)
      return Refuse(RefusalReason::kUnsafeName, "the name is none of a folder's entry");

    struct stat status {};
    if (::fstatat(folder_, name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return Unreadable(LastError("inspect", path_));
    // Before it is opened: to open a device or a FIFO can have effects.
    if (!S_ISREG(status.st_mode)) return RefuseType(safe);

    fd_ = FileDescriptor(OpenAt(folder_, name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!fd_.valid()) {
      // A foreign file need not be readable to be known as foreign.
      if (errno == ELOOP || errno == ENXIO || (!safe && errno != ENOENT)) return RefuseType(safe);
      return Unreadable(LastError("open", path_));
    }
    if (::fstat(fd_.get(), &status) != 0) return Unreadable(LastError("inspect", path_));
    if (!S_ISREG(status.st_mode)) return RefuseType(safe);
    size_ = static_cast<std::uint64_t>(status.st_size);
    if (const int code = ReadUpTo(fd_.get(), kMaxHeaderBytes + 1, start_); code != 0)
      return Unreadable(ErrorOf(code, "read", path_));
    return {};
  }

  tl::unexpected<ReadError> RefuseType(bool safe_name) const {
    if (!safe_name) return Refuse(RefusalReason::kUnsafeName, "the name has not the form of a queue file's");
    return Refuse(RefusalReason::kNotRegularFile,
                  "it is a link, folder, FIFO, socket or device, no regular file");
  }

  tl::expected<void, ReadError> ParseHeaderLine() {
    const auto line_feed = start_.find('\n');
    if (line_feed == std::string::npos && start_.size() > kMaxHeaderBytes) {
      return Refuse(RefusalReason::kOversizedHeader,
                    "the header line is longer than " + std::to_string(kMaxHeaderBytes) + " bytes");
    }
    if (line_feed == std::string::npos)
      return Refuse(RefusalReason::kTorn, "the file ends within its header line");
    header_bytes_ = line_feed;
    auto parsed = ParseHeader(std::string_view(start_).substr(0, line_feed));
    if (!parsed) return Refuse(ReasonOf(parsed.error().fault), parsed.error().text);
    envelope = std::move(*parsed);
    return {};
  }

  tl::expected<void, ReadError> CheckSize(std::uint64_t size) const {
    if (envelope.payload_bytes > max_payload_bytes_) {
      return Refuse(RefusalReason::kOversizedPayload,
                    "the header names a payload of " + std::to_string(envelope.payload_bytes) +
                        " bytes; it may have " + std::to_string(max_payload_bytes_));
    }
    const std::uint64_t expected = header_bytes_ + 1 + envelope.payload_bytes;
    if (size == expected) return {};
    return Refuse(
        size < expected ? RefusalReason::kTorn : RefusalReason::kTrailingBytes,
        "the file has " + std::to_string(size) + " bytes; its header asks for " + std::to_string(expected));
  }

  const int folder_;
  const std::string name_;
  const std::string path_;
  const std::uint64_t max_payload_bytes_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  std::string start_;  ///< the header line and what was read with it
  std::size_t header_bytes_ = 0;
};

}  // namespace

std::string_view Name(RefusalReason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

tl::expected<QueueFile, ReadError> ReadQueueFile(int folder, std::string_view name, std::string_view path,
                                                 std::uint64_t max_payload_bytes) {
  Reader reader(folder, name, path, max_payload_bytes);
  if (auto header = reader.ReadHeader(); !header) return tl::unexpected<ReadError>(std::move(header.error()));
  return reader.ReadPayload();
}

tl::expected<Envelope, ReadError> ReadEnvelope(int folder, std::string_view name, std::string_view path,
                                               std::uint64_t max_payload_bytes) {
  Reader reader(folder, name, path, max_payload_bytes);
  if (auto header = reader.ReadHeader(); !header) return tl::unexpected<ReadError>(std::move(header.error()));
  return std::move(reader.envelope);
}

}  // namespace heliograph::queue
