#pragma once

#include <cstdint>
#include <optional>

namespace heliograph::server {

/// Bytes of memory that this process occupies; nothing when the kernel does not tell.
std::optional<std::int64_t> ResidentBytes();

}  // namespace heliograph::server
