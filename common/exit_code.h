#pragma once

namespace heliograph {

/// What the programs end with; part of their interface.
enum class ExitCode : int {
  kFine = 0,     ///< also when nothing changed
  kFailed = 1,   ///< the check failed, the schema is not ready, or the command could not do its work
  kUsage = 2,    ///< an argument or the configuration is wrong
  kHeld = 3,     ///< another process of this kind holds the volume
  kForeign = 4,  ///< the database is another program's, or a newer Heliograph's
};

}  // namespace heliograph
