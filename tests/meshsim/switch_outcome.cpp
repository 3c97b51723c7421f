#include "tests/meshsim/switch_outcome.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "tests/meshsim/flood.h"

namespace heliograph::meshsim {
namespace {

constexpr std::size_t kFloodsPerOrigin = 40;
constexpr std::size_t kFloods = 4000;
constexpr std::size_t kLeastFloods = 400;
constexpr std::size_t kNodesForAllFloods = 1000;  // floods cost more in larger meshes
constexpr std::size_t kCandidates = 40;
constexpr std::size_t kSearchFloods = 500;
constexpr std::size_t kLeastSearchFloods = 100;
constexpr std::size_t kNodesForAllSearchFloods = 500;
constexpr std::size_t kFrameBytes = 130;  // an advert with a position, a name and a short path

/// Where one flood got, by region of the destination.
struct Reach {
  std::vector<double> observers, nodes;
  std::uint32_t hops = 0;  ///< of the longest path
};

/// One flood to compare: who starts it, and what its chances are.
struct Case {
  NodeIndex origin = 0;
  std::uint64_t seed = 0;
};

class Experiment {
 public:
  Experiment(const World& world, const ObserverSet& observers, const NodeStates& states,
             const std::vector<std::uint8_t>& advertised, const Random& random)
      : world_(world),
        observers_(observers),
        today_(states),
        after_(states),
        advertised_(advertised),
        random_(random),
        flood_today_(world, today_, std::vector<std::uint8_t>(states.size(), 1), Attention::kFirstReception),
        flood_after_(world, after_, std::vector<std::uint8_t>(states.size(), 1), Attention::kFirstReception),
        reached_in_(states.size(), 0),
        relayed_(states.size(), 0) {
    for (NodeIndex i = 0; i < states.size(); ++i) {
      if (advertised[i] != 0 && states[i].up) origins_.push_back(i);
    }
  }

  void Upgrade(NodeIndex node) { after_[node].firmware = Firmware::kMultibyte; }
  void Downgrade(NodeIndex node) { after_[node].firmware = Firmware::kLegacy; }

  SwitchOutcome Run(std::size_t best_upgrades) {
    SwitchOutcome outcome;
    outcome.origins = origins_.size();
    if (origins_.empty()) return outcome;
    const std::vector<std::vector<Case>> cases = DrawCases();
    for (const auto& of_origin : cases) outcome.floods += of_origin.size();
    Compare(cases, outcome);
    for (const NodeIndex best : FindBestUpgrades(cases, best_upgrades)) {
      Upgrade(best);
      SwitchOutcome with;
      Compare(cases, with);
      outcome.best_upgrades.push_back({best, with.two.whole.to_nodes});
    }
    return outcome;
  }

 private:
  struct Estimates {
    RatioEstimate observers, nodes;
    std::vector<RatioEstimate> region_observers, region_nodes;
  };

  /// The cases of each origin that takes part.
  std::vector<std::vector<Case>> DrawCases() {
    const std::size_t nodes = world_.nodes.size();
    const std::size_t bound = std::clamp(kFloods * kNodesForAllFloods / nodes, kLeastFloods, kFloods);
    std::vector<NodeIndex> origins = origins_;
    Random random = random_.Fork(1);
    random.Shuffle(origins);
    origins.resize(std::min(origins.size(), bound / 2));
    std::ranges::sort(origins);
    const std::size_t each = std::min(kFloodsPerOrigin, bound / origins.size());
    std::vector<std::vector<Case>> cases;
    for (const NodeIndex origin : origins) {
      auto& of_origin = cases.emplace_back();
      for (std::size_t i = 0; i < each; ++i) of_origin.push_back({origin, random.Next()});
    }
    return cases;
  }

  Reach Send(Flood& flood, const Case& one, std::size_t hash_size, bool note_relays = false) {
    Random random(one.seed);
    flood.Run(one.origin, {hash_size, AirtimeMillis(kFrameBytes), true}, std::nullopt, UtcMillis(), random,
              propagation_);
    Reach reach;
    reach.observers.assign(world_.terrain.regions.size(), 0);
    reach.nodes = reach.observers;
    ++reach_number_;
    reached_in_[one.origin] = reach_number_;
    for (const Hearing& hearing : propagation_.hearings) {
      if (reached_in_[hearing.listener] == reach_number_) continue;
      reached_in_[hearing.listener] = reach_number_;
      const std::size_t region = world_.nodes[hearing.listener].region;
      if (observers_.by_node[hearing.listener] >= 0) reach.observers[region] += 1;
      if (advertised_[hearing.listener] != 0) reach.nodes[region] += 1;
    }
    for (const Sending& sending : propagation_.sendings) {
      reach.hops = std::max(reach.hops, sending.hops);
      if (note_relays && sending.heard_from >= 0) ++relayed_[sending.node];
    }
    return reach;
  }

  std::size_t SizeAfter(NodeIndex origin, std::size_t new_size) const {
    const NodeState& state = after_[origin];
    return state.firmware == Firmware::kLegacy ? 1 : std::max(state.OwnHashSize(), new_size);
  }

  /// True when a flood that had this reach with one size has it with the other too.
  static bool SameReach(const Reach& reach, std::size_t size, std::size_t other) {
    return size == other || (size > 1 && other > 1 && PathHasRoom(3, reach.hops));
  }

  void Compare(const std::vector<std::vector<Case>>& cases, SwitchOutcome& out) {
    const bool changed = !std::ranges::equal(today_, after_, {}, &NodeState::firmware, &NodeState::firmware);
    std::ranges::fill(relayed_, 0);
    Estimates two = NewEstimates(), three = NewEstimates();
    for (const auto& of_origin : cases) {
      for (const Case& one : of_origin) {
        const std::size_t size_today = today_[one.origin].OwnHashSize();
        const std::size_t size_two = SizeAfter(one.origin, 2), size_three = SizeAfter(one.origin, 3);
        const Reach today = Send(flood_today_, one, size_today, true);
        const bool kept = SameReach(today, size_today, size_two) && (!changed || size_two == 1);
        const Reach with_two = kept ? today : Send(flood_after_, one, size_two);
        Note(two, with_two, today);
        Note(three,
             SameReach(with_two, size_two, size_three) ? with_two : Send(flood_after_, one, size_three),
             today);
      }
      EndOrigin(two);
      EndOrigin(three);
    }
    out.two = Conclude(two);
    out.three = Conclude(three);
  }

  Estimates NewEstimates() const {
    const std::size_t regions = world_.terrain.regions.size();
    return {{}, {}, std::vector<RatioEstimate>(regions), std::vector<RatioEstimate>(regions)};
  }

  static void Note(Estimates& estimates, const Reach& after, const Reach& today) {
    const auto sum = [](const std::vector<double>& of) { return std::accumulate(of.begin(), of.end(), 0.0); };
    estimates.observers.Add(sum(after.observers), sum(today.observers));
    estimates.nodes.Add(sum(after.nodes), sum(today.nodes));
    for (std::size_t r = 0; r < estimates.region_nodes.size(); ++r) {
      estimates.region_observers[r].Add(after.observers[r], today.observers[r]);
      estimates.region_nodes[r].Add(after.nodes[r], today.nodes[r]);
    }
  }

  static void EndOrigin(Estimates& estimates) {
    estimates.observers.EndOrigin();
    estimates.nodes.EndOrigin();
    for (RatioEstimate& of_region : estimates.region_observers) of_region.EndOrigin();
    for (RatioEstimate& of_region : estimates.region_nodes) of_region.EndOrigin();
  }

  SwitchOutcome::ForSize Conclude(const Estimates& estimates) const {
    SwitchOutcome::ForSize out;
    out.whole = {estimates.observers.Result(origins_.size()), estimates.nodes.Result(origins_.size())};
    for (std::size_t r = 0; r < estimates.region_nodes.size(); ++r) {
      out.regions.push_back({estimates.region_observers[r].Result(origins_.size()),
                             estimates.region_nodes[r].Result(origins_.size())});
    }
    return out;
  }

  /// The legacy relays that forwarded most floods today, the busiest first.
  std::vector<NodeIndex> Candidates() const {
    std::vector<NodeIndex> candidates;
    for (NodeIndex i = 0; i < after_.size(); ++i) {
      if (relayed_[i] > 0 && after_[i].firmware == Firmware::kLegacy) candidates.push_back(i);
    }
    std::ranges::stable_sort(candidates, std::ranges::greater(), [this](NodeIndex i) { return relayed_[i]; });
    candidates.resize(std::min(candidates.size(), kCandidates));
    return candidates;
  }

  struct SearchCase {
    Case one;
    double with_one_byte = 0;  ///< the nodes that the flood reaches then, which no upgrade changes
  };

  /// A bounded number of the cases, drawn from all origins alike.
  std::vector<SearchCase> SearchCases(const std::vector<std::vector<Case>>& cases) {
    std::vector<Case> few;
    const std::size_t bound = std::clamp(kSearchFloods * kNodesForAllSearchFloods / world_.nodes.size(),
                                         kLeastSearchFloods, kSearchFloods);
    const std::size_t each = (bound + cases.size() - 1) / cases.size();
    for (const auto& of_origin : cases) {
      few.insert(few.end(), of_origin.begin(),
                 of_origin.begin() + static_cast<std::ptrdiff_t>(std::min(each, of_origin.size())));
    }
    random_.Fork(2).Shuffle(few);
    few.resize(std::min(few.size(), bound));
    std::vector<SearchCase> out;
    for (const Case& one : few) out.push_back({one, NodesReached(one, 1)});
    return out;
  }

  /// What `few` reach when `candidate` is upgraded too.
  double ReachedWith(NodeIndex candidate, const std::vector<SearchCase>& few) {
    Upgrade(candidate);
    const double reached = Reached(few);
    Downgrade(candidate);
    return reached;
  }

  double Reached(const std::vector<SearchCase>& few) {
    double reached = 0;
    for (const SearchCase& of_search : few) {
      const std::size_t size = SizeAfter(of_search.one.origin, 2);
      reached += size == 1 ? of_search.with_one_byte : NodesReached(of_search.one, size);
    }
    return reached;
  }

  double NodesReached(const Case& one, std::size_t hash_size) {
    const Reach reach = Send(flood_after_, one, hash_size);
    return std::accumulate(reach.nodes.begin(), reach.nodes.end(), 0.0);
  }

  /// Greedy and lazy: what an upgrade gains hardly grows as others are made, so that a candidate whose
  /// earlier gain is less than the best one's present gain need not be tried again.
  std::vector<NodeIndex> FindBestUpgrades(const std::vector<std::vector<Case>>& cases, std::size_t count) {
    if (count == 0) return {};
    const std::vector<SearchCase> few = SearchCases(cases);
    std::vector<std::pair<double, NodeIndex>> candidates;  // with the gain that was found last
    for (const NodeIndex node : Candidates())
      candidates.emplace_back(std::numeric_limits<double>::infinity(), node);
    std::vector<NodeIndex> chosen;
    double base = Reached(few);
    while (chosen.size() < count && !candidates.empty()) {
      std::ranges::stable_sort(candidates, std::ranges::greater(), &std::pair<double, NodeIndex>::first);
      std::size_t best = 0;
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        auto& [gain, node] = candidates[i];
        if (i > 0 && gain < candidates[best].first) break;
        gain = ReachedWith(node, few) - base;
        if (gain > candidates[best].first) best = i;
      }
      base += candidates[best].first;
      chosen.push_back(candidates[best].second);
      Upgrade(chosen.back());
      candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(best));
    }
    for (const NodeIndex node : chosen) Downgrade(node);
    return chosen;
  }

  const World& world_;
  const ObserverSet& observers_;
  const NodeStates& today_;
  NodeStates after_;
  const std::vector<std::uint8_t>& advertised_;
  const Random random_;
  Flood flood_today_, flood_after_;
  std::vector<NodeIndex> origins_;
  std::vector<std::uint64_t> reached_in_;  ///< by node: the number of the last flood that reached it
  std::uint64_t reach_number_ = 0;
  std::vector<std::uint32_t> relayed_;  ///< by node: today's floods that it forwarded
  Propagation propagation_;
};

}  // namespace

SwitchOutcome EstimateSwitch(const World& world, const ObserverSet& observers, const NodeStates& states,
                             const std::vector<std::uint8_t>& advertised, const SwitchQuestion& question,
                             const Random& random) {
  Experiment experiment(world, observers, states, advertised, random);
  for (const NodeIndex node : question.upgraded) experiment.Upgrade(node);
  return experiment.Run(question.best_upgrades);
}

}  // namespace heliograph::meshsim
