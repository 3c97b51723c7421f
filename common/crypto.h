#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/bytes.h"
#include "common/public_key.h"

namespace heliograph {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Primitives from OpenSSL. All are thread-safe: each thread keeps contexts of its own. They throw
/// std::runtime_error only when OpenSSL itself fails, for want of memory or of the algorithm.

Sha256Digest Sha256(ByteView data);

Sha256Digest HmacSha256(ByteView key, ByteView data);

/// AES-128 in ECB mode without padding, the cipher of MeshCore channels. REQUIRED: key has 16 bytes. Nothing
/// when the length of the text is zero or no multiple of 16.
std::optional<Bytes> Aes128EcbDecrypt(ByteView key, ByteView ciphertext);
std::optional<Bytes> Aes128EcbEncrypt(ByteView key, ByteView plaintext);

/// True when `signature` (64 bytes) is an Ed25519 signature of `message` by `key`.
bool Ed25519Verify(const PublicKey& key, ByteView message, ByteView signature);

/// An Ed25519 key pair. Holds a seed; used by the simulator and by tests, for Heliograph itself signs
/// nothing.
class Ed25519KeyPair {
 public:
  static constexpr std::size_t kSeedSize = 32;
  explicit Ed25519KeyPair(const std::array<std::uint8_t, kSeedSize>& seed);

  const PublicKey& public_key() const { return public_key_; }
  /// The 64-byte signature of `message`.
  Bytes Sign(ByteView message) const;

 private:
  std::array<std::uint8_t, kSeedSize> seed_;
  PublicKey public_key_;
};

}  // namespace heliograph
