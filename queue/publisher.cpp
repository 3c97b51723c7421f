#include "queue/publisher.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "common/bytes.h"
#include "common/failpoint.h"

namespace heliograph::queue {
namespace {

constexpr mode_t kFileMode = 0660;

tl::unexpected<OpenPublisherError> CannotOpen(std::string text) {
  return tl::unexpected<OpenPublisherError>(
      OpenPublisherError{OpenPublisherError::Fault::kIo, std::move(text)});
}

tl::unexpected<PublishError> Failed(const IoError& error) {
  return tl::unexpected<PublishError>(PublishError{PublishFault::kIo, error.code, error.text, std::nullopt});
}

tl::unexpected<PublishError> Refused(PublishFault fault, std::string text) {
  return tl::unexpected<PublishError>(PublishError{fault, 0, std::move(text), std::nullopt});
}

tl::unexpected<PublishError> Uncertain(const PublishedFile& file, const IoError& error) {
  return tl::unexpected<PublishError>(
      PublishError{PublishFault::kDurabilityUnknown, error.code, error.text, file});
}

tl::expected<FileDescriptor, OpenPublisherError> TakeLock(const Folders& folders) {
  const std::string path = folders.volume.server_lock().string();
  FileDescriptor lock(OpenAt(folders.queue.get(), "server.lock", O_RDWR | O_CREAT | O_NOFOLLOW, kFileMode));
  if (!lock.valid()) return CannotOpen(LastError("open", path).text);
  int result = 0;
  do {
    result = ::flock(lock.get(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return lock;
  if (errno != EWOULDBLOCK) return CannotOpen(LastError("lock", path).text);
  return tl::unexpected<OpenPublisherError>(OpenPublisherError{
      OpenPublisherError::Fault::kHeldByAnother, "another process publishes on this volume (it holds " +
                                                     path + "); stop it first, or use another --data"});
}

/// The temporary file of one publication. Whatever ends the publication early, no trace of it stays.
class TemporaryFile {
 public:
  TemporaryFile(const Folders& folders, const std::string& name) : folders_(folders), name_(name) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (linked_) ::unlinkat(folders_.temporary.get(), name_.c_str(), 0);
  }

  tl::expected<void, IoError> Create() {
    fd_ = FileDescriptor(
        OpenAt(folders_.temporary.get(), name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode));
    if (!fd_.valid()) return Error(errno, "create");
    linked_ = true;
    // The umask must not take the file away from the ingestor, which shares the group only.
    return ::fchmod(fd_.get(), kFileMode) == 0 ? tl::expected<void, IoError>()
                                               : Error(errno, "set mode 0660 on");
  }

  tl::expected<void, IoError> Write(std::string_view bytes) {
    const int code = WriteAll(fd_.get(), bytes);
    return code == 0 ? tl::expected<void, IoError>() : Error(code, "write");
  }

  tl::expected<void, IoError> SyncAndClose() {
    if (const int code = Sync(fd_.get()); code != 0) return Error(code, "make durable");
    HELIOGRAPH_FAILPOINT(kPublishAfterFileSync);
    const int code = fd_.Close();
    return code == 0 ? tl::expected<void, IoError>() : Error(code, "close");
  }

  tl::expected<void, IoError> MoveToNew() {
    if (::renameat(folders_.temporary.get(), name_.c_str(), folders_.fresh.get(), name_.c_str()) != 0)
      return Error(errno, "move to new/");
    linked_ = false;
    return {};
  }

 private:
  tl::expected<void, IoError> Error(int code, std::string_view what) const {
    return tl::unexpected<IoError>(ErrorOf(code, what, folders_.TemporaryPath(name_)));
  }

  const Folders& folders_;
  const std::string& name_;
  FileDescriptor fd_;
  bool linked_ = false;
};

/// Writes header, line feed and payload, and passes the failpoint when half of the bytes are out.
tl::expected<void, IoError> WriteContent(TemporaryFile& file, std::string_view header_line,
                                         std::string_view payload) {
  const std::size_t half = (header_line.size() + payload.size()) / 2;
  const std::size_t header_half = std::min(half, header_line.size());
  const std::size_t payload_half = half - header_half;
  return file.Write(header_line.substr(0, header_half))
      .and_then([&] { return file.Write(payload.substr(0, payload_half)); })
      .and_then([&] {
        HELIOGRAPH_FAILPOINT(kPublishHalfWritten);
        return file.Write(header_line.substr(header_half));
      })
      .and_then([&] { return file.Write(payload.substr(payload_half)); });
}

}  // namespace

Publisher::Publisher(Folders folders, FileDescriptor lock, std::string instance, PublishLimits limits)
    : folders_(std::move(folders)), lock_(std::move(lock)), instance_(std::move(instance)), limits_(limits) {}

tl::expected<std::unique_ptr<Publisher>, OpenPublisherError> Publisher::Open(const Volume& volume,
                                                                             std::string instance,
                                                                             PublishLimits limits) {
  auto folders = EnsureFolders(volume);
  if (!folders) return CannotOpen(folders.error().text);
  auto lock = TakeLock(*folders);
  if (!lock) return tl::unexpected<OpenPublisherError>(lock.error());

  std::unique_ptr<Publisher> publisher(
      new Publisher(std::move(*folders), std::move(*lock), std::move(instance), limits));
  const auto swept = publisher->SweepTemporaries();
  if (!swept) return CannotOpen(swept.error().text);
  publisher->swept_ = *swept;
  // A producer that died after its rename may have left a file that is visible and not yet durable.
  if (const int code = Sync(publisher->folders_.fresh.get()); code != 0)
    return CannotOpen(ErrorOf(code, "make durable", volume.queue_new().string()).text);
  const auto highest = publisher->HighestWaiting();
  if (!highest) return CannotOpen(highest.error().text);
  publisher->last_sequence_ = highest->sequence;
  return publisher;
}

tl::expected<std::size_t, IoError> Publisher::SweepTemporaries() {
  std::vector<std::string> leftovers;
  const auto visited = VisitEntries(folders_.temporary.get(), folders_.volume.queue_temporary().string(),
                                    [&](std::string_view name) {
                                      if (FileName::Parse(name)) leftovers.emplace_back(name);
                                      return true;
                                    });
  if (!visited) return tl::unexpected<IoError>(visited.error());
  for (const std::string& name : leftovers) {
    if (::unlinkat(folders_.temporary.get(), name.c_str(), 0) != 0)
      return tl::unexpected<IoError>(LastError("remove the leftover", folders_.TemporaryPath(name)));
  }
  return leftovers.size();
}

tl::expected<Publisher::Waiting, IoError> Publisher::HighestWaiting() const {
  Waiting waiting;
  const auto visited =
      VisitEntries(folders_.fresh.get(), folders_.volume.queue_new().string(), [&](std::string_view name) {
        ++waiting.entries;
        if (const auto parsed = FileName::Parse(name))
          waiting.sequence = std::max(waiting.sequence, parsed->producer_seq);
        return true;
      });
  if (!visited) return tl::unexpected<IoError>(visited.error());
  return waiting;
}

void Publisher::ObserveLedger(std::int64_t highest_producer_seq) {
  const std::scoped_lock guard(mutex_);
  last_sequence_ = std::max(last_sequence_, highest_producer_seq);
}

tl::expected<std::int64_t, PublishError> Publisher::NextSequence() const {
  const auto waiting = HighestWaiting();
  if (!waiting) return Failed(waiting.error());
  if (waiting->entries >= limits_.max_files) {
    return Refused(PublishFault::kFolderFull, std::to_string(waiting->entries) + " files wait in " +
                                                  folders_.volume.queue_new().string() +
                                                  ", and no more may; see that the ingestor runs");
  }
  const std::int64_t highest = std::max(last_sequence_, waiting->sequence);
  if (highest == std::numeric_limits<std::int64_t>::max()) {
    return Refused(PublishFault::kSequenceExhausted, "no sequence number is left above the highest in " +
                                                         folders_.volume.queue_new().string() +
                                                         "; move that file away");
  }
  return highest + 1;
}

tl::expected<PublishedFile, PublishError> Publisher::Publish(const EnvelopeFields& fields,
                                                             std::string_view payload) {
  if (payload.size() > limits_.max_payload_bytes) {
    return Refused(PublishFault::kPayloadTooLarge, "the payload has " + std::to_string(payload.size()) +
                                                       " bytes; it may have " +
                                                       std::to_string(limits_.max_payload_bytes));
  }
  Envelope envelope;
  envelope.kind = fields.kind;
  envelope.stream = fields.stream;
  envelope.epoch = fields.epoch;
  envelope.branch_id = fields.branch_id;
  envelope.base_commit_seq = fields.base_commit_seq;
  envelope.created_at = fields.created_at;
  envelope.instance = instance_;
  envelope.watermark = fields.watermark;
  envelope.actor = fields.actor;
  envelope.payload_bytes = payload.size();
  envelope.payload_sha256 = Sha256(AsBytes(payload));

  const std::scoped_lock guard(mutex_);
  const auto sequence = NextSequence();
  if (!sequence) return tl::unexpected<PublishError>(sequence.error());
  envelope.producer_seq = *sequence;
  // Clamped for Ulid's sake alone: SerializeHeader refuses a time before 1970.
  envelope.id = Ulid::Generate(std::max(fields.created_at, UtcMillis{}));
  auto header = SerializeHeader(envelope);
  if (!header) return Refused(PublishFault::kInvalidFields, header.error().text);
  header->push_back('\n');

  const PublishedFile file{envelope.id, envelope.producer_seq, FileName::Of(envelope).ToText()};
  if (const auto written = WriteDurably(file, *header, payload); !written)
    return tl::unexpected<PublishError>(written.error());
  return file;
}

tl::expected<void, PublishError> Publisher::WriteDurably(const PublishedFile& file,
                                                         std::string_view header_line,
                                                         std::string_view payload) {
  bool visible = false;
  try {
    TemporaryFile temporary(folders_, file.name);
    HELIOGRAPH_FAILPOINT(kPublishBeforeTemporary);
    const auto moved = temporary.Create()
                           .and_then([&] { return WriteContent(temporary, header_line, payload); })
                           .and_then([&] {
                             HELIOGRAPH_FAILPOINT(kPublishBeforeFileSync);
                             return temporary.SyncAndClose();
                           })
                           .and_then([&] { return temporary.MoveToNew(); });
    if (!moved) return Failed(moved.error());
    visible = true;
    last_sequence_ = file.producer_seq;
    HELIOGRAPH_FAILPOINT(kPublishAfterRename);
    if (const int code = Sync(folders_.fresh.get()); code != 0)
      return Uncertain(file, ErrorOf(code, "make durable", folders_.volume.queue_new().string()));
    HELIOGRAPH_FAILPOINT(kPublishAfterFolderSync);
  } catch (const std::system_error& error) {
    const IoError failure{error.code().value(), error.what()};
    return visible ? tl::expected<void, PublishError>(Uncertain(file, failure)) : Failed(failure);
  }
  return {};
}

tl::expected<Pending, IoError> Publisher::List() const {
  Pending pending;
  std::vector<std::string> names;
  const auto visited =
      VisitEntries(folders_.fresh.get(), folders_.volume.queue_new().string(), [&](std::string_view name) {
        if (FileName::Parse(name) && names.size() < limits_.max_files) {
          names.emplace_back(name);
        } else {
          ++pending.unread;
        }
        return true;
      });
  if (!visited) return tl::unexpected<IoError>(visited.error());
  std::sort(names.begin(), names.end());
  for (std::string& name : names) {
    auto envelope =
        ReadEnvelope(folders_.fresh.get(), name, folders_.NewPath(name), limits_.max_payload_bytes);
    if (envelope) {
      pending.files.push_back({std::move(name), std::move(*envelope)});
      continue;
    }
    const bool taken_meanwhile = !envelope.error().refused() && envelope.error().code == ENOENT;
    if (!taken_meanwhile) ++pending.unread;
  }
  return pending;
}

tl::expected<std::vector<PendingFile>, IoError> Publisher::Outstanding(std::string_view stream) const {
  auto pending = List();
  if (!pending) return tl::unexpected<IoError>(pending.error());
  std::erase_if(pending->files, [&](const PendingFile& file) { return file.envelope.stream != stream; });
  return std::move(pending->files);
}

tl::expected<bool, IoError> Publisher::Holds(const Ulid& id) const {
  bool found = false;
  const auto visited =
      VisitEntries(folders_.fresh.get(), folders_.volume.queue_new().string(), [&](std::string_view name) {
        const auto parsed = FileName::Parse(name);
        found = parsed && parsed->id == id;
        return !found;
      });
  if (!visited) return tl::unexpected<IoError>(visited.error());
  return found;
}

tl::expected<QueueFile, ReadError> Publisher::Read(std::string_view name) const {
  return ReadQueueFile(folders_.fresh.get(), name, folders_.NewPath(name), limits_.max_payload_bytes);
}

}  // namespace heliograph::queue
