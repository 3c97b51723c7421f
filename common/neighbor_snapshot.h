#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/public_key.h"
#include "common/time.h"

namespace heliograph {

/// Two stations that were heard to hand floods to each other, in either direction. Counts are expected
/// numbers: a hop that may be several stations counts for each by its probability.
struct NeighborEdge {
  PublicKey a, b;     ///< a < b
  double a_to_b = 0;  ///< floods that b received from a
  double b_to_a = 0;
  UtcMillis first_seen{}, last_seen{};
  std::uint32_t observers = 0;   ///< how many showed it
  std::optional<double> snr_db;  ///< mean over both directions, where an observer told it

  double Count() const { return a_to_b + b_to_a; }
  bool operator==(const NeighborEdge&) const = default;
};

/// The payload of a `neighbor-snapshot`: all edges there are. One that is not in it no longer is one.
struct NeighborSnapshot {
  std::vector<NeighborEdge> edges;  ///< ascending by a, then b

  bool operator==(const NeighborSnapshot&) const = default;
};

/// JSON with each key once: `{"nodes":[key, …],"edges":[[place of a, place of b, a_to_b, b_to_a, first_seen,
/// last_seen, observers, snr_db], …]}`, times in milliseconds since 1970. REQUIRED: DecodeNeighborSnapshot
/// accepts what it holds.
std::string EncodeNeighborSnapshot(const NeighborSnapshot& snapshot);

/// The snapshot, or what is wrong with the text in words for a person. Refuses keys and edges that are not in
/// ascending order (so none is there twice), and numbers that are not finite or out of their range.
tl::expected<NeighborSnapshot, std::string> DecodeNeighborSnapshot(std::string_view text);

}  // namespace heliograph
