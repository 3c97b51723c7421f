#include "server/analytics/readiness.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "server/analytics/readiness_blockers.h"
#include "server/analytics/readiness_worlds.h"

namespace heliograph::server {
namespace {

constexpr std::uint64_t kSeed = 0x68656c696f;
constexpr std::array<std::size_t, 2> kSwitchSizes{2, 3};

// Floods of the forecast. They cost by the link, so large meshes get fewer of them.
constexpr std::size_t kMostFloods = 512;
constexpr std::size_t kFewestFloods = 128;
constexpr std::size_t kLinkVisits = 6'000'000;
constexpr std::size_t kFloodsPerDraw = 8;  // with the same open links

// How far the forecast was off at the median where everything else was known, and what is added where little
// is: for few observers, and for traffic through relays of which nothing is known.
constexpr double kLeastModelError = 0.02;
constexpr double kObserverError = 0.06;
constexpr double kUnknownTrafficError = 0.08;

/// Deliveries by world and region; the last region is that of destinations without one.
struct Deliveries {
  std::vector<WorldCounter> to_observers, to_nodes;
  explicit Deliveries(std::size_t regions) : to_observers(regions + 1), to_nodes(regions + 1) {}
};

/// The figures of one scope are those of one region, or of all together.
using Scope = std::optional<RegionIndex>;

bool IsIn(const std::optional<RegionIndex>& region, const Scope& scope) {
  return !scope || region == scope;
}

using WorldCounts = std::array<double, kWorlds>;

WorldCounts CountsIn(const std::vector<WorldCounter>& by_region, const Scope& scope) {
  WorldCounts counts{};
  for (std::size_t region = 0; region < by_region.size(); ++region) {
    if (scope && region != *scope) continue;
    for (std::size_t world = 0; world < kWorlds; ++world)
      counts[world] += static_cast<double>(by_region[region].Count(world));
  }
  return counts;
}

/// The value below which this share of the sorted values lies.
double Percentile(const WorldCounts& sorted, double share) {
  const double place = share * (kWorlds - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, kWorlds - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::optional<ShareEstimate> Estimate(const WorldCounts& after, const WorldCounts& today,
                                      double model_error) {
  double sum_after = 0, sum_today = 0;
  WorldCounts shares{};
  for (std::size_t world = 0; world < kWorlds; ++world) {
    sum_after += after[world];
    sum_today += today[world];
    shares[world] = today[world] > 0 ? after[world] / today[world] : 1;
  }
  if (sum_today <= 0) return std::nullopt;
  std::sort(shares.begin(), shares.end());
  ShareEstimate estimate;
  estimate.share = std::min(1.0, sum_after / sum_today);
  const double below = std::max(0.0, estimate.share - Percentile(shares, 0.1));
  const double above = std::max(0.0, Percentile(shares, 0.9) - estimate.share);
  estimate.low = std::max(0.0, estimate.share - std::hypot(below, model_error));
  estimate.high = std::min(1.0, estimate.share + std::hypot(above, model_error));
  return estimate;
}

/// Sends floods through the possible worlds, and counts what arrives.
class FloodForecast {
 public:
  FloodForecast(const ReadinessInput& input, const std::vector<Worlds>& capable)
      : input_(input),
        capable_(capable),
        floods_(input.graph, RelaysOf(input)),
        today_(input.regions.size()),
        after_{Deliveries(input.regions.size()), Deliveries(input.regions.size())} {}

  void Run(WorldRandom& random) {
    const std::size_t visits = std::max<std::size_t>(input_.graph.links().size() * 2, 1);
    const std::size_t most = std::clamp(kLinkVisits / visits, kFewestFloods, kMostFloods);
    const std::vector<GraphNode> origins = DrawOrigins(input_, most, random);
    if (origins.empty()) return;
    const std::size_t rounds = (most + origins.size() - 1) / origins.size();
    for (std::size_t i = 0; i < rounds * origins.size(); ++i) {
      if (i % kFloodsPerDraw == 0) floods_.DrawLinks(random);
      RunOrigin(origins[i % origins.size()]);
    }
  }

  const Deliveries& today() const { return today_; }
  const Deliveries& after(std::size_t at) const { return after_.at(at); }
  /// True when some flood got elsewhere with the one size than with the other, for want of room in its path.
  bool sizes_differ() const { return sizes_differ_; }

 private:
  void RunOrigin(GraphNode origin) {
    Count(floods_.Run(FloodToday(input_, origin), capable_), origin, today_);
    for (std::size_t at = 0; at < kSwitchSizes.size(); ++at) {
      const auto& reached = floods_.Run(FloodAfter(input_, origin, kSwitchSizes[at], capable_), capable_);
      Count(reached, origin, after_[at]);
      sizes_differ_ = sizes_differ_ || (at > 0 && reached != reached_before_);
      reached_before_ = reached;
    }
  }

  void Count(const std::vector<Worlds>& reached, GraphNode origin, Deliveries& deliveries) {
    for (GraphNode i = 0; i < reached.size(); ++i) {
      if (reached[i] == 0 || i == origin) continue;
      const ReadinessNode& node = input_.nodes[i];
      if (node.observer_in) deliveries.to_observers[*node.observer_in].Add(reached[i]);
      if (node.advertises) deliveries.to_nodes[node.home.value_or(NoRegion())].Add(reached[i]);
    }
  }

  RegionIndex NoRegion() const { return static_cast<RegionIndex>(input_.regions.size()); }

  const ReadinessInput& input_;
  const std::vector<Worlds>& capable_;
  FloodWorlds floods_;
  Deliveries today_;
  std::array<Deliveries, kSwitchSizes.size()> after_;
  std::vector<Worlds> reached_before_;  ///< by the flood of the size before
  bool sizes_differ_ = false;
};

RelayedTraffic TrafficOf(const ReadinessInput& input, const Scope& scope, double& with_evidence) {
  RelayedTraffic traffic;
  double all = 0, evident = 0;
  for (const ReadinessNode& node : input.nodes) {
    if (!IsIn(node.home ? node.home : node.observer_in, scope)) continue;
    all += node.relayed;
    if (node.has_evidence) evident += node.relayed;
    double& share = node.status == CapabilityStatus::kConfirmed   ? traffic.confirmed
                    : node.status == CapabilityStatus::kSuspected ? traffic.suspected
                    : node.likely_legacy                          ? traffic.likely_legacy
                                                                  : traffic.unknown;
    share += node.relayed;
  }
  with_evidence = all > 0 ? evident / all : 0;
  if (all <= 0) return {};
  return {traffic.confirmed / all, traffic.suspected / all, traffic.likely_legacy / all,
          traffic.unknown / all};
}

ReadinessKnowledge KnowledgeOf(const ReadinessInput& input, const Scope& scope) {
  ReadinessKnowledge knowledge;
  knowledge.multibyte_floods = input.multibyte_floods;
  for (const ReadinessNode& node : input.nodes) {
    if (node.observer_in && IsIn(node.observer_in, scope)) ++knowledge.observers;
    if (!node.advertises || !IsIn(node.home, scope)) continue;
    ++knowledge.nodes;
    if (node.has_evidence) ++knowledge.nodes_with_evidence;
  }
  return knowledge;
}

double ModelError(const ReadinessKnowledge& knowledge) {
  const double few_observers = kObserverError / std::sqrt(1 + static_cast<double>(knowledge.observers));
  const double unknown_traffic = kUnknownTrafficError * (1 - knowledge.traffic_with_evidence);
  return std::hypot(kLeastModelError, few_observers, unknown_traffic);
}

class Assessment {
 public:
  explicit Assessment(const ReadinessInput& input)
      : input_(input), random_(kSeed), capable_(DrawCapability(input, random_)), forecast_(input, capable_) {
    forecast_.Run(random_);
    for (const std::size_t size : kSwitchSizes)
      if (blockers_.empty() || forecast_.sizes_differ()) blockers_.emplace_back(input_, capable_, size);
  }

  ReadinessScope Judge(const Scope& scope) {
    ReadinessScope judged;
    if (scope) judged.region = input_.regions[*scope];
    judged.knowledge = KnowledgeOf(input_, scope);
    judged.traffic = TrafficOf(input_, scope, judged.knowledge.traffic_with_evidence);
    judged.two_bytes = Forecast(0, scope, judged.knowledge);
    judged.three_bytes = Forecast(1, scope, judged.knowledge);
    judged.two_bytes.blockers = blockers_.front().Find(scope, kMaxSwitchBlockers);
    judged.three_bytes.blockers =
        blockers_.size() == 1 ? judged.two_bytes.blockers : blockers_.back().Find(scope, kMaxSwitchBlockers);
    return judged;
  }

 private:
  SwitchForecast Forecast(std::size_t at, const Scope& scope, const ReadinessKnowledge& knowledge) const {
    const double error = ModelError(knowledge);
    const Deliveries &after = forecast_.after(at), &today = forecast_.today();
    SwitchForecast forecast;
    forecast.observer_share =
        Estimate(CountsIn(after.to_observers, scope), CountsIn(today.to_observers, scope), error);
    forecast.node_share = Estimate(CountsIn(after.to_nodes, scope), CountsIn(today.to_nodes, scope), error);
    return forecast;
  }

  const ReadinessInput& input_;
  WorldRandom random_;
  std::vector<Worlds> capable_;
  FloodForecast forecast_;
  std::vector<BlockerSearch> blockers_;  ///< one for each size, or one for all that do not differ
};

}  // namespace

SwitchReadiness AssessSwitch(const ReadinessInput& input) {
  Assessment assessment(input);
  SwitchReadiness readiness;
  readiness.scopes.push_back(assessment.Judge(std::nullopt));
  for (RegionIndex region = 0; region < input.regions.size(); ++region)
    readiness.scopes.push_back(assessment.Judge(region));
  return readiness;
}

}  // namespace heliograph::server
