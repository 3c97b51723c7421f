#include "server/analytics/neighbors/neighbor_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace heliograph::server {
namespace {

constexpr double kFullCount = 100;
constexpr double kHalfLifeMs = 7 * 24 * 3600 * 1000.0;
constexpr double kFullObservers = 3;
constexpr double kWorstSnrDb = -15;
constexpr double kFactorOfUnknownSnr = 0.75;
constexpr double kOfWorstSnr = 0.5;
/// An edge of any age keeps a weight that arithmetic can see.
constexpr double kLeastScore = 1e-9;

double Rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

bool IsTooFar(const Station& a, const Station& b, double limit_km) {
  return a.position && b.position && DistanceKm(*a.position, *b.position) > limit_km;
}

struct Pair {
  PairTally there, back;  ///< from the one with the lower public key, and to it
};

ObserverTally ObserversOf(const Pair& pair) {
  ObserverTally observers = pair.there.observers;
  observers.Add(pair.back.observers);
  return observers;
}

NeighborEdge EdgeOf(const PublicKey& a, const PublicKey& b, const Pair& pair) {
  NeighborEdge edge;
  edge.a = a;
  edge.b = b;
  edge.a_to_b = Rounded(pair.there.Total(), 100);
  edge.b_to_a = Rounded(pair.back.Total(), 100);
  const bool one_way = pair.there.first_heard == UtcMillis{} || pair.back.first_heard == UtcMillis{};
  edge.first_seen = one_way ? std::max(pair.there.first_heard, pair.back.first_heard)
                            : std::min(pair.there.first_heard, pair.back.first_heard);
  edge.last_seen = std::max(pair.there.last_heard, pair.back.last_heard);
  edge.observers = static_cast<std::uint32_t>(ObserversOf(pair).Count());
  const double told = static_cast<double>(pair.there.snr_weight) + static_cast<double>(pair.back.snr_weight);
  if (told > 0) {
    const double sum = static_cast<double>(pair.there.snr_sum_db) + static_cast<double>(pair.back.snr_sum_db);
    edge.snr_db = Rounded(sum / told, 10);
  }
  return edge;
}

auto EndsOf(const NeighborEdge& edge) {
  return std::tie(edge.a, edge.b);
}

}  // namespace

NeighborRules RulesOf(const Config& config) {
  NeighborRules rules;
  rules.max_age = std::chrono::hours(24 * config.neighbor_edges_max_age_days);
  rules.max_distance_km =
      config.neighbor_max_edge_km < 0 ? std::numeric_limits<double>::infinity() : config.neighbor_max_edge_km;
  return rules;
}

NeighborGraph CollectNeighbors(const RelayEvidence& evidence, const StationDirectory& stations,
                               std::optional<UtcMillis> data_time, const NeighborRules& rules) {
  NeighborGraph graph;
  graph.data_time = data_time;
  std::map<std::pair<PublicKey, PublicKey>, Pair> pairs;
  std::set<std::pair<PublicKey, PublicKey>> too_far;
  evidence.ForEachPair([&](IdentityKey from, IdentityKey to, const PairTally& tally) {
    const Station *sender = stations.Find(from), *receiver = stations.Find(to);
    if (sender == nullptr || receiver == nullptr) return;
    const bool up = sender->public_key < receiver->public_key;
    const PublicKey &low = up ? sender->public_key : receiver->public_key,
                    &high = up ? receiver->public_key : sender->public_key;
    const auto found = pairs.find({low, high});
    if (found == pairs.end() && IsTooFar(*sender, *receiver, rules.max_distance_km)) {
      too_far.emplace(low, high);
      return;
    }
    Pair& pair = found == pairs.end() ? pairs[{low, high}] : found->second;
    (up ? pair.there : pair.back) = tally;
  });
  graph.too_far = too_far.size();
  for (const auto& [ends, pair] : pairs) {
    NeighborEdge edge = EdgeOf(ends.first, ends.second, pair);
    if (edge.Count() < rules.least_count) continue;
    if (data_time && edge.last_seen < *data_time - rules.max_age) continue;
    graph.edges.push_back(edge);
    std::vector<PublicKey>& observers = graph.observers.emplace_back();
    for (const IdentityKey key : ObserversOf(pair).Named())
      if (const Station* observer = stations.Find(key)) observers.push_back(observer->public_key);
  }
  return graph;
}

double ScoreOf(const NeighborEdge& edge, std::optional<UtcMillis> data_time) {
  const double age_ms =
      data_time ? std::max<double>(0, static_cast<double>((*data_time - edge.last_seen).count())) : 0;
  return std::max(std::min(1.0, edge.Count() / kFullCount) * std::exp2(-age_ms / kHalfLifeMs), kLeastScore);
}

double WeightOf(const NeighborEdge& edge, std::optional<UtcMillis> data_time) {
  const double observers = std::min(1.0, std::max<double>(edge.observers, 1) / kFullObservers);
  const double quality =
      edge.snr_db ? kOfWorstSnr + (1 - kOfWorstSnr) * std::clamp(1 - *edge.snr_db / kWorstSnrDb, 0.0, 1.0)
                  : kFactorOfUnknownSnr;
  return ScoreOf(edge, data_time) * observers * quality;
}

ItemGraph AsItemGraph(const NeighborGraph& neighbors, double least_count) {
  std::vector<std::string> keys;
  std::unordered_map<PublicKey, Vertex> places;
  const auto place = [&](const PublicKey& key) {
    const auto [found, is_new] = places.try_emplace(key, static_cast<Vertex>(keys.size()));
    if (is_new) keys.push_back(key.ToHex());
    return found->second;
  };
  std::vector<WeightedEdge> edges;
  for (const NeighborEdge& edge : neighbors.edges) {
    if (edge.Count() < least_count) continue;
    edges.push_back({place(edge.a), place(edge.b), WeightOf(edge, neighbors.data_time)});
  }
  // Keys are distinct and weights positive, so it is accepted.
  return ItemGraph::Build(std::move(keys), std::move(edges)).value();
}

bool DiffersForStorage(const NeighborEdge& stored, const NeighborEdge& computed) {
  const auto moved = [](double before, double now) {
    return std::abs(now - before) > std::max(0.5, before / 10);
  };
  if (moved(stored.a_to_b, computed.a_to_b) || moved(stored.b_to_a, computed.b_to_a)) return true;
  if (stored.observers != computed.observers || stored.snr_db.has_value() != computed.snr_db.has_value())
    return true;
  if (stored.snr_db && std::abs(*stored.snr_db - *computed.snr_db) > 1) return true;
  return stored.first_seen != computed.first_seen ||
         std::chrono::abs(computed.last_seen - stored.last_seen) >= std::chrono::hours(1);
}

NeighborSnapshot MergeForStorage(const std::vector<NeighborEdge>& stored,
                                 const std::vector<NeighborEdge>& computed) {
  NeighborSnapshot merged;
  merged.edges.reserve(computed.size());
  auto known = stored.begin();
  for (const NeighborEdge& edge : computed) {
    while (known != stored.end() && EndsOf(*known) < EndsOf(edge)) ++known;
    const bool same =
        known != stored.end() && EndsOf(*known) == EndsOf(edge) && !DiffersForStorage(*known, edge);
    merged.edges.push_back(same ? *known : edge);
  }
  return merged;
}

}  // namespace heliograph::server
