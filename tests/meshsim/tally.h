#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/transmission.h"

namespace heliograph::meshsim {

/// Counts what the capture holds, as it is written, from what the simulator knows and not from the lines.
class Tally {
 public:
  explicit Tally(std::size_t node_count);

  /// `received` is the time that the line states.
  void Count(const Message& message, UtcMillis received);

  struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t status_messages = 0;
    std::uint64_t packet_messages = 0;
    std::uint64_t transmissions = 0;  ///< distinct contents
    std::uint64_t observations = 0;   ///< distinct by content, observer, path_len and path
    std::uint64_t adverts = 0;        ///< distinct contents that are adverts
    std::uint64_t advert_messages = 0;
    std::uint64_t multibyte_flood_observations = 0;
    std::array<std::uint64_t, 16> transmissions_by_type{};
    std::optional<UtcMillis> first_received, last_received;
  };
  const Totals& totals() const { return totals_; }
  /// Distinct observations of multi-byte floods in whose path the node stands.
  std::uint64_t RelayedMultibyte(NodeIndex node) const { return relayed_multibyte_[node]; }
  bool Advertised(NodeIndex node) const { return advertised_[node] != 0; }
  /// By node: was an advert of it heard?
  const std::vector<std::uint8_t>& advertised() const { return advertised_; }
  std::uint64_t NodesAdvertised() const;

 private:
  Totals totals_;
  std::vector<std::uint64_t> relayed_multibyte_;
  std::vector<std::uint8_t> advertised_;
};

}  // namespace heliograph::meshsim
