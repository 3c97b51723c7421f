#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
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

/// Links by transmitter.
class LinkTable {
 public:
  LinkTable() = default;
  /// `links[i]` are the links of transmitter i.
  explicit LinkTable(std::vector<std::vector<Link>> links) : links_(std::move(links)) {}

  const std::vector<Link>& From(NodeIndex transmitter) const { return links_[transmitter]; }
  std::size_t transmitter_count() const { return links_.size(); }
  /// Gives `node` other links: `forth[i]` are links from it, `back[i]` those to it from forth[i].to.
  void Replace(NodeIndex node, std::vector<Link> forth, const std::vector<Link>& back);
  /// The link from `from` to `to`; null when there is none. Valid until the table changes.
  const Link* Find(NodeIndex from, NodeIndex to) const;

 private:
  std::vector<std::vector<Link>> links_;
};

/// What surroundings do to signals.
struct Surroundings {
  std::vector<double> noise_db;  ///< above the noise floor, by receiver
  std::uint64_t shadowing_seed = 0;
};
Surroundings BuildSurroundings(std::size_t node_count, Random random);

/// Who hears whom: log-distance path loss with shadowing that is the same in both directions, antenna sites,
/// and a noise floor of each receiver. Links on which fewer than 2 % of the packets arrive are left out.
LinkTable BuildLinks(const std::vector<Node>& nodes, const Surroundings& surroundings);

/// Brings the links of a node that has moved up to date.
void Relink(NodeIndex moved, const std::vector<Node>& nodes, const Surroundings& surroundings,
            LinkTable& links);

/// True when a packet arrives over the link, if nothing collides with it, for this draw of 32 random bits.
inline bool Arrives(const Link& link, std::uint32_t draw) {
  return draw < link.draw_threshold;
}

/// The SNR of one packet that arrived over the link, in dB, in the quarters that the chip reports.
double ReceivedSnr(const Link& link, Random& random);

/// How long a frame is on the air at the settings of the simulated mesh (SF7, 62.5 kHz, 4/5), in
/// milliseconds.
std::int64_t AirtimeMillis(std::size_t frame_bytes);

/// The weakest SNR at which a frame can be read at the settings above. Source: Semtech, SX1262 data sheet,
/// SF7.
inline constexpr double kDemodulationLimitDb = -7.5;
/// How much stronger one of two frames that overlap must be to be read all the same. Source: Semtech, the
/// co-channel rejection of LoRa with the same spreading factor.
inline constexpr float kCaptureDb = 6;
/// The power of noise at the settings above, in dBm: SNR and RSSI differ by it.
inline constexpr double kNoiseFloorDbm = -116;

}  // namespace heliograph::meshsim
