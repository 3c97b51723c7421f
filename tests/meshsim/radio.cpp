#include "tests/meshsim/radio.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

/// The links between two nodes, from the first and from the second; nothing when they are out of range.
/// REQUIRED: a < b.
std::optional<std::pair<Link, Link>> LinkPair(NodeIndex a, NodeIndex b, const std::vector<Node>& nodes,
                                              const Surroundings& surroundings) {
  const Node &first = nodes[a], &second = nodes[b];
  if (std::abs(first.position.latitude - second.position.latitude) * 111 > kMaxRangeKm) return std::nullopt;
  const double km = std::max(0.05, DistanceKm(first.position, second.position));
  if (km > kMaxRangeKm) return std::nullopt;
  // A node that has moved has other hills around it.
  const std::uint64_t moves = first.moves * 0x9E3779B97F4A7C15u + second.moves * 0xD1342543DE82EF95u;
  Random shadowing(surroundings.shadowing_seed ^ (static_cast<std::uint64_t>(a) << 32 | b) ^ moves);
  const double snr = kSnrAtOneKm - 10 * kPathLossExponent * std::log10(km) + SiteGainDb(first.site) +
                     SiteGainDb(second.site) + shadowing.Normal() * kShadowingDb;
  const Link forth = MakeLink(b, snr - surroundings.noise_db[b]);
  const Link back = MakeLink(a, snr - surroundings.noise_db[a]);
  if (std::max(forth.probability, back.probability) < kLeastProbability) return std::nullopt;
  return std::pair(forth, back);
}

}  // namespace

void LinkTable::Replace(NodeIndex node, std::vector<Link> forth, const std::vector<Link>& back) {
  for (const Link& old : links_[node])
    std::erase_if(links_[old.to], [node](const Link& link) { return link.to == node; });
  for (std::size_t i = 0; i < forth.size(); ++i) {
    auto& of_other = links_[forth[i].to];
    of_other.insert(std::ranges::lower_bound(of_other, node, {}, &Link::to), back[i]);
  }
  links_[node] = std::move(forth);
}

const Link* LinkTable::Find(NodeIndex from, NodeIndex to) const {
  const auto found = std::ranges::find(links_[from], to, &Link::to);
  return found == links_[from].end() ? nullptr : &*found;
}

Surroundings BuildSurroundings(std::size_t node_count, Random random) {
  Surroundings out;
  out.noise_db.resize(node_count);
  for (double& extra : out.noise_db) extra = std::abs(random.Normal()) * 1.5;
  out.shadowing_seed = random.Next();
  return out;
}

LinkTable BuildLinks(const std::vector<Node>& nodes, const Surroundings& surroundings) {
  std::vector<std::vector<Link>> links(nodes.size());
  for (NodeIndex a = 0; a < nodes.size(); ++a) {
    for (NodeIndex b = a + 1; b < nodes.size(); ++b) {
      const auto pair = LinkPair(a, b, nodes, surroundings);
      if (!pair) continue;
      links[a].push_back(pair->first);
      links[b].push_back(pair->second);
    }
  }
  return LinkTable(std::move(links));
}

void Relink(NodeIndex moved, const std::vector<Node>& nodes, const Surroundings& surroundings,
            LinkTable& links) {
  std::vector<Link> forth, back;
  for (NodeIndex other = 0; other < nodes.size(); ++other) {
    if (other == moved) continue;
    const auto pair = LinkPair(std::min(moved, other), std::max(moved, other), nodes, surroundings);
    if (!pair) continue;
    forth.push_back(moved < other ? pair->first : pair->second);
    back.push_back(moved < other ? pair->second : pair->first);
  }
  links.Replace(moved, std::move(forth), back);
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
