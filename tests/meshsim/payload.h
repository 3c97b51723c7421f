#pragma once

#include <cstdint>
#include <span>

#include "common/bytes.h"
#include "common/public_key.h"
#include "tests/meshsim/node.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// Payloads of the right shape whose secrets are random bytes. Layouts: MeshCore firmware, docs/payloads.md.
/// Each gives a different payload each time: where random bytes are few, a `tag` that the caller never
/// repeats takes their place.

/// TXT_MSG, REQ, RESPONSE and PATH: both ends' first key byte, a MAC, and 1 to `max_blocks` blocks of
/// ciphertext.
Bytes PrivatePayload(const PublicKey& to, const PublicKey& from, std::uint32_t max_blocks, Random& random);
Bytes AckPayload(std::uint32_t tag, Random& random);
Bytes AnonymousRequestPayload(const PublicKey& to, const PublicKey& from, Random& random);
Bytes DiscoverRequestPayload(std::uint32_t tag);
Bytes DiscoverResponsePayload(std::uint32_t tag, const Node& node, double snr_db);
Bytes MultipartAckPayload(std::uint32_t tag);
Bytes RawCustomPayload(Random& random);
/// A TRACE through `hops`, named by hashes of 1 byte.
Bytes TracePayload(std::uint32_t tag, std::span<const PublicKey> hops);
/// What `node` says of itself, signed with its key.
Bytes AdvertPayload(const Node& node, std::uint32_t timestamp);

}  // namespace heliograph::meshsim
