#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/run_program.h"

namespace heliograph::testing {

/// One system call of a traced program.
struct Syscall {
  int process = 0;
  std::string name;                ///< "renameat"
  std::vector<std::string> paths;  ///< of its arguments, descriptors and names alike, in their order
  long result = 0;                 ///< -1 after an error
  std::string line;                ///< as strace printed it
};

/// What a program asked of the kernel, in order.
class SyscallTrace {
 public:
  /// Reads the output of `strace -f -y`. A call that another one interrupts counts from the moment of its
  /// end, for only then is its effect certain.
  static SyscallTrace Parse(std::string_view text);

  const std::vector<Syscall>& calls() const { return calls_; }

  /// Where the calls are that succeeded, have one of `names` and concern a path that ends in `path_end`.
  std::vector<std::size_t> Find(std::initializer_list<std::string_view> names,
                                std::string_view path_end) const;

 private:
  std::vector<Syscall> calls_;
};

/// The calls that make the order of durable steps.
inline constexpr std::string_view kFileCalls =
    "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,close";

/// Why strace cannot trace here (not installed, or ptrace is forbidden), or nothing when it can.
std::optional<std::string> WhyTracingIsImpossible();

/// A program that ran to its end under strace.
struct TracedProgram {
  ProgramEnd end;
  SyscallTrace trace;
};

/// Runs `command` and its children under `strace -f -y -e trace=<calls>`; `folder` takes the output.
/// `inject`, when not empty, is strace's fault injection: "fsync:error=EIO:when=2". Throws std::system_error
/// when no process can be made.
TracedProgram RunTraced(const std::vector<std::string>& command, const std::filesystem::path& folder,
                        const std::string& inject = {}, std::string_view calls = kFileCalls);

}  // namespace heliograph::testing
