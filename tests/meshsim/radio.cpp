#include "tests/meshsim/radio.h"

#include <algorithm>
#include <cmath>

namespace heliograph::meshsim {
namespace {

constexpr double kSnrAtOneKm = 15;         // 22 dBm between roofs of a town
constexpr double kPathLossExponent = 3.5;  // suburban
constexpr double kShadowingDb = 6;
constexpr double kFadingDb = 2.5;
constexpr double kOtherTrafficFree = 0.97;  // of packets; a flood's collisions with itself are not in it
constexpr double kLeastProbability = 0.02;
constexpr double kChipCeilingDb = 13.5;
constexpr double kMaxRangeKm = 140;

double SiteGainDb(Site site) {
  switch (site) {
    case Site::kIndoors:
      return -7;
    case Site::kRoof:
      return 0;
    case Site::kSummit:
      return 16;
    case Site::kRidge:
      return 25;
  }
  return 0;
}

double ArrivalProbability(double snr_db) {
  const double deviations = (snr_db - kDemodulationLimitDb) / kFadingDb;
  return kOtherTrafficFree /
         (1 + std::exp(-1.702 * deviations));  // the logistic curve close to the normal one
}

Link MakeLink(NodeIndex to, double snr_db) {
  const double probability = ArrivalProbability(snr_db);
  return {to, static_cast<float>(snr_db), static_cast<float>(probability),
          static_cast<std::uint32_t>(probability * 4294967295.0)};
}

}  // namespace

const Link* LinkTable::Find(NodeIndex from, NodeIndex to) const {
  const auto found = std::ranges::find(links_[from], to, &Link::to);
  return found == links_[from].end() ? nullptr : &*found;
}

LinkTable BuildLinks(const std::vector<Node>& nodes, Random random) {
  std::vector<double> noise(nodes.size());
  for (double& extra : noise) extra = std::abs(random.Normal()) * 1.5;

  std::vector<std::vector<Link>> links(nodes.size());
  const std::uint64_t pair_seed = random.Next();
  for (NodeIndex a = 0; a < nodes.size(); ++a) {
    for (NodeIndex b = a + 1; b < nodes.size(); ++b) {
      if (std::abs(nodes[a].position.latitude - nodes[b].position.latitude) * 111 > kMaxRangeKm) continue;
      const double km = std::max(0.05, DistanceKm(nodes[a].position, nodes[b].position));
      if (km > kMaxRangeKm) continue;
      Random pair(pair_seed ^ (static_cast<std::uint64_t>(a) << 32 | b));
      const double snr = kSnrAtOneKm - 10 * kPathLossExponent * std::log10(km) + SiteGainDb(nodes[a].site) +
                         SiteGainDb(nodes[b].site) + pair.Normal() * kShadowingDb;
      const Link forth = MakeLink(b, snr - noise[b]);
      const Link back = MakeLink(a, snr - noise[a]);
      if (std::max(forth.probability, back.probability) < kLeastProbability) continue;
      links[a].push_back(forth);
      links[b].push_back(back);
    }
  }
  return LinkTable(std::move(links));
}

double ReceivedSnr(const Link& link, Random& random) {
  const double faded = static_cast<double>(link.snr_db) + random.Normal() * kFadingDb;
  const double reported = std::clamp(faded, kDemodulationLimitDb, kChipCeilingDb);
  return std::round(reported * 4) / 4;
}

std::int64_t AirtimeMillis(std::size_t frame_bytes) {
  // Semtech's formula for SF7, 62.5 kHz, 4/5 with an explicit header and a preamble of 32 symbols.
  const std::size_t blocks = (8 * frame_bytes + 16 + 27) / 28;
  const double symbols = 32 + 4.25 + 8 + 5.0 * static_cast<double>(blocks);
  return static_cast<std::int64_t>(symbols * 2.048);
}

}  // namespace heliograph::meshsim
