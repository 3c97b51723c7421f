#pragma once

namespace heliograph::ingestor {

/// Which side counts in a merge where both have changed the same.
enum class MergeSide { kNone, kMain, kBranch };

}  // namespace heliograph::ingestor
