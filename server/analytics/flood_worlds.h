#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "server/analytics/relay_graph.h"

namespace heliograph::server {

/// A set of possible worlds: bit w is world w. Whatever is true in some worlds and false in others is one
/// word, so that a flood costs no more in all of them than in one.
using Worlds = std::uint64_t;
inline constexpr std::size_t kWorlds = 64;
inline constexpr Worlds kEveryWorld = ~Worlds{0};

/// The source of chance: the same numbers on every platform.
using WorldRandom = std::mt19937_64;

/// The worlds in which something of this probability happens, each independently. In steps of 1/4096.
Worlds DrawWorlds(double probability, WorldRandom& random);

/// In how many of the added sets each world was.
class WorldCounter {
 public:
  void Add(Worlds worlds) {
    // The binary digits of all counts lie in one word each, so that adding is a carry.
    for (std::size_t digit = 0; worlds != 0; ++digit) {
      const Worlds carry = digits_[digit] & worlds;
      digits_[digit] ^= worlds;
      worlds = carry;
    }
  }
  std::uint64_t Count(std::size_t world) const;

 private:
  std::array<Worlds, 48> digits_{};
};

/// A flood as it sets out.
struct FloodStart {
  GraphNode origin = 0;
  Worlds multibyte = 0;         ///< where its hashes are larger than 1 byte, so that old firmware drops it
  std::uint32_t max_hops = 63;  ///< of its path where they are 1 byte
  std::uint32_t max_multibyte_hops = 32;  ///< where they are larger
};

/// Lets floods percolate: each link carries a flood or does not, and each relay that receives it sends it on
/// once. Keeps its working memory between floods. Not thread-safe.
class FloodWorlds {
 public:
  /// `relays[node]` is true for those that forward what they receive. REQUIRED: `graph` outlives the object.
  FloodWorlds(const RelayGraph& graph, std::vector<bool> relays);

  /// Draws anew in which worlds each link carries a packet.
  void DrawLinks(WorldRandom& random);
  const std::vector<Worlds>& open_links() const { return open_; }
  void SetOpenLinks(std::vector<Worlds> open) { open_ = std::move(open); }

  /// For each node, the worlds in which it receives the flood. `capable[node]` are those in which its
  /// firmware takes multi-byte packets. The origin is in all worlds of the answer, which is valid until the
  /// next call.
  const std::vector<Worlds>& Run(const FloodStart& flood, std::span<const Worlds> capable);

  /// Goes on from a finished flood, after `node` has become able to take it in `newly`, and adds to `reached`
  /// what follows from that. Calls `on_reached(node, worlds)` for each addition. The limit of hops is left
  /// aside.
  template <typename OnReached>
  void Spread(GraphNode node, Worlds newly, Worlds multibyte, std::span<const Worlds> capable,
              std::vector<Worlds>& reached, OnReached on_reached);

  /// The worlds in which one of the neighbours of `node` that have a flood sends it so that `node` can hear
  /// it.
  Worlds Arriving(GraphNode node, const std::vector<Worlds>& reached, GraphNode origin) const;

 private:
  void Step(Worlds multibyte, std::span<const Worlds> capable, Worlds alive);

  const RelayGraph& graph_;
  std::vector<bool> relays_;
  std::vector<Worlds> open_;
  std::vector<Worlds> reached_;
  std::vector<Worlds> fresh_;  ///< reached in the present step
  std::vector<Worlds> next_fresh_;
  std::vector<GraphNode> frontier_, next_frontier_;
};

template <typename OnReached>
void FloodWorlds::Spread(GraphNode node, Worlds newly, Worlds multibyte, std::span<const Worlds> capable,
                         std::vector<Worlds>& reached, OnReached on_reached) {
  newly &= ~reached[node];
  if (newly == 0) return;
  reached[node] |= newly;
  on_reached(node, newly);
  std::vector<std::pair<GraphNode, Worlds>> waiting{{node, newly}};
  while (!waiting.empty()) {
    const auto [from, worlds] = waiting.back();
    waiting.pop_back();
    if (!relays_[from]) continue;
    const RelayGraph::Range range = graph_.From(from);
    for (std::uint32_t i = range.first; i < range.last; ++i) {
      const GraphNode to = graph_.links()[i].to;
      const Worlds gained = worlds & open_[i] & (~multibyte | capable[to]) & ~reached[to];
      if (gained == 0) continue;
      reached[to] |= gained;
      on_reached(to, gained);
      waiting.emplace_back(to, gained);
    }
  }
}

}  // namespace heliograph::server
