#include "server/analytics/flood_worlds.h"

#include <algorithm>
#include <cmath>

namespace heliograph::server {
namespace {
constexpr int kProbabilityBits = 12;
}

Worlds DrawWorlds(double probability, WorldRandom& random) {
  const auto scaled =
      static_cast<std::uint32_t>(std::lround(std::clamp(probability, 0.0, 1.0) * (1 << kProbabilityBits)));
  if (scaled >= 1U << kProbabilityBits) return kEveryWorld;
  Worlds drawn = 0;
  // Each binary digit of the probability, from the last to the first, halves what was drawn so far and adds a
  // half when it is set.
  for (int bit = std::countr_zero(scaled | 1U << kProbabilityBits); bit < kProbabilityBits; ++bit)
    drawn = (scaled >> bit & 1U) != 0 ? drawn | random() : drawn & random();
  return drawn;
}

std::uint64_t WorldCounter::Count(std::size_t world) const {
  std::uint64_t count = 0;
  for (std::size_t digit = 0; digit < digits_.size(); ++digit)
    count |= (digits_[digit] >> world & 1U) << digit;
  return count;
}

FloodWorlds::FloodWorlds(const RelayGraph& graph, std::vector<bool> relays)
    : graph_(graph),
      relays_(std::move(relays)),
      open_(graph.links().size(), 0),
      reached_(graph.node_count(), 0),
      fresh_(graph.node_count(), 0),
      next_fresh_(graph.node_count(), 0) {}

void FloodWorlds::DrawLinks(WorldRandom& random) {
  const std::vector<RelayLink>& links = graph_.links();
  for (std::size_t i = 0; i < links.size(); ++i) open_[i] = DrawWorlds(links[i].probability, random);
}

const std::vector<Worlds>& FloodWorlds::Run(const FloodStart& flood, std::span<const Worlds> capable) {
  std::fill(reached_.begin(), reached_.end(), 0);
  reached_[flood.origin] = kEveryWorld;
  fresh_[flood.origin] = kEveryWorld;
  frontier_.assign(1, flood.origin);
  const std::uint32_t most = std::max(flood.max_hops, flood.max_multibyte_hops);
  // The origin sends with an empty path, and each step after it with one hop more.
  for (std::uint32_t hops = 0; hops <= most && !frontier_.empty(); ++hops) {
    const Worlds alive = (hops <= flood.max_hops ? ~flood.multibyte : 0) |
                         (hops <= flood.max_multibyte_hops ? flood.multibyte : 0);
    Step(flood.multibyte, capable, alive);
  }
  for (const GraphNode node : frontier_) fresh_[node] = 0;
  return reached_;
}

void FloodWorlds::Step(Worlds multibyte, std::span<const Worlds> capable, Worlds alive) {
  next_frontier_.clear();
  for (const GraphNode from : frontier_) {
    const Worlds sending = std::exchange(fresh_[from], 0) & alive;
    if (sending == 0) continue;
    const RelayGraph::Range range = graph_.From(from);
    for (std::uint32_t i = range.first; i < range.last; ++i) {
      const GraphNode to = graph_.links()[i].to;
      const Worlds gained = sending & open_[i] & (~multibyte | capable[to]) & ~reached_[to];
      if (gained == 0) continue;
      reached_[to] |= gained;
      if (!relays_[to]) continue;
      if (next_fresh_[to] == 0) next_frontier_.push_back(to);
      next_fresh_[to] |= gained;
    }
  }
  frontier_.swap(next_frontier_);
  fresh_.swap(next_fresh_);
}

Worlds FloodWorlds::Arriving(GraphNode node, const std::vector<Worlds>& reached, GraphNode origin) const {
  Worlds arriving = 0;
  for (const std::uint32_t i : graph_.Into(node)) {
    const GraphNode from = graph_.links()[i].from;
    if (relays_[from] || from == origin) arriving |= reached[from] & open_[i];
  }
  return arriving;
}

}  // namespace heliograph::server
