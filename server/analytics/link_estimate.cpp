#include "server/analytics/link_estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

namespace heliograph::server {
namespace {

constexpr double kLeastProbability = 0.02;
constexpr double kMostProbability = 0.98;
// A sender of which less is seen than this would be one that we know nothing of.
constexpr double kLeastSeen = 0.25;
// What is assumed to be seen of a sender that is known in one way only, so that nothing can agree.
constexpr double kSeenInOneWay = 0.7;
// Half a success and half a failure in advance, for few sendings prove little.
constexpr double kPriorCount = 0.5;
// A relay that is never seen to miss a flood may still miss one in a hundred.
constexpr double kMostReceived = 0.99;

double Sum(const std::array<double, 2>& classes) {
  return classes[0] + classes[1];
}

/// What happened to packets that this receiver could take at all.
double Takeable(const std::array<double, 2>& classes, const HeardSender& receiver) {
  return classes[0] + classes[1] * receiver.capable;
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

/// A link as one of the rules sees it.
struct Guess {
  double probability = 0;
  double weight = 0;  ///< packets that it rests on
};

class LinkEstimate {
 public:
  LinkEstimate(const std::vector<HeardSender>& senders, const std::vector<HeardPair>& pairs)
      : senders_(senders), pairs_(pairs), seen_(senders.size(), kSeenInOneWay), race_(senders.size()) {
    MeasureSight();
    MeasureRaces();
  }

  std::vector<RelayLink> Links() {
    for (const HeardPair& pair : pairs_) {
      const Guess guess = Sum(pair.reported) > 0 ? FromReports(pair) : FromRelaying(pair);
      if (guess.weight > 0) guesses_[Key(pair.from, pair.to)] = guess;
    }
    std::vector<RelayLink> links;
    for (const auto& [key, guess] : guesses_) {
      const auto from = static_cast<GraphNode>(key >> 32), to = static_cast<GraphNode>(key & 0xFFFFFFFF);
      const auto back = guesses_.find(Key(to, from));
      Add(links, {from, to, back == guesses_.end() ? guess.probability : Balanced(guess, back->second)});
      if (back == guesses_.end()) Add(links, {to, from, guess.probability});
    }
    return links;
  }

 private:
  struct Race {
    double won = 0;      ///< floods that it was seen to send on, from whomever
    double longest = 0;  ///< what the busiest of its neighbours sent
  };

  static std::uint64_t Key(GraphNode from, GraphNode to) { return std::uint64_t{from} << 32 | to; }

  static void Add(std::vector<RelayLink>& links, RelayLink link) {
    link.probability = std::min(link.probability, kMostProbability);
    if (link.probability > kLeastProbability) links.push_back(link);
  }

  /// Both directions of one link tell of each other, each as much as it rests on.
  static double Balanced(const Guess& forth, const Guess& back) {
    constexpr double kOther = 0.5;
    const double weight = forth.weight + kOther * back.weight;
    return (forth.probability * forth.weight + kOther * back.probability * back.weight) / weight;
  }

  /// What a node really sent, as far as a receiver could take it.
  double SentTo(GraphNode from, GraphNode to) const {
    const HeardSender& sender = senders_[from];
    return (Takeable(sender.relayed, senders_[to]) + Takeable(sender.originated, senders_[to])) / seen_[from];
  }

  void MeasureSight() {
    std::vector<std::vector<double>> ways(senders_.size());
    for (const HeardPair& pair : pairs_) {
      const double sent = Sum(senders_[pair.from].relayed) + Sum(senders_[pair.from].originated);
      if (sent <= 0) continue;
      for (const double shown : {Sum(pair.reported), Sum(pair.forwarded)})
        if (shown > 0) ways[pair.from].push_back(shown / sent);
    }
    for (std::size_t i = 0; i < ways.size(); ++i) seen_[i] = ShareSeen(ways[i]);
  }

  void MeasureRaces() {
    for (const HeardPair& pair : pairs_) {
      if (Sum(pair.forwarded) <= 0) continue;
      race_[pair.to].won += Sum(pair.forwarded);
      race_[pair.to].longest = std::max(race_[pair.to].longest, SentTo(pair.from, pair.to));
    }
  }

  Guess FromReports(const HeardPair& pair) const {
    const double sent = SentTo(pair.from, pair.to);
    return {(Sum(pair.reported) + kPriorCount) / (sent + 2 * kPriorCount), sent};
  }

  Guess FromRelaying(const HeardPair& pair) const {
    const double sent = SentTo(pair.from, pair.to);
    const double forwarded = Sum(pair.forwarded) / seen_[pair.to];
    if (forwarded <= 0 || sent <= 0) return {};
    if (!senders_[pair.from].relays) {
      const double received = std::min(forwarded, sent);
      return {(received + kPriorCount) / (sent + 2 * kPriorCount), sent};
    }
    const Race& race = race_[pair.to];
    const double all = race.won / seen_[pair.to];
    const double floods = std::max(race.longest, all);
    const double lost = 1 - std::min(all / floods, kMostReceived);
    const double received_from = 1 - std::pow(lost, Sum(pair.forwarded) / race.won);
    const double active = std::min(1.0, sent / floods);
    return {
        (std::min(1.0, received_from / active) * sent + kPriorCount * received_from) / (sent + kPriorCount),
        sent};
  }

  const std::vector<HeardSender>& senders_;
  const std::vector<HeardPair>& pairs_;
  std::vector<double> seen_;  ///< share of what each sends
  std::vector<Race> race_;
  std::unordered_map<std::uint64_t, Guess> guesses_;
};

}  // namespace

std::vector<RelayLink> EstimateLinks(const std::vector<HeardSender>& senders,
                                     const std::vector<HeardPair>& pairs) {
  return LinkEstimate(senders, pairs).Links();
}

}  // namespace heliograph::server
