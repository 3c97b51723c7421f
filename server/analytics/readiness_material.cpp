#include "server/analytics/readiness_material.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "server/analytics/link_estimate.h"

namespace heliograph::server {
namespace {

// Pairs that were seen less often are what is left of hops that were most probably others.
constexpr double kLeastPairs = 0.5;
constexpr double kLeastRelayed = 1;
// A node that was expected to show so much, of what it can, has told something by its silence.
constexpr double kTellingOpportunity = 1;
constexpr int kHomeRounds = 8;
// An observer reports what it takes. That it takes as large a part of the multi-byte floods as of the others
// is only roughly so, since those may run elsewhere; so many expected reports count as one.
constexpr double kReportsThatCount = 4;
constexpr double kObserverSurelyCapable = 0.9999;

std::array<double, 2> Widened(const std::array<float, 2>& classes) {
  return {static_cast<double>(classes[0]), static_cast<double>(classes[1])};
}

class InputBuilder {
 public:
  explicit InputBuilder(const ReadinessMaterial& material)
      : material_(material), evidence_(material.model->relays) {}

  ReadinessInput Build() {
    ListRegions();
    AddNodes();
    AddObservers();
    heard_.resize(input_.nodes.size());
    AddPositions();
    AddSenders();
    AddPairs();
    JudgeObservers();
    FindHomes();
    for (std::size_t i = 0; i < heard_.size(); ++i) {
      heard_[i].relays = input_.nodes[i].relays;
      heard_[i].capable = input_.nodes[i].capable;
    }
    input_.graph = RelayGraph(input_.nodes.size(), EstimateLinks(heard_, pairs_));
    input_.multibyte_floods = static_cast<std::int64_t>(evidence_.floods(FloodClass::kMultibyte));
    return std::move(input_);
  }

 private:
  void ListRegions() {
    std::vector<std::string>& regions = input_.regions;
    for (const auto& observer : material_.observers)
      if (!observer->iata.empty()) regions.push_back(observer->iata);
    std::sort(regions.begin(), regions.end());
    regions.erase(std::unique(regions.begin(), regions.end()), regions.end());
    if (regions.size() > kMaxReadinessRegions) regions.resize(kMaxReadinessRegions);
  }

  std::optional<RegionIndex> RegionOf(const std::string& iata) const {
    const auto found = std::lower_bound(input_.regions.begin(), input_.regions.end(), iata);
    if (found == input_.regions.end() || *found != iata) return std::nullopt;
    return static_cast<RegionIndex>(found - input_.regions.begin());
  }

  void AddNodes() {
    for (const ReadinessMaterial::Node& known : material_.nodes) {
      const NodeView& view = *known.view;
      ReadinessNode node;
      node.public_key = view.public_key;
      node.status = view.capability.status;
      node.likely_legacy = view.capability.likely_legacy;
      const ModelVerdict* verdict = material_.model->capability.Find(view.key);
      node.capable = view.capability.probability.value_or(verdict ? verdict->Probability() : 0.5);
      node.has_evidence = node.status != CapabilityStatus::kUnknown || node.likely_legacy ||
                          (verdict && verdict->expected >= kTellingOpportunity);
      node.advertises = known.floods_adverts;
      node.present_size = view.hash_size.newest.value_or(1);
      places_.emplace(view.key, static_cast<GraphNode>(input_.nodes.size()));
      forwards_by_default_.push_back(ForwardsByDefault(view.role));
      input_.nodes.push_back(node);
    }
  }

  void AddObservers() {
    std::vector<const ObserverView*> observers;
    for (const auto& observer : material_.observers) observers.push_back(observer.get());
    std::sort(observers.begin(), observers.end(),
              [](const ObserverView* a, const ObserverView* b) { return a->id < b->id; });
    for (const ObserverView* observer : observers) {
      if (observer->inactive || observer->packet_count == 0) continue;
      const auto [place, added] = places_.emplace(observer->key, static_cast<GraphNode>(input_.nodes.size()));
      if (added) {
        ReadinessNode node;
        node.public_key = PublicKey::FromHex(observer->id).value_or(PublicKey());
        node.capable = material_.model->capability.priors.others;
        input_.nodes.push_back(node);
        forwards_by_default_.push_back(false);
      }
      input_.nodes[place->second].observer_in = RegionOf(observer->iata);
    }
  }

  void AddPositions() {
    for (const ReadinessMaterial::Node& known : material_.nodes) {
      const NodeView& view = *known.view;
      // 0/0 is what firmware tells that knows no position.
      if (view.lat && view.lon && (*view.lat != 0 || *view.lon != 0))
        heard_[places_.at(view.key)].position = GeoPoint{*view.lat, *view.lon};
    }
  }

  void AddSenders() {
    evidence_.ForEachSender([&](IdentityKey key, const SenderTally& sender) {
      const auto place = places_.find(key);
      if (place == places_.end()) return;
      heard_[place->second].relayed = Widened(sender.relayed);
      heard_[place->second].originated = Widened(sender.originated);
      reports_[place->second] = Widened(sender.reported);
      ReadinessNode& node = input_.nodes[place->second];
      node.relayed = heard_[place->second].relayed[0] + heard_[place->second].relayed[1];
      node.relays = node.relayed >= kLeastRelayed &&
                    (forwards_by_default_[place->second] || sender.relayed[1] >= kLeastRelayed);
      if (!node.relays) node.relayed = 0;
    });
  }

  void AddPairs() {
    evidence_.ForEachPair([&](IdentityKey from_key, IdentityKey to_key, const PairTally& pair) {
      if (pair.Total() < kLeastPairs) return;
      const auto from = places_.find(from_key), to = places_.find(to_key);
      if (from == places_.end() || to == places_.end()) return;
      pairs_.push_back({from->second, to->second, Widened(pair.forwarded), Widened(pair.reported)});
    });
    std::sort(pairs_.begin(), pairs_.end(), [](const HeardPair& a, const HeardPair& b) {
      return std::tuple(a.from, a.to) < std::tuple(b.from, b.to);
    });
  }

  /// An observer shows by its reports what its firmware takes.
  void JudgeObservers() {
    const auto one_byte = static_cast<double>(evidence_.floods(FloodClass::kOneByte));
    const auto multibyte = static_cast<double>(evidence_.floods(FloodClass::kMultibyte));
    for (std::size_t i = 0; i < input_.nodes.size(); ++i) {
      ReadinessNode& node = input_.nodes[i];
      if (!node.observer_in) continue;
      const std::array<double, 2> reports = reports_[static_cast<GraphNode>(i)];
      if (reports[1] > 0) {
        node.capable = std::max(node.capable, kObserverSurelyCapable);
        node.has_evidence = true;
        continue;
      }
      // Of nodes the capability model has counted the silence already.
      if (i < material_.nodes.size() || one_byte <= 0) continue;
      const double expected = multibyte * reports[0] / one_byte / kReportsThatCount;
      const double odds = node.capable / std::max(1e-6, 1 - node.capable) * std::exp(-expected);
      node.capable = odds / (1 + odds);
      if (expected > 1) node.has_evidence = true;
    }
  }

  /// A node's home is where it is reported from most; of one that no observer hears itself, where those are
  /// that exchange most with it.
  void FindHomes() {
    std::vector<std::map<RegionIndex, double>> votes(input_.nodes.size());
    for (const HeardPair& pair : pairs_) {
      const double reported = pair.reported[0] + pair.reported[1];
      if (reported > 0 && input_.nodes[pair.to].observer_in)
        votes[pair.from][*input_.nodes[pair.to].observer_in] += reported;
    }
    for (std::size_t i = 0; i < votes.size(); ++i) {
      ReadinessNode& node = input_.nodes[i];
      node.home = node.observer_in ? node.observer_in : MostVoted(votes[i]);
    }
    for (int round = 0; round < kHomeRounds; ++round)
      if (!SpreadHomes()) break;
  }

  bool SpreadHomes() {
    std::vector<std::map<RegionIndex, double>> votes(input_.nodes.size());
    const auto vote = [&](GraphNode who, GraphNode neighbour, double weight) {
      if (weight > 0 && !input_.nodes[who].home && input_.nodes[neighbour].home)
        votes[who][*input_.nodes[neighbour].home] += weight;
    };
    for (const HeardPair& pair : pairs_) {
      const double forwarded = pair.forwarded[0] + pair.forwarded[1];
      vote(pair.from, pair.to, forwarded);
      vote(pair.to, pair.from, forwarded);
    }
    bool found = false;
    for (std::size_t i = 0; i < votes.size(); ++i) {
      if (votes[i].empty()) continue;
      input_.nodes[i].home = MostVoted(votes[i]);
      found = true;
    }
    return found;
  }

  static std::optional<RegionIndex> MostVoted(const std::map<RegionIndex, double>& votes) {
    std::optional<RegionIndex> best;
    double most = 0;
    for (const auto& [region, weight] : votes) {
      if (weight <= most) continue;
      best = region;
      most = weight;
    }
    return best;
  }

  const ReadinessMaterial& material_;
  const RelayEvidence& evidence_;
  ReadinessInput input_;
  std::unordered_map<IdentityKey, GraphNode> places_;
  std::vector<bool> forwards_by_default_;  ///< by GraphNode
  std::vector<HeardSender> heard_;
  std::unordered_map<GraphNode, std::array<double, 2>> reports_;
  std::vector<HeardPair> pairs_;
};

}  // namespace

ReadinessInput BuildReadinessInput(const ReadinessMaterial& material) {
  return InputBuilder(material).Build();
}

}  // namespace heliograph::server
