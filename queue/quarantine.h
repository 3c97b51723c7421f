#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "queue/folders.h"

namespace heliograph::queue {

/// What `failed` may hold: entries with their reasons, and the bytes of the entries. The oldest go first.
struct QuarantineLimits {
  std::size_t max_files = 100;
  std::uint64_t max_bytes = 256ULL * 1024 * 1024;
};

/// What became of an entry of `new` that was to be set aside.
struct QuarantineReport {
  enum class Fate : std::uint8_t {
    kMoved,    ///< it is in `failed` under `name`, with `name`.reason beside it
    kRemoved,  ///< it could not be moved, for `failed` is another mount; it is deleted
    kGone,     ///< it was not there any more
    kLeft,     ///< it is still in `new`, and `problems` says why; the caller must pass over it
  };
  Fate fate = Fate::kLeft;
  std::string name;               ///< for kMoved: without characters that a terminal or a shell could mistake
  std::vector<IoError> problems;  ///< everything that did not go as it should, also when the entry was moved
  std::size_t evicted = 0;        ///< older entries that were deleted to keep the limits
};

/// Moves the entry `name` of `new` to `failed`, durably, and never over another: a suffix makes a taken name
/// unique. What it is does not matter: links are not followed, folders move whole. The reason is written
/// first, so that no entry of `failed` lacks one; when it cannot be written the entry moves all the same. Not
/// thread-safe.
QuarantineReport SetAside(const Folders& folders, std::string_view name, std::string_view reason,
                          const QuarantineLimits& limits);

}  // namespace heliograph::queue
