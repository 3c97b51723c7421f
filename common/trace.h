#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "common/packet.h"

namespace heliograph {

/// The payload of a TRACE: the route that its sender planned. The header's path of such a packet holds no
/// hops but what each hop that was reached heard. Source: MeshCore firmware, Mesh::onRecvPacket.
struct Trace {
  std::uint32_t tag = 0;        ///< chosen by the sender, so that it knows the answer
  std::uint32_t auth_code = 0;  ///< opaque
  std::uint8_t flags = 0;       ///< bits 0-1 tell the size of a hop
  Bytes route;                  ///< the hops, one after the other

  static constexpr std::size_t kMinSize = 9;

  /// 1, 2, 4 or 8 bytes. These sizes are not those of a packet's path.
  std::size_t hop_size() const { return std::size_t{1} << (flags & 3); }
  /// The whole hops of the route in its order; bytes that are left over belong to none.
  std::vector<Bytes> Hops() const;

  bool operator==(const Trace&) const = default;
};

/// What the reached hops of a TRACE heard, in quarters of a decibel, in the order of the route. The number of
/// values is the number of hops that are completed. Empty for a packet that is no TRACE.
std::vector<std::int8_t> TraceSnrQuarterDb(const Packet& packet);

/// True when the firmware would process this TRACE: it is direct, and its path_len has not run into the bits
/// of the hash size. REQUIRED: the packet is a TRACE.
bool IsRegularTrace(const Packet& packet);

}  // namespace heliograph
