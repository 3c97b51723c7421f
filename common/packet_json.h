#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/key_ring.h"
#include "common/packet.h"

namespace heliograph {

/// What the JSON of a packet shall show beyond what its bytes say.
struct PacketJsonOptions {
  const KeyRing* keys = nullptr;  ///< decrypts channels; not owned
  bool verify_signature = false;  ///< adds `signatureValid` to adverts, at the cost of the check
};

/// The packet taken apart, in the shape that CoreScope's clients read: `header`, `transportCodes` (transport
/// routes only), `path`, `payload` and `anomaly` (only when something about a TRACE is odd). A value of zero
/// is written as zero; a member is absent only when the packet has no such thing. All text is valid UTF-8. A
/// `hashSize` of 0 means that the packet does not tell one. Thread-safe.
nlohmann::ordered_json PacketToJson(const Packet& packet, const PacketJsonOptions& options = {});

/// The member `payload` of it: what CoreScope stores as `decoded_json`. A channel message that could be read
/// has the type "CHAN".
nlohmann::ordered_json PayloadToJson(const Packet& packet, const PacketJsonOptions& options = {});

}  // namespace heliograph
