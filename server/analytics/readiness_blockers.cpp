#include "server/analytics/readiness_blockers.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <set>

#include "server/analytics/readiness_worlds.h"

namespace heliograph::server {
namespace {

// Draws of all links. They cost by the link, so that large meshes get fewer of them.
constexpr std::size_t kMostWeathers = 64;
constexpr std::size_t kFewestWeathers = 16;
constexpr std::size_t kLinksInAllWeathers = 320'000;
constexpr std::size_t kFloodsPerWeather = 8;
constexpr std::size_t kMostCandidates = 64;
constexpr double kAsGoodAsCapable = 0.9;
constexpr double kLeastGain = 0.0002;  // of today's deliveries; less is within the noise of the sample
constexpr std::uint64_t kSeed = 0x626c6f636b657273;

double CountOf(Worlds worlds) {
  return std::popcount(worlds);
}

}  // namespace

BlockerSearch::BlockerSearch(const ReadinessInput& input, const std::vector<Worlds>& capable,
                             std::size_t hash_size)
    : input_(input), hash_size_(hash_size), today_(input.regions.size() + 1, 0) {
  start_.capable = capable;
  ChooseCandidates();
  if (candidates_.empty()) return;
  StartFloods();
  for (const GraphNode candidate : candidates_) first_gains_.push_back(Upgrade(candidate, start_, false));
}

std::size_t BlockerSearch::Slot(GraphNode node) const {
  return input_.nodes[node].home ? *input_.nodes[node].home : input_.regions.size();
}

double BlockerSearch::InScope(const std::vector<double>& by_region, std::optional<RegionIndex> region) const {
  return region ? by_region[*region] : std::accumulate(by_region.begin(), by_region.end(), 0.0);
}

void BlockerSearch::ChooseCandidates() {
  for (GraphNode i = 0; i < input_.nodes.size(); ++i) {
    const ReadinessNode& node = input_.nodes[i];
    if (node.relays && node.capable < kAsGoodAsCapable && node.present_size == 1) candidates_.push_back(i);
  }
  std::stable_sort(candidates_.begin(), candidates_.end(), [&](GraphNode a, GraphNode b) {
    const auto blocked = [&](GraphNode i) { return input_.nodes[i].relayed * (1 - input_.nodes[i].capable); };
    return blocked(a) > blocked(b);
  });
  if (candidates_.size() > kMostCandidates) candidates_.resize(kMostCandidates);
}

void BlockerSearch::StartFloods() {
  WorldRandom random(kSeed);
  const auto all = static_cast<double>(std::count_if(
      input_.nodes.begin(), input_.nodes.end(), [](const ReadinessNode& node) { return node.advertises; }));
  const std::size_t links = std::max<std::size_t>(input_.graph.links().size(), 1);
  const std::size_t runs =
      std::clamp(kLinksInAllWeathers / links, kFewestWeathers, kMostWeathers) * kFloodsPerWeather;
  const std::vector<GraphNode> origins = DrawOrigins(input_, runs, random);
  if (origins.empty()) return;
  origins_per_run_ = all / static_cast<double>(runs);
  for (std::size_t i = 0; i < runs; ++i) {
    if (i % kFloodsPerWeather == 0) weathers_.emplace_back(input_.graph, RelaysOf(input_)).DrawLinks(random);
    FloodWorlds& weather = weathers_.back();
    const GraphNode origin = origins[i % origins.size()];
    const std::vector<Worlds>& today = weather.Run(FloodToday(input_, origin), start_.capable);
    for (GraphNode node = 0; node < input_.nodes.size(); ++node)
      if (input_.nodes[node].advertises && node != origin) today_[Slot(node)] += CountOf(today[node]);
    const FloodStart flood = FloodAfter(input_, origin, hash_size_, start_.capable);
    start_.runs.push_back(
        {origin, weathers_.size() - 1, flood.multibyte, weather.Run(flood, start_.capable)});
  }
}

BlockerSearch::Gain BlockerSearch::Upgrade(GraphNode relay, State& state, bool keep) {
  Gain gain{std::vector<double>(today_.size(), 0)};
  const Worlds newly = ~state.capable[relay];
  std::vector<std::pair<GraphNode, Worlds>> added;
  for (Run& run : state.runs) {
    if (run.origin == relay) continue;
    FloodWorlds& weather = weathers_[run.weather];
    const Worlds arriving = weather.Arriving(relay, run.reached, run.origin) & run.multibyte & newly;
    added.clear();
    weather.Spread(relay, arriving, run.multibyte, state.capable, run.reached,
                   [&](GraphNode node, Worlds worlds) {
                     if (input_.nodes[node].advertises) gain.by_region[Slot(node)] += CountOf(worlds);
                     if (!keep) added.emplace_back(node, worlds);
                   });
    for (const auto& [node, worlds] : added) run.reached[node] &= ~worlds;
  }
  SubtractOwnFlood(relay, state, gain);
  if (keep) Accept(relay, state);
  return gain;
}

void BlockerSearch::Accept(GraphNode relay, State& state) {
  state.capable[relay] = kEveryWorld;
  for (Run& run : state.runs) {
    if (run.origin != relay) continue;
    const FloodStart flood = FloodAfter(input_, relay, hash_size_, state.capable);
    run.multibyte = flood.multibyte;
    run.reached = weathers_[run.weather].Run(flood, state.capable);
  }
}

/// An upgraded origin sends with the new size too, which does not reach as far.
void BlockerSearch::SubtractOwnFlood(GraphNode relay, const State& state, Gain& gain) {
  if (!input_.nodes[relay].advertises || origins_per_run_ <= 0) return;
  FloodWorlds& weather = weathers_.front();
  const Worlds newly = ~state.capable[relay];
  const std::vector<Worlds> today = weather.Run(FloodToday(input_, relay), state.capable);
  FloodStart flood = FloodAfter(input_, relay, hash_size_, state.capable);
  flood.multibyte |= newly;
  const std::vector<Worlds>& after = weather.Run(flood, state.capable);
  for (GraphNode node = 0; node < input_.nodes.size(); ++node) {
    const Worlds lost = today[node] & ~after[node] & newly;
    if (lost != 0 && input_.nodes[node].advertises)
      gain.by_region[Slot(node)] -= CountOf(lost) / origins_per_run_;
  }
}

std::vector<SwitchBlocker> BlockerSearch::Find(std::optional<RegionIndex> region, std::size_t most) {
  std::vector<SwitchBlocker> blockers;
  const double today = InScope(today_, region);
  if (candidates_.empty() || today <= 0) return blockers;

  struct Offer {
    double gain = 0;
    GraphNode relay = 0;
    std::size_t made_after = 0;  ///< how many upgrades it takes into account
  };
  std::vector<Offer> offers;
  for (std::size_t i = 0; i < candidates_.size(); ++i)
    offers.push_back({InScope(first_gains_[i].by_region, region), candidates_[i], 0});
  State state = start_;
  while (blockers.size() < most && !offers.empty()) {
    // An offer mostly sinks as others are accepted, so the best one stands when it is up to date.
    const auto best = std::max_element(offers.begin(), offers.end(), [](const Offer& a, const Offer& b) {
      return a.gain < b.gain || (a.gain == b.gain && a.relay > b.relay);
    });
    if (best->gain < kLeastGain * today) break;
    if (best->made_after < blockers.size()) {
      best->gain = InScope(Upgrade(best->relay, state, false).by_region, region);
      best->made_after = blockers.size();
      continue;
    }
    const GraphNode relay = best->relay;
    blockers.push_back({input_.nodes[relay].public_key, best->gain / today});
    Upgrade(relay, state, true);
    offers.erase(best);
    // What it passes on may make a neighbour worth more than before.
    std::set<GraphNode> neighbours;
    const RelayGraph::Range range = input_.graph.From(relay);
    for (std::uint32_t i = range.first; i < range.last; ++i) neighbours.insert(input_.graph.links()[i].to);
    for (Offer& offer : offers)
      if (neighbours.contains(offer.relay)) offer.gain = std::numeric_limits<double>::infinity();
  }
  return blockers;
}

}  // namespace heliograph::server
