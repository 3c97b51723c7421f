#pragma once

#include "server/routes/json_text.h"
#include "server/routes/packet_page.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// Writes packets in the shapes that CoreScope's clients read. Observers that are not shown, or not known
/// yet, have null for id, name and IATA code. Signal-to-noise ratios are in dB, paths are JSON arrays inside
/// strings.
class PacketWriter {
 public:
  /// Both outlive the writer.
  PacketWriter(const RouteContext& context, const MeshView& view) : context_(context), view_(view) {}

  /// A transmission as its display observation heard it; `observations` too when it was loaded with them and
  /// `expanded`.
  void WriteTransmission(JsonText& out, const StoredTransmission& transmission, bool expanded) const;
  /// A transmission summed up over its observations.
  void WriteGroup(JsonText& out, const StoredTransmission& transmission) const;
  /// One observation; `whole` adds what a list leaves out.
  void WriteObservation(JsonText& out, const StoredTransmission& transmission,
                        const StoredObservation& observation, bool whole) const;
  /// The hops of the displayed path; empty without one.
  void WritePath(JsonText& out, const StoredTransmission& transmission) const;

 private:
  void WriteObserver(JsonText& out, std::int64_t key) const;
  void WriteReception(JsonText& out, const StoredObservation* observation) const;
  void WriteFrame(JsonText& out, const StoredTransmission& transmission) const;
  std::vector<std::string> RegionsOf(const StoredTransmission& transmission) const;

  const RouteContext& context_;
  const MeshView& view_;
};

}  // namespace heliograph::server
