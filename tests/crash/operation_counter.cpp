// To be loaded before a program (LD_PRELOAD): it counts what the program asks the kernel to change below one
// folder, and ends the program at one of these operations, as SQLite's own tests do. The program knows
// nothing of it.
//
//   HELIOGRAPH_OPERATION_FOLDER   only what lies in this folder counts; an absolute path without links
//   HELIOGRAPH_OPERATION_LOG      a file elsewhere, which gets a line for each operation before it happens:
//   "unlinkat queue/new/…" HELIOGRAPH_OPERATION_AT       NUMBER:ACTION, numbered from 1:
//                                 kill   SIGKILL comes instead of the operation
//                                 tear   SIGKILL comes after the first half of what a write was to write
//                                 error  the operation fails as on a disk that is full or broken
//
// Shared memory of SQLite (-shm) does not count: it is rebuilt after a crash.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace {

enum class Action { kGoOn, kKill, kTear, kError };

struct Order {
  unsigned long number = 0;  // 0: never
  Action action = Action::kGoOn;
};

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

[[noreturn]] void Refuse(std::string_view text) {
  [[maybe_unused]] const auto written = syscall(SYS_write, STDERR_FILENO, text.data(), text.size());
  std::abort();
}

[[noreturn]] void Die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

Order OrderFromEnvironment() {
  const std::string_view text = Variable("HELIOGRAPH_OPERATION_AT");
  if (text.empty()) return {};
  const auto colon = text.find(':');
  const std::string_view action = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const unsigned long number = std::strtoul(std::string(text.substr(0, colon)).c_str(), nullptr, 10);
  // A misspelt order would silently never be obeyed.
  if (number > 0 && action == "kill") return {number, Action::kKill};
  if (number > 0 && action == "tear") return {number, Action::kTear};
  if (number > 0 && action == "error") return {number, Action::kError};
  Refuse("HELIOGRAPH_OPERATION_AT must be NUMBER:kill, NUMBER:tear or NUMBER:error\n");
}

int OpenLog() {
  const std::string path(Variable("HELIOGRAPH_OPERATION_LOG"));
  if (path.empty()) return -1;
  // The calls themselves, here and below: what writes the log must not count.
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
}

std::string PathOfDescriptor(int fd) {
  std::array<char, 4096> buffer{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size());
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "";
}

std::string PathAt(int folder, const char* name) {
  if (name == nullptr) return "";
  if (name[0] == '/') return name;
  if (folder != AT_FDCWD) return PathOfDescriptor(folder) + '/' + name;
  std::array<char, 4096> buffer{};
  return ::getcwd(buffer.data(), buffer.size()) != nullptr ? std::string(buffer.data()) + '/' + name : "";
}

/// The path within the folder that counts; nothing for a path that does not.
std::optional<std::string_view> Counted(std::string_view path) {
  static const std::string folder(Variable("HELIOGRAPH_OPERATION_FOLDER"));
  if (folder.empty() || !path.starts_with(folder) || path.ends_with("-shm")) return std::nullopt;
  if (path.size() == folder.size()) return ".";
  if (path[folder.size()] != '/') return std::nullopt;
  return path.substr(folder.size() + 1);
}

/// To be asked before each operation: what is to become of it. Does not return when the order is to die here.
Action Meet(const char* call, const std::string& path, bool can_tear = false) {
  const int error_before = errno;
  const auto inside = Counted(path);
  if (!inside) return errno = error_before, Action::kGoOn;
  static std::mutex mutex;
  const std::scoped_lock guard(mutex);
  static const Order order = OrderFromEnvironment();
  static const int log = OpenLog();
  static unsigned long count = 0;
  ++count;
  const std::string line = std::string(call) + ' ' + std::string(*inside) + '\n';
  if (log >= 0 && syscall(SYS_write, log, line.data(), line.size()) < 0)
    Refuse("HELIOGRAPH_OPERATION_LOG cannot be written\n");
  errno = error_before;
  if (count != order.number) return Action::kGoOn;
  if (order.action == Action::kKill || (order.action == Action::kTear && !can_tear)) Die();
  return order.action;
}

/// The function that the program would have called without this library.
template <class Function>
Function* Next(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) Refuse("a function of the C library is missing\n");
  return reinterpret_cast<Function*>(found);
}

int Fail(int code) {
  errno = code;
  return -1;
}

/// `write_some(bytes)` writes that many at the most.
template <class Write>
ssize_t MeetWrite(const char* call, int fd, std::size_t size, Write write_some) {
  switch (Meet(call, PathOfDescriptor(fd), true)) {
    case Action::kTear:
      if (size > 1) write_some(size / 2);
      Die();
    case Action::kError:
      return Fail(ENOSPC);
    case Action::kGoOn:
    case Action::kKill:  // of which Meet does not return
      break;
  }
  return write_some(size);
}

/// Fails with `code` when that is the order.
template <class Proceed>
int MeetOr(const char* call, const std::string& path, int code, Proceed proceed) {
  return Meet(call, path) == Action::kError ? Fail(code) : proceed();
}

mode_t ModeOf(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}

/// Only an opening that can make a file changes anything.
template <class Proceed>
int MeetOpen(const char* call, int folder, const char* path, int flags, Proceed proceed) {
  return (flags & O_CREAT) != 0 ? MeetOr(call, PathAt(folder, path), ENOSPC, proceed) : proceed();
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const next = Next<ssize_t(int, const void*, size_t)>("write");
  return MeetWrite("write", fd, size, [&](size_t part) { return next(fd, bytes, part); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const next = Next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return MeetWrite("pwrite", fd, size, [&](size_t part) { return next(fd, bytes, part, offset); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static auto* const next = Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return MeetWrite("pwrite64", fd, size, [&](size_t part) { return next(fd, bytes, part, offset); });
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const next = Next<ssize_t(int, const iovec*, int)>("writev");
  return MeetWrite("writev", fd, static_cast<size_t>(count),
                   [&](size_t some) { return next(fd, parts, static_cast<int>(some)); });
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  static auto* const next = Next<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  return MeetWrite("pwritev", fd, static_cast<size_t>(count),
                   [&](size_t some) { return next(fd, parts, static_cast<int>(some), offset); });
}

int fsync(int fd) {
  static auto* const next = Next<int(int)>("fsync");
  return MeetOr("fsync", PathOfDescriptor(fd), EIO, [&] { return next(fd); });
}

int fdatasync(int fd) {
  static auto* const next = Next<int(int)>("fdatasync");
  return MeetOr("fdatasync", PathOfDescriptor(fd), EIO, [&] { return next(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  static auto* const next = Next<int(int, off_t)>("ftruncate");
  return MeetOr("ftruncate", PathOfDescriptor(fd), EIO, [&] { return next(fd, size); });
}

int ftruncate64(int fd, off64_t size) noexcept {
  static auto* const next = Next<int(int, off64_t)>("ftruncate64");
  return MeetOr("ftruncate64", PathOfDescriptor(fd), EIO, [&] { return next(fd, size); });
}

int unlink(const char* path) noexcept {
  static auto* const next = Next<int(const char*)>("unlink");
  return MeetOr("unlink", PathAt(AT_FDCWD, path), EIO, [&] { return next(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static auto* const next = Next<int(int, const char*, int)>("unlinkat");
  return MeetOr("unlinkat", PathAt(folder, path), EIO, [&] { return next(folder, path, flags); });
}

int rename(const char* from, const char* to) noexcept {
  static auto* const next = Next<int(const char*, const char*)>("rename");
  return MeetOr("rename", PathAt(AT_FDCWD, to), ENOSPC, [&] { return next(from, to); });
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static auto* const next = Next<int(int, const char*, int, const char*)>("renameat");
  return MeetOr("renameat", PathAt(to_folder, to), ENOSPC,
                [&] { return next(from_folder, from, to_folder, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static auto* const next = Next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return MeetOr("renameat2", PathAt(to_folder, to), ENOSPC,
                [&] { return next(from_folder, from, to_folder, to, flags); });
}

int link(const char* from, const char* to) noexcept {
  static auto* const next = Next<int(const char*, const char*)>("link");
  return MeetOr("link", PathAt(AT_FDCWD, to), ENOSPC, [&] { return next(from, to); });
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  static auto* const next = Next<int(int, const char*, int, const char*, int)>("linkat");
  return MeetOr("linkat", PathAt(to_folder, to), ENOSPC,
                [&] { return next(from_folder, from, to_folder, to, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const next = Next<int(const char*, mode_t)>("mkdir");
  return MeetOr("mkdir", PathAt(AT_FDCWD, path), ENOSPC, [&] { return next(path, mode); });
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  static auto* const next = Next<int(int, const char*, mode_t)>("mkdirat");
  return MeetOr("mkdirat", PathAt(folder, path), ENOSPC, [&] { return next(folder, path, mode); });
}

int fchmod(int fd, mode_t mode) noexcept {
  static auto* const next = Next<int(int, mode_t)>("fchmod");
  return MeetOr("fchmod", PathOfDescriptor(fd), EIO, [&] { return next(fd, mode); });
}

int open(const char* path, int flags, ...) {
  static auto* const next = Next<int(const char*, int, ...)>("open");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return MeetOpen("open", AT_FDCWD, path, flags, [&] { return next(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  static auto* const next = Next<int(const char*, int, ...)>("open64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return MeetOpen("open64", AT_FDCWD, path, flags, [&] { return next(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  static auto* const next = Next<int(int, const char*, int, ...)>("openat");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return MeetOpen("openat", folder, path, flags, [&] { return next(folder, path, flags, mode); });
}

int openat64(int folder, const char* path, int flags, ...) {
  static auto* const next = Next<int(int, const char*, int, ...)>("openat64");
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return MeetOpen("openat64", folder, path, flags, [&] { return next(folder, path, flags, mode); });
}

}  // extern "C"
