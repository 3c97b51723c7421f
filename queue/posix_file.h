#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace heliograph::queue {

/// A system call that failed for a reason that lies outside the file: it may succeed when it is tried again
/// later.
struct IoError {
  int code = 0;      ///< errno
  std::string text;  ///< for a person: what was tried, on what, and the system's words
};

/// Owns a file descriptor. Closing ignores errors: whoever needs to know calls Close.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  /// Closes now; 0, or the errno of close(2). The descriptor is gone in either case.
  int Close();
  /// Gives the descriptor up to somebody who closes it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// An IoError of the present errno: "cannot <what> <path>: <words> (errno n)".
IoError LastError(std::string_view what, std::string_view path);
IoError ErrorOf(int code, std::string_view what, std::string_view path);

/// openat(2) with O_CLOEXEC added, repeated when a signal interrupts it. -1 and errno on failure.
int OpenAt(int folder, const char* name, int flags, unsigned mode = 0);

/// Writes all of `bytes`. 0, or the errno of the write that failed.
int WriteAll(int fd, std::string_view bytes);

/// fsync(2) once, apart from interruptions. 0, or errno. After a failure the kernel may have marked the pages
/// clean: another fsync of the same descriptor proves nothing (Rebello et al., USENIX ATC 2020).
int Sync(int fd);

/// rename(2) that does not replace, where the file system can. 0, or errno: EEXIST when the new name is
/// taken.
int MoveWithoutReplacing(int from, const std::string& old_name, int to, const std::string& new_name);

/// Appends up to `limit` bytes from the descriptor's position to `out`, until the end of the file. 0, or
/// errno; `out` then holds what was read before.
int ReadUpTo(int fd, std::size_t limit, std::string& out);

/// Calls `visit` with the name of each entry of the folder, in no order, without "." and "..", until it
/// returns false. `path` is for the message alone.
tl::expected<void, IoError> VisitEntries(int folder, std::string_view path,
                                         const std::function<bool(std::string_view)>& visit);

}  // namespace heliograph::queue
