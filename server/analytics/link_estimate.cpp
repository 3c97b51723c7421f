#include "server/analytics/link_estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "server/analytics/station_directory.h"

namespace heliograph::server {
namespace {

constexpr double kLeastProbability = 0.02;
constexpr double kLeastOfRelays = 0.3;
constexpr double kMostProbability = 0.97;
// A sender of which less is seen than this would be one that we know nothing of.
constexpr double kLeastSeen = 0.25;
// What is assumed to be seen of a sender that is known in one way only, so that nothing can agree.
constexpr double kSeenInOneWay = 0.7;
// Half a success and half a failure in advance, for few reports prove little.
constexpr double kPriorCount = 0.5;
constexpr double kLeastShare = 1e-4;  // of won floods: fewer cannot be told from none
constexpr double kLeastSent = 0.5;
constexpr double kUnseen = 0.3;  // floods
// Links of which a share of this size was won are the usual ones of the mesh.
constexpr double kUsualShareOfRelay = 0.02;
constexpr double kUsualShareOfOrigin = 0.3;
constexpr double kLeastLength = 0.1;  // of the usual one: nearer positions are those of the same site

/// The log odds of a link: a constant, and weights of the logarithms of what was seen.
struct Regression {
  double constant, share, share_back, length;
};
// Each fitted to all pairs with evidence in the simulated meshes of the training seeds, with and without
// lengths.
constexpr Regression kRelayToRelay{5.65, 0.55, 0.47, -0.93};
constexpr Regression kRelayToRelayAnywhere{5.1, 0.54, 0.45, 0};
constexpr Regression kFromOrigin{1.94, 0.61, 0, -1.13};
constexpr Regression kFromOriginAnywhere{1.79, 0.73, 0, 0};
constexpr Regression kFromOriginUnseen{-1.09, 0, 0, -2.5};
constexpr double kFarthestUnseen = 2;  // usual lengths; beyond it fewer than one in ten hear each other

/// `odds` multiplies the odds.
double Probability(const Regression& regression, double share, double share_back, double length,
                   double odds = 1) {
  const double log_odds = regression.constant + regression.share * std::log(std::max(share, kLeastShare)) +
                          regression.share_back * std::log(std::max(share_back, kLeastShare)) +
                          regression.length * std::log(std::max(length, kLeastLength));
  return 1 / (1 + std::exp(-log_odds) / odds);
}

double Sum(const std::array<double, 2>& classes) {
  return classes[0] + classes[1];
}

/// The share of a sender's packets that is seen at all, when each way of seeing it showed this share of those
/// that were seen: the d with 1 - d = Π (1 - d·way).
double ShareSeen(const std::vector<double>& ways) {
  double sum = 0;
  for (const double way : ways) sum += way;
  // Ways that never agree fit any number of unseen packets.
  if (sum < 1.02) return kSeenInOneWay;
  double low = 0, high = 1;
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    double unseen = 1;
    for (const double way : ways) unseen *= 1 - std::min(way, 1.0) * middle;
    (1 - unseen > middle ? low : high) = middle;
  }
  return std::max(kLeastSeen, (low + high) / 2);
}

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class LinkEstimate {
 public:
  LinkEstimate(const std::vector<HeardSender>& senders, const std::vector<HeardPair>& pairs)
      : senders_(senders), pairs_(pairs) {
    for (const HeardPair& pair : pairs_) {
      places_.emplace(Key(pair.from, pair.to), places_.size());
      shares_.emplace(Key(pair.from, pair.to), ShareWon(pair));
    }
    MeasureLengths();
    MeasureSight();
  }

  std::vector<RelayLink> Links() {
    for (const HeardPair& pair : pairs_) {
      if (Sum(pair.reported) > 0) AddReported(pair);
      if (Sum(pair.forwarded) > 0) AddForwarded(pair);
    }
    AddUnseen();
    return std::move(links_);
  }

 private:
  static std::uint64_t Key(GraphNode from, GraphNode to) { return std::uint64_t{from} << 32 | to; }

  void Add(GraphNode from, GraphNode to, double probability) {
    if (probability > kLeastProbability)
      links_.push_back({from, to, std::min(probability, kMostProbability)});
  }

  /// What a node was seen to send, as far as a receiver could take it.
  double SentTo(GraphNode from, GraphNode to) const {
    const HeardSender& sender = senders_[from];
    return sender.relayed[0] + sender.originated[0] +
           (sender.relayed[1] + sender.originated[1]) * senders_[to].capable;
  }

  double ShareWon(const HeardPair& pair) const {
    return std::min(1.0, Sum(pair.forwarded) / std::max(SentTo(pair.from, pair.to), kLeastSent));
  }
  double ShareWon(GraphNode from, GraphNode to) const {
    const auto found = shares_.find(Key(from, to));
    // One that was never seen may still win as much as was too little to be seen.
    return found == shares_.end() ? kUnseen / std::max(SentTo(from, to), kLeastSent) : found->second;
  }

  std::optional<double> LengthKm(GraphNode a, GraphNode b) const {
    if (!senders_[a].position || !senders_[b].position) return std::nullopt;
    return DistanceKm(*senders_[a].position, *senders_[b].position);
  }

  void MeasureLengths() {
    std::vector<double> of_relays, of_origins;
    for (const HeardPair& pair : pairs_) {
      const bool relay = senders_[pair.from].relays;
      if (ShareWon(pair.from, pair.to) < (relay ? kUsualShareOfRelay : kUsualShareOfOrigin)) continue;
      const auto length = LengthKm(pair.from, pair.to);
      if (length && *length > 0) (relay ? of_relays : of_origins).push_back(*length);
    }
    if (!of_relays.empty()) usual_relay_km_ = Median(of_relays);
    if (!of_origins.empty()) usual_origin_km_ = Median(of_origins);
  }

  void MeasureSight() {
    std::vector<std::vector<double>> ways(senders_.size());
    for (const HeardPair& pair : pairs_) {
      const double sent = Sum(senders_[pair.from].relayed) + Sum(senders_[pair.from].originated);
      if (sent <= 0) continue;
      for (const double shown : {Sum(pair.reported), Sum(pair.forwarded)})
        if (shown > 0) ways[pair.from].push_back(shown / sent);
    }
    for (const auto& of_sender : ways) seen_.push_back(ShareSeen(of_sender));
  }

  void AddReported(const HeardPair& pair) {
    const double sent = SentTo(pair.from, pair.to) / seen_[pair.from];
    const double probability = (Sum(pair.reported) + kPriorCount) / (sent + 2 * kPriorCount);
    Add(pair.from, pair.to, probability);
    // An observer that does not relay shows nothing of what others hear of it.
    if (shares_.count(Key(pair.to, pair.from)) == 0) Add(pair.to, pair.from, probability);
  }

  void AddForwarded(const HeardPair& pair) {
    const double share = ShareWon(pair.from, pair.to), back = ShareWon(pair.to, pair.from);
    const auto length = LengthKm(pair.from, pair.to);
    if (senders_[pair.from].relays) {
      const bool measured = length && usual_relay_km_;
      const Regression& regression = measured ? kRelayToRelay : kRelayToRelayAnywhere;
      const double relative = measured ? *length / *usual_relay_km_ : 1;
      const double odds = MultibyteAgrees(pair);
      AddRelayed(pair.from, pair.to, Probability(regression, share, back, relative, odds));
      if (shares_.count(Key(pair.to, pair.from)) == 0)
        AddRelayed(pair.to, pair.from, Probability(regression, back, share, relative, odds));
      return;
    }
    const bool measured = length && usual_origin_km_;
    const double probability = Probability(measured ? kFromOrigin : kFromOriginAnywhere, share, 0,
                                           measured ? *length / *usual_origin_km_ : 1);
    Add(pair.from, pair.to, probability);
    Add(pair.to, pair.from, probability);
  }

  /// Weak links between relays are left out: most of them are none, and many of those together would join
  /// what is apart.
  void AddRelayed(GraphNode from, GraphNode to, double probability) {
    if (probability > kLeastOfRelays) Add(from, to, probability);
  }

  static double Ratio(const HeardSender& sender) {
    return (sender.relayed[1] + sender.originated[1]) /
           std::max(1.0, sender.relayed[0] + sender.originated[0]);
  }

  /// A hash of 1 byte may be taken for the wrong node, a longer one hardly. Two nodes that both send
  /// multi-byte floods on and are seen together in 1-byte floods alone are less probably neighbours: by the
  /// chance that so few are seen where so many are expected, when counts are far more scattered than
  /// Poisson's.
  double MultibyteAgrees(const HeardPair& pair) const {
    std::array<double, 2> both = pair.forwarded;
    const auto back = places_.find(Key(pair.to, pair.from));
    if (back != places_.end())
      for (const std::size_t c : {0, 1}) both.at(c) += pairs_[back->second].forwarded.at(c);
    const double expected = both[0] * std::sqrt(Ratio(senders_[pair.from]) * Ratio(senders_[pair.to]));
    return (1 + std::min(both[1], expected)) / (1 + expected);
  }

  /// Links between those that only listen and relays near them of which nothing was seen.
  void AddUnseen() {
    if (!usual_origin_km_) return;
    const double farthest = kFarthestUnseen * *usual_origin_km_;
    const double degrees = farthest / 111;  // of latitude, at least so far apart
    for (GraphNode listener = 0; listener < senders_.size(); ++listener) {
      if (senders_[listener].relays || !senders_[listener].position) continue;
      for (GraphNode relay = 0; relay < senders_.size(); ++relay) {
        if (!senders_[relay].relays || !senders_[relay].position) continue;
        if (std::abs(senders_[relay].position->latitude - senders_[listener].position->latitude) > degrees)
          continue;
        const double length = *LengthKm(listener, relay);
        if (length > farthest || shares_.count(Key(listener, relay)) != 0) continue;
        const double probability = Probability(kFromOriginUnseen, 1, 1, length / *usual_origin_km_);
        Add(listener, relay, probability);
        Add(relay, listener, probability);
      }
    }
  }

  const std::vector<HeardSender>& senders_;
  const std::vector<HeardPair>& pairs_;
  std::unordered_map<std::uint64_t, std::size_t> places_;  ///< in pairs_, by Key
  std::unordered_map<std::uint64_t, double> shares_;       ///< of what was sent, won, by Key
  std::vector<double> seen_;                               ///< share of what each sends
  std::optional<double> usual_relay_km_, usual_origin_km_;
  std::vector<RelayLink> links_;
};

}  // namespace

std::vector<RelayLink> EstimateLinks(const std::vector<HeardSender>& senders,
                                     const std::vector<HeardPair>& pairs) {
  return LinkEstimate(senders, pairs).Links();
}

}  // namespace heliograph::server
