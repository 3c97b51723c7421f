#include "queue/quarantine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "common/bytes.h"
#include "common/crypto.h"
#include "queue/envelope.h"

namespace heliograph::queue {
namespace {

constexpr mode_t kReasonMode = 0660;
constexpr std::string_view kReasonSuffix = ".reason";
/// Leading dot: no entry has one, for PrintableName takes it away.
constexpr std::string_view kTemporaryReason = ".reason.tmp";
/// Room within NAME_MAX for a number, a digest and the suffix.
constexpr std::size_t kMaxPlainName = 160;
constexpr int kMaxSuffix = 1000;
/// A folder in quarantine is measured no deeper than this many entries.
constexpr int kMaxMeasuredEntries = 10'000;

bool IsPlain(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z') || character == '.' || character == '-' || character == '_';
}

/// The name of a queue file as it is; any other with its odd characters replaced and a digest that keeps it
/// apart.
std::string PrintableName(std::string_view name) {
  if (FileName::Parse(name)) return std::string(name);
  std::string plain(name.substr(0, kMaxPlainName));
  std::replace_if(
      plain.begin(), plain.end(), [](char character) { return !IsPlain(character); }, '_');
  if (plain.empty() || plain[0] == '.' || plain[0] == '-') plain.insert(plain.begin(), '_');
  return plain + "-" + ToHexLower(Sha256(AsBytes(name))).substr(0, 8);
}

bool Exists(int folder, const std::string& name) {
  struct stat status {};
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// The first of name, name.1, name.2 … that is free in `failed`; nothing when none is.
std::optional<std::string> FreeName(int failed, const std::string& name) {
  if (!Exists(failed, name)) return name;
  for (int suffix = 1; suffix <= kMaxSuffix; ++suffix) {
    std::string candidate = name + "." + std::to_string(suffix);
    if (!Exists(failed, candidate)) return candidate;
  }
  return std::nullopt;
}

/// Writes `content` to `failed`/`name` as a whole or not at all.
tl::expected<void, IoError> WriteReason(const Folders& folders, const std::string& name,
                                        std::string_view content) {
  const std::string temporary(kTemporaryReason);
  const int failed = folders.failed.get();
  const auto error = [&](int code) {
    ::unlinkat(failed, temporary.c_str(), 0);
    return tl::unexpected<IoError>(ErrorOf(code, "write", folders.FailedPath(name)));
  };
  ::unlinkat(failed, temporary.c_str(),
             0);  // of a process that died; the next call tells if it is still there
  FileDescriptor file(
      OpenAt(failed, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kReasonMode));
  if (!file.valid()) return error(errno);
  if (const int code = WriteAll(file.get(), content); code != 0) return error(code);
  if (const int code = Sync(file.get()); code != 0) return error(code);
  if (const int code = file.Close(); code != 0) return error(code);
  if (::renameat(failed, temporary.c_str(), failed, name.c_str()) != 0) return error(errno);
  return {};
}

/// One thing in quarantine: an entry, its reason, or both.
struct Kept {
  bool has_entry = false;
  bool has_reason = false;
  std::uint64_t bytes = 0;
  std::pair<std::int64_t, std::int64_t> since{};  ///< the time of the last status change, which a rename is
};

std::uint64_t BytesOf(const std::filesystem::path& path, const struct stat& status) {
  if (!S_ISDIR(status.st_mode)) return static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  std::uint64_t bytes = 0;
  std::error_code error;
  int left = kMaxMeasuredEntries;
  for (std::filesystem::recursive_directory_iterator entry(path, error), end;
       !error && entry != end && left > 0; entry.increment(error), --left) {
    struct stat inner {};
    if (::lstat(entry->path().c_str(), &inner) == 0 && S_ISREG(inner.st_mode))
      bytes += static_cast<std::uint64_t>(inner.st_size);
  }
  return bytes;
}

/// What `failed` holds, by the names of the entries.
std::map<std::string, Kept> TakeStock(const Folders& folders, std::vector<IoError>& problems) {
  std::map<std::string, Kept> stock;
  const auto visited = VisitEntries(
      folders.failed.get(), folders.volume.queue_failed().string(), [&](std::string_view listed) {
        const std::string name(listed);
        struct stat status {};
        if (name == kTemporaryReason ||
            ::fstatat(folders.failed.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
          return true;
        const bool is_reason = listed.ends_with(kReasonSuffix);
        Kept& kept = stock[is_reason ? name.substr(0, name.size() - kReasonSuffix.size()) : name];
        kept.bytes += BytesOf(folders.FailedPath(name), status);
        kept.since = std::max(kept.since, {status.st_ctim.tv_sec, status.st_ctim.tv_nsec});
        (is_reason ? kept.has_reason : kept.has_entry) = true;
        return true;
      });
  if (!visited) problems.push_back(visited.error());
  return stock;
}

void Remove(const Folders& folders, const std::string& name, std::vector<IoError>& problems) {
  if (::unlinkat(folders.failed.get(), name.c_str(), 0) == 0) return;
  if (errno != EISDIR && errno != EPERM) {
    problems.push_back(LastError("remove", folders.FailedPath(name)));
    return;
  }
  std::error_code error;
  std::filesystem::remove_all(folders.FailedPath(name), error);
  if (error) problems.push_back(ErrorOf(error.value(), "remove", folders.FailedPath(name)));
}

/// Deletes the oldest until the limits hold. `newest` goes last, and its reason stays.
std::size_t Evict(const Folders& folders, const QuarantineLimits& limits, const std::string& newest,
                  std::vector<IoError>& problems) {
  const auto stock = TakeStock(folders, problems);
  std::vector<const std::pair<const std::string, Kept>*> by_age;
  std::uint64_t bytes = 0;
  for (const auto& item : stock) {
    by_age.push_back(&item);
    bytes += item.second.bytes;
  }
  std::sort(by_age.begin(), by_age.end(), [&](const auto* a, const auto* b) {
    return std::tuple(a->first == newest, a->second.since, std::string_view(a->first)) <
           std::tuple(b->first == newest, b->second.since, std::string_view(b->first));
  });
  std::size_t count = by_age.size();
  std::size_t evicted = 0;
  for (const auto* item : by_age) {
    if (count <= limits.max_files && bytes <= limits.max_bytes) break;
    const auto& [name, kept] = *item;
    if (kept.has_entry) Remove(folders, name, problems);
    if (kept.has_reason && name != newest) Remove(folders, name + std::string(kReasonSuffix), problems);
    bytes -= kept.bytes;
    --count;
    ++evicted;
  }
  return evicted;
}

void SyncFolder(const FileDescriptor& folder, const std::filesystem::path& path,
                std::vector<IoError>& problems) {
  if (const int code = Sync(folder.get()); code != 0)
    problems.push_back(ErrorOf(code, "make durable", path.string()));
}

/// The original name as a JSON string in ASCII, for it may hold anything.
std::string ReasonText(std::string_view reason, std::string_view name) {
  const auto quoted = nlohmann::json(name).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return std::string(reason).append("\nname: ").append(quoted).append("\n");
}

}  // namespace

QuarantineReport SetAside(const Folders& folders, std::string_view name, std::string_view reason,
                          const QuarantineLimits& limits) {
  QuarantineReport report;
  const std::string source(name);
  const auto target = FreeName(folders.failed.get(), PrintableName(name));
  if (!target) {
    report.problems.push_back(ErrorOf(EEXIST, "find a free name in failed/ for", folders.NewPath(name)));
    return report;
  }
  const std::string reason_name = *target + std::string(kReasonSuffix);
  if (const auto written = WriteReason(folders, reason_name, ReasonText(reason, name)); !written)
    report.problems.push_back(written.error());

  const int moved = MoveWithoutReplacing(folders.fresh.get(), source, folders.failed.get(), *target);
  if (moved == 0) {
    report.fate = QuarantineReport::Fate::kMoved;
    report.name = *target;
  } else {
    ::unlinkat(folders.failed.get(), reason_name.c_str(), 0);
    if (moved == ENOENT) {
      report.fate = QuarantineReport::Fate::kGone;
    } else {
      report.problems.push_back(ErrorOf(moved, "move to failed/", folders.NewPath(name)));
      if (moved == EXDEV && ::unlinkat(folders.fresh.get(), source.c_str(), 0) == 0)
        report.fate = QuarantineReport::Fate::kRemoved;
    }
  }
  report.evicted = Evict(folders, limits, report.name, report.problems);
  SyncFolder(folders.failed, folders.volume.queue_failed(), report.problems);
  SyncFolder(folders.fresh, folders.volume.queue_new(), report.problems);
  return report;
}

}  // namespace heliograph::queue
