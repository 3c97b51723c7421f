#include "queue/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace heliograph::queue {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  Close();
}

int FileDescriptor::Close() {
  if (fd_ < 0) return 0;
  const int result = ::close(std::exchange(fd_, -1));
  // Linux has released the descriptor even when it says EINTR.
  return result == 0 || errno == EINTR ? 0 : errno;
}

IoError LastError(std::string_view what, std::string_view path) {
  return ErrorOf(errno, what, path);
}

IoError ErrorOf(int code, std::string_view what, std::string_view path) {
  std::string text = "cannot ";
  text.append(what).append(" ").append(path).append(": ");
  text.append(std::generic_category().message(code))
      .append(" (errno ")
      .append(std::to_string(code))
      .append(")");
  return {code, std::move(text)};
}

int OpenAt(int folder, const char* name, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = ::openat(folder, name, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int Sync(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int MoveWithoutReplacing(int from, const std::string& old_name, int to, const std::string& new_name) {
  if (::renameat2(from, old_name.c_str(), to, new_name.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  struct stat status {};
  if (::fstatat(to, new_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  return ::renameat(from, old_name.c_str(), to, new_name.c_str()) == 0 ? 0 : errno;
}

int ReadUpTo(int fd, std::size_t limit, std::string& out) {
  constexpr std::size_t kChunk = 1024 * 1024;
  while (limit > 0) {
    const std::size_t before = out.size();
    out.resize(before + std::min(limit, kChunk));
    const ssize_t got = ::read(fd, out.data() + before, out.size() - before);
    const int code = errno;
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) {
      if (code == EINTR) continue;
      return code;
    }
    if (got == 0) return 0;
    limit -= static_cast<std::size_t>(got);
  }
  return 0;
}

tl::expected<void, IoError> VisitEntries(int folder, std::string_view path,
                                         const std::function<bool(std::string_view)>& visit) {
  // A descriptor of its own: a folder's position belongs to the open file.
  FileDescriptor copy(OpenAt(folder, ".", O_RDONLY | O_DIRECTORY));
  if (!copy.valid()) return tl::unexpected<IoError>(LastError("list", path));
  const auto close_folder = [](DIR* open_folder) { ::closedir(open_folder); };
  std::unique_ptr<DIR, decltype(close_folder)> entries(::fdopendir(copy.get()), close_folder);
  if (entries == nullptr) return tl::unexpected<IoError>(LastError("list", path));
  copy.Release();

  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(name)) return {};
  }
  if (errno != 0) return tl::unexpected<IoError>(LastError("list", path));
  return {};
}

}  // namespace heliograph::queue
