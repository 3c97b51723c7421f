#pragma once

#include <cstdint>
#include <optional>

#include "common/bytes.h"
#include "common/identity_key.h"
#include "common/packet.h"
#include "common/public_key.h"
#include "common/time.h"

namespace heliograph::server {

/// One observation, as the accumulators need it.
struct Reception {
  std::int64_t observation = 0;
  std::int64_t transmission = 0;
  IdentityKey observer{};
  UtcMillis received_at{};
  RouteType route{};
  PayloadType type{};
  PathLength path_length;
  ByteView path;                          ///< unowned
  std::optional<IdentityKey> origin;      ///< who signed it: adverts only
  const PublicKey* origin_key = nullptr;  ///< of `origin`, when known; unowned
  bool sent = false;                      ///< the observer says that it sent the packet itself
  std::optional<float> snr_db;            ///< at which the observer heard it
};

}  // namespace heliograph::server
