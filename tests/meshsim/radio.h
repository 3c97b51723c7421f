#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tests/meshsim/node.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// One direction of a link.
struct Link {
  std::uint32_t to = 0;              ///< who hears; an index whose meaning the table's owner gives it
  float snr_db = 0;                  ///< the mean
  float probability = 0;             ///< that one packet arrives
  std::uint32_t draw_threshold = 0;  ///< the probability as a limit for 32 random bits
};

/// Links by transmitter, in one block of memory.
class LinkTable {
 public:
  LinkTable() = default;
  /// `links[i]` are the links of transmitter i.
  explicit LinkTable(const std::vector<std::vector<Link>>& links);

  std::span<const Link> From(NodeIndex transmitter) const {
    return {links_.data() + begin_[transmitter], links_.data() + begin_[transmitter + 1]};
  }
  std::size_t transmitter_count() const { return begin_.empty() ? 0 : begin_.size() - 1; }

  /// The links to the receivers that `rename` keeps: it gives the receiver's new index, or -1 to leave it
  /// out.
  LinkTable Filtered(const std::function<std::int64_t(NodeIndex)>& rename) const;

 private:
  std::vector<std::size_t> begin_;
  std::vector<Link> links_;
};

/// Who hears whom: log-distance path loss with shadowing that is the same in both directions, antenna sites,
/// and a noise floor of each receiver. Links on which fewer than 2 % of the packets arrive are left out.
LinkTable BuildLinks(const std::vector<Node>& nodes, Random random);

/// True when a packet arrives over the link this time.
inline bool Arrives(const Link& link, Random& random) {
  return static_cast<std::uint32_t>(random.Next() >> 32) < link.draw_threshold;
}

/// The SNR of one packet that arrived over the link, in dB, in the quarters that the chip reports.
double ReceivedSnr(const Link& link, Random& random);

/// How long a frame is on the air at the settings of the simulated mesh (SF7, 62.5 kHz, 4/5), in
/// milliseconds.
std::int64_t AirtimeMillis(std::size_t frame_bytes);

/// The power of noise at the settings above, in dBm: SNR and RSSI differ by it.
inline constexpr double kNoiseFloorDbm = -116;

}  // namespace heliograph::meshsim
