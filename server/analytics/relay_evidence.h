#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/identity_key.h"
#include "common/time.h"
#include "server/analytics/flood.h"
#include "server/analytics/key_index.h"

namespace heliograph::server {

/// A set of observers in little room, whatever order they come in: how many there are, from 64 bits that keys
/// are scattered over, and which are the few that have been known for the longest.
class ObserverTally {
 public:
  static constexpr std::size_t kNamed = 8;

  /// REQUIRED: the key is above 0 and below 2^32.
  void Add(IdentityKey observer);
  void Add(const ObserverTally& other);
  /// How many there are: by linear counting, within one for up to 12 and 10 % for up to 100. Source: Whang,
  /// Vander-Zanden, Taylor 1990.
  std::size_t Count() const;
  /// Those with the smallest keys, ascending; at most kNamed.
  std::vector<IdentityKey> Named() const;
  bool operator==(const ObserverTally&) const = default;

 private:
  void Name(std::uint32_t observer);

  std::uint64_t bits_ = 0;
  std::array<std::uint32_t, kNamed> named_{};  ///< ascending, then zeros
};

/// What was seen of one direction of a link: `to` received what `from` had just sent. Each transmission
/// counts once, however many observers report it. Counts are expected numbers: a hop that may be several
/// nodes counts for each by its probability.
struct PairTally {
  std::array<float, 2> forwarded{};  ///< floods that `to` sent on after `from`, by FloodClass
  std::array<float, 2> reported{};   ///< floods that `to`, an observer, reported from `from` itself, likewise
  float snr_sum_db = 0;              ///< of those reports that told it
  float snr_weight = 0;              ///< how many they were
  /// Receipt of the first of these floods, and of the last that is not most likely another pair's.
  UtcMillis first_heard{}, last_heard{};
  ObserverTally observers;  ///< who showed it

  /// Both ways of receiving, both classes.
  double Total() const;
  std::optional<double> MeanSnrDb() const;
};

/// What was seen of one node.
struct SenderTally {
  std::array<float, 2> relayed{};     ///< floods in which it was seen to send on, by FloodClass, expected
  std::array<float, 2> originated{};  ///< floods that it signed (adverts)
  std::array<float, 2> reported{};    ///< floods that it reported as an observer
  /// When it was seen to relay, by FloodClass, as soon as that was more probable than not.
  std::array<std::optional<UtcMillis>, 2> first_relayed, last_relayed;

  /// Floods in which it was on the air.
  double Sent(FloodClass flood_class) const {
    const auto c = static_cast<std::size_t>(flood_class);
    return static_cast<double>(relayed[c]) + static_cast<double>(originated[c]);
  }
};

/// Accumulates who was heard after whom, from floods alone (never TRACE, never DIRECT, so no adverts that
/// others share). Costs memory for nodes and pairs, never for packets. Not thread-safe; const members may be
/// called from several threads at once.
class RelayEvidence {
 public:
  static constexpr std::size_t kDefaultMaxPairs = 200'000;
  explicit RelayEvidence(std::size_t max_pairs = kDefaultMaxPairs) : max_pairs_(max_pairs) {}

  /// Counts a flood. `steps` are the candidates of its steps. REQUIRED: each transmission comes once, and
  /// keys are above 0 and below 2^32.
  void Add(const Flood& flood, const ResolvedSteps& steps);

  /// Null when `to` was never heard after `from`.
  const PairTally* Pair(IdentityKey from, IdentityKey to) const;
  /// Both directions between two nodes with one look: a → b, b → a. Null where nothing was seen.
  std::pair<const PairTally*, const PairTally*> Between(IdentityKey a, IdentityKey b) const;
  /// The totals of both directions, 0 where nothing was seen: the same as of Between, from less memory.
  struct Heard {
    double forth = 0, back = 0;
  };
  Heard HeardBetween(IdentityKey a, IdentityKey b) const {
    const auto first = static_cast<std::uint64_t>(a), second = static_cast<std::uint64_t>(b);
    const std::uint32_t place = places_.Find(LinkKey(std::min(first, second), std::max(first, second)));
    if (place == KeyIndex::kNone) return {};
    const Heard& heard = heard_[place];
    return first < second ? heard : Heard{heard.back, heard.forth};
  }
  /// Null when the node was neither seen to send nor to report.
  const SenderTally* Sender(IdentityKey node) const;
  /// Floods of both classes in which the node was on the air; 0 of one that was never seen.
  double SentBy(IdentityKey node) const {
    const std::uint32_t place = sender_places_.Find(static_cast<std::uint64_t>(node));
    return place == KeyIndex::kNone ? 0 : sent_[place];
  }

  /// Calls visit(from, to, tally) for each direction that was seen, in no order.
  template <typename Visit>
  void ForEachPair(Visit&& visit) const {
    for (const Link& link : links_) {
      const auto low = static_cast<IdentityKey>(link.key >> 32);
      const auto high = static_cast<IdentityKey>(link.key & 0xFFFFFFFF);
      if (link.up.Total() > 0) visit(low, high, link.up);
      if (link.down.Total() > 0) visit(high, low, link.down);
    }
  }
  /// Calls visit(node, tally) for each node, in no order.
  template <typename Visit>
  void ForEachSender(Visit&& visit) const {
    for (const auto& [node, tally] : senders_) visit(node, tally);
  }

  /// Floods counted, by FloodClass.
  std::uint64_t floods(FloodClass flood_class) const {
    return floods_[static_cast<std::size_t>(flood_class)];
  }
  /// All relaying that was counted, of both classes.
  double total_relayed() const { return total_relayed_; }
  /// Pairs of nodes that are kept, each with both directions.
  std::size_t pair_count() const { return links_.size(); }
  /// Pairs that were forgotten, the weakest and longest unheard first, because there were more than the
  /// limit.
  std::uint64_t evicted_pairs() const { return evicted_pairs_; }

 private:
  struct Link {
    std::uint64_t key = 0;  ///< lower key << 32 | higher key
    PairTally up;           ///< from the lower key to the higher
    PairTally down;         ///< back
  };

  /// The counts of one direction of a link.
  struct Direction {
    PairTally& tally;
    double& heard;  ///< to be set to the tally's total
  };

  static std::uint64_t LinkKey(std::uint64_t low, std::uint64_t high) { return low << 32 | high; }
  Direction DirectionOf(IdentityKey from, IdentityKey to);
  /// Its place.
  std::uint32_t SenderOf(IdentityKey node);
  template <typename Count>
  void CountSender(IdentityKey node, Count&& count);
  void AddSteps(const Flood& flood, const ResolvedSteps& steps);
  void AddHearings(const Flood& flood, const ResolvedSteps& steps);
  void EvictWeakest(UtcMillis now);

  const std::size_t max_pairs_;
  std::vector<Link> links_;
  std::vector<Heard> heard_;  ///< of each link, up and down
  KeyIndex places_;           ///< of the links, by their keys
  std::vector<std::pair<IdentityKey, SenderTally>> senders_;
  std::vector<double> sent_;  ///< of each sender
  KeyIndex sender_places_;
  std::array<std::uint64_t, 2> floods_{};
  double total_relayed_ = 0;
  std::uint64_t evicted_pairs_ = 0;
};

}  // namespace heliograph::server
