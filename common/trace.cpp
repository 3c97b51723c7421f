#include "common/trace.h"

#include <algorithm>

namespace heliograph {

std::vector<Bytes> Trace::Hops() const {
  std::vector<Bytes> hops;
  const auto size = static_cast<std::ptrdiff_t>(hop_size());
  for (auto hop = route.begin(); route.end() - hop >= size; hop += size) hops.emplace_back(hop, hop + size);
  return hops;
}

std::vector<std::int8_t> TraceSnrQuarterDb(const Packet& packet) {
  if (packet.payload_type != PayloadType::kTrace) return {};
  std::vector<std::int8_t> values(packet.path.size());
  std::transform(packet.path.begin(), packet.path.end(), values.begin(),
                 [](std::uint8_t byte) { return static_cast<std::int8_t>(byte); });
  return values;
}

bool IsRegularTrace(const Packet& packet) {
  return !IsFlood(packet.route) && packet.path_length.hash_size() == 1;
}

}  // namespace heliograph
