#pragma once

#include <cstddef>
#include <cstdint>

#include "common/public_key.h"

namespace heliograph::server {

/// A path hash, as a key: the size in the top byte, then its bytes.
enum class HopKey : std::uint32_t {};

/// The key of the hash of `size` bytes at `bytes`. REQUIRED: 1 <= size <= 3, and so many bytes are there.
HopKey HopKeyOf(const std::uint8_t* bytes, std::size_t size);
/// The key of what the node with this public key writes into a path of this size. REQUIRED: 1 <= size <= 3.
HopKey HopKeyOf(const PublicKey& key, std::size_t size);
std::size_t HashSize(HopKey key);

}  // namespace heliograph::server
