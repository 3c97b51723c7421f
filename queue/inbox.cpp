#include "queue/inbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

namespace heliograph::queue {
namespace {

/// Queue files first. Their names have a fixed width, so that their order is that of their numbers.
bool ComesBefore(const ListedFile& a, const ListedFile& b) {
  return std::tuple(!a.parsed.has_value(), std::string_view(a.name)) <
         std::tuple(!b.parsed.has_value(), std::string_view(b.name));
}

/// True for a name that can be an entry of a folder, and leads nowhere else.
bool IsEntryName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace

tl::expected<Inbox, IoError> Inbox::Open(const Volume& volume, InboxLimits limits) {
  auto folders = EnsureFolders(volume);
  if (!folders) return tl::unexpected<IoError>(folders.error());
  return Inbox(std::move(*folders), limits);
}

tl::expected<Listing, IoError> Inbox::List() const {
  const std::string path = folders_.volume.queue_new().string();
  struct stat status {};
  if (::fstat(folders_.fresh.get(), &status) != 0) return tl::unexpected<IoError>(LastError("inspect", path));
  if (status.st_nlink == 0)
    return tl::unexpected<IoError>(ErrorOf(ENOENT, "list (it was removed; restart to make it again)", path));

  // A heap with the last of the chosen on top bounds the memory, however many entries there are.
  Listing listing;
  auto& chosen = listing.files;
  const auto visited = VisitEntries(folders_.fresh.get(), path, [&](std::string_view name) {
    chosen.push_back({std::string(name), FileName::Parse(name)});
    std::push_heap(chosen.begin(), chosen.end(), ComesBefore);
    if (chosen.size() <= limits_.max_listed) return true;
    std::pop_heap(chosen.begin(), chosen.end(), ComesBefore);
    chosen.pop_back();
    listing.more = true;
    return true;
  });
  if (!visited) return tl::unexpected<IoError>(visited.error());
  std::sort_heap(chosen.begin(), chosen.end(), ComesBefore);
  return listing;
}

tl::expected<QueueFile, ReadError> Inbox::Open(std::string_view name) const {
  return ReadQueueFile(folders_.fresh.get(), name, folders_.NewPath(name), limits_.max_payload_bytes);
}

tl::expected<void, IoError> Inbox::Acknowledge(std::string_view name) const {
  const std::string path = folders_.NewPath(name);
  if (!IsEntryName(name)) return tl::unexpected<IoError>(ErrorOf(EINVAL, "remove", path));
  if (::unlinkat(folders_.fresh.get(), std::string(name).c_str(), 0) != 0)
    return tl::unexpected<IoError>(LastError("remove", path));
  if (const int code = Sync(folders_.fresh.get()); code != 0)
    return tl::unexpected<IoError>(ErrorOf(code, "make durable the removal of", path));
  return {};
}

QuarantineReport Inbox::Quarantine(std::string_view name, std::string_view reason) const {
  if (IsEntryName(name)) return SetAside(folders_, name, reason, limits_.quarantine);
  QuarantineReport report;
  report.problems.push_back(ErrorOf(EINVAL, "move to failed/", folders_.NewPath(name)));
  return report;
}

}  // namespace heliograph::queue
