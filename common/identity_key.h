#pragma once

#include <cstdint>

namespace heliograph {

/// The integer that stands for a node's or observer's public key in the database, from the dictionary
/// `identity`. Never reused, so that it may be kept.
enum class IdentityKey : std::int64_t {};

}  // namespace heliograph
