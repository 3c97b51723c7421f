#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace heliograph::testing {

/// How a program ended.
struct ProgramEnd {
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;      ///< 0 when it ended by itself
};

/// What to run besides the command itself.
struct ProgramSetting {
  std::map<std::string, std::string> environment;  ///< added to the present one
  std::function<void()> before_exec;               ///< in the child; only async-signal-safe calls
  bool quiet = true;                               ///< standard output and error go nowhere
};

/// Runs `command` (a path or a name in PATH, then its arguments) and waits for its end. Exit code 127: not
/// found. Throws std::system_error when no process can be made.
ProgramEnd RunProgram(const std::vector<std::string>& command, const ProgramSetting& setting = {});

}  // namespace heliograph::testing
