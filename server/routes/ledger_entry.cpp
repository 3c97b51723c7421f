#include "server/routes/ledger_entry.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "queue/envelope.h"
#include "server/http/problem.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

constexpr std::size_t kMaxReasonBytes = 4096;

std::optional<LedgerEntry> LoadEntry(ReaderPool& readers, const Ulid& id) {
  return readers.Read([&](ReaderConnection& reader) -> std::optional<LedgerEntry> {
    SQLite::Statement& row = reader.Prepared(
        "SELECT l.kind, l.outcome, l.reason, c.commit_id, l.created_at, l.applied_at, l.result "
        "FROM ledger AS l LEFT JOIN commit_log AS c ON c.commit_seq = l.commit_seq WHERE l.id = ?");
    row.bind(1, id.ToText());
    if (!row.executeStep()) return std::nullopt;
    LedgerEntry entry;
    entry.id = id;
    entry.kind = TextOf(row.getColumn(0)).value_or("");
    entry.outcome = row.getColumn(1).getString();
    entry.reason = TextOf(row.getColumn(2));
    entry.commit_id = TextOf(row.getColumn(3));
    entry.created_at = OptionalTimeOf(row.getColumn(4));
    entry.applied_at = TimeOf(row.getColumn(5));
    entry.result = TextOf(row.getColumn(6));
    return entry;
  });
}

/// Of more than one file with the same name the later ones have a number behind it.
std::optional<queue::FileName> NameInQuarantine(std::string name) {
  if (auto whole = queue::FileName::Parse(name)) return whole;
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? std::nullopt : queue::FileName::Parse(name.substr(0, dot));
}

std::optional<std::string> ReadReason(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string reason(kMaxReasonBytes, '\0');
  file.read(reason.data(), static_cast<std::streamsize>(reason.size()));
  reason.resize(static_cast<std::size_t>(file.gcount()));
  reason.resize(std::min(reason.size(), reason.find('\n')));
  if (reason.empty()) return std::nullopt;
  return reason;
}

/// A file that did not verify is in the ledger by its digest alone; its name in `failed`, which says the id,
/// and the reason beside it are all that is left of the request.
std::optional<LedgerEntry> FindSetAside(const Volume& volume, const Ulid& id) {
  std::error_code error;
  for (std::filesystem::directory_iterator file(volume.queue_failed(), error), end; !error && file != end;
       file.increment(error)) {
    const auto name = NameInQuarantine(file->path().filename().string());
    if (!name || name->id != id) continue;
    const std::filesystem::path reason = file->path().string() + ".reason";
    LedgerEntry entry;
    entry.id = id;
    entry.kind = queue::Name(name->kind);
    entry.outcome = "rejected";
    entry.reason = ReadReason(reason).value_or("the file was set aside; no reason was kept");
    if (const auto written = std::filesystem::last_write_time(reason, error); !error) {
      entry.applied_at =
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::file_clock::to_sys(written));
    }
    return entry;
  }
  return std::nullopt;
}

}  // namespace

std::optional<LedgerEntry> FindOutcome(const RouteContext& context, const Ulid& id) {
  // In this order: a file that is taken meanwhile is in the ledger before it leaves the queue.
  const bool is_pending = context.services().requests->IsPending(id);
  auto entry = LoadEntry(*context.services().readers, id);
  if (entry || is_pending) return entry;
  entry = FindSetAside(context.services().volume, id);
  if (!entry) throw ProblemError(404, "neither the queue nor the ledger knows the request " + id.ToText());
  return entry;
}

Ulid ReadRequestId(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto id = Ulid::Parse(text);
  if (!id) {
    throw ProblemError(
        400, "'" + text + "' is no id of a request: those have 26 digits and letters, as in requestId");
  }
  return *id;
}

}  // namespace heliograph::server
