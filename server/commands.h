#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/config.h"
#include "common/exit_code.h"
#include "common/volume.h"

namespace heliograph::server {

/// The arguments that the commands share, and those of `run`.
struct CommandOptions {
  Volume volume{"."};
  Config config;
  bool insecure_writes = false;  ///< writes without a key, on a loopback listener only
};

/// Serves until SIGTERM or SIGINT, then ends in order. REQUIRED: no other thread runs yet.
ExitCode RunService(const CommandOptions& options);

/// One analytics cycle: reads all packets, publishes what the mesh can do if that is new, and says what it
/// did on standard output. Never waits for the ingestor.
ExitCode RunAnalyze(const CommandOptions& options);

/// Says on standard output whether the database is ready, or what is missing.
ExitCode RunCheck(const CommandOptions& options);

/// The whole program.
ExitCode RunProgram(int argc, const char* const* argv);

}  // namespace heliograph::server
