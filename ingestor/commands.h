#pragma once

#include "common/exit_code.h"

namespace heliograph::ingestor {

/// The whole program: reads the arguments, does what they say, and explains itself on standard error. Never
/// throws.
ExitCode RunProgram(int argc, const char* const* argv);

}  // namespace heliograph::ingestor
