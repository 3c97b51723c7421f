#include "server/analytics/opportunity.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <limits>
#include <numeric>
#include <optional>
#include <span>

namespace heliograph::server {
namespace {

constexpr float kLeastProbability = 0.05F;  ///< of a candidate that is followed
constexpr float kAwakeProbability = 0.2F;   ///< a hop that shows that the node was on the air
constexpr double kLeastRate = 0.002;        ///< of a neighbour: below it, it is no neighbour
constexpr double kUnheardForwards = 0.5;    ///< belief in a relay that nobody knows

constexpr std::size_t kFloodsAtATime = 128;  ///< that a thread resolves before it looks for more

constexpr double kMostBelief = 0.99;  ///< so that what others showed is never hidden altogether

std::uint64_t PairOf(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::uint64_t>(from) << 32 | to;
}

/// What 1-byte floods showed of one neighbour and one node.
struct Following {
  double seen = 0;      ///< floods of the neighbour's that the node was seen to take up
  double excluded = 0;  ///< floods of the neighbour's that say nothing: known through the node, or after it
};

struct Awake {
  UtcMillis first = UtcMillis::max(), last = UtcMillis::min();
  void Add(UtcMillis time) {
    first = std::min(first, time);
    last = std::max(last, time);
  }
  bool Covers(UtcMillis time) const { return first <= time && time <= last; }
};

/// Somebody who takes up what a node sends.
struct Listener {
  std::uint32_t node = 0;
  double rate = 0;
  double floods = 0;  ///< multi-byte floods of the node in which it could have
};

}  // namespace

double Sum(const BySpan& spans) {
  return std::accumulate(spans.begin(), spans.end(), 0.0);
}

OpportunityMeter::OpportunityMeter(const FloodSample& sample, const std::vector<const Flood*>& open,
                                   const HopResolver& resolver)
    : multibyte_scale_(sample.Scale(FloodClass::kMultibyte)) {
  for (const FloodClass flood_class : kFloodClasses) {
    std::vector<Tree>& trees = flood_class == FloodClass::kOneByte ? one_byte_ : multibyte_;
    for (const Flood& flood : sample.Floods(flood_class)) trees.emplace_back().flood = &flood;
    for (const Flood* flood : open)
      if (flood->flood_class() == flood_class && sample.Takes(*flood)) trees.emplace_back().flood = flood;
    ResolveAll(trees, resolver);
    for (Tree& tree : trees) PutIndexes(tree);
  }
  MeasureExposure();
  Awake all;
  for (const Tree& tree : multibyte_) all.Add(tree.flood->first_heard);
  if (all.first > all.last) return;
  begin_ = all.first;
  span_length_ = (all.last - all.first) / static_cast<int>(kOpportunitySpans) + std::chrono::milliseconds(1);
}

std::uint32_t OpportunityMeter::IndexOf(IdentityKey node) {
  const auto [at, added] =
      index_.emplace(static_cast<std::int64_t>(node), static_cast<std::uint32_t>(nodes_.size()));
  if (added) nodes_.push_back(node);
  return at->second;
}

/// On two threads when there are many: each flood is resolved by itself.
void OpportunityMeter::ResolveAll(std::vector<Tree>& trees, const HopResolver& resolver) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    ResolvedSteps steps;
    for (std::size_t begin = 0; (begin = next.fetch_add(kFloodsAtATime)) < trees.size();) {
      const std::size_t end = std::min(begin + kFloodsAtATime, trees.size());
      for (std::size_t i = begin; i < end; ++i) Resolve(trees[i], resolver, steps);
    }
  };
  std::future<void> other;
  if (trees.size() > kFloodsAtATime) other = std::async(std::launch::async, work);
  work();
  if (other.valid()) other.get();
}

void OpportunityMeter::Resolve(Tree& tree, const HopResolver& resolver, ResolvedSteps& steps) {
  resolver.Resolve(*tree.flood, steps);
  for (std::size_t i = 0; i < steps.step_count(); ++i) {
    for (const HopCandidate& candidate : steps.Step(i))
      if (candidate.probability >= kLeastProbability)
        tree.senders.push_back({static_cast<std::uint32_t>(candidate.node), candidate.probability});
    tree.sender_ends.push_back(static_cast<std::uint32_t>(tree.senders.size()));
  }
}

void OpportunityMeter::PutIndexes(Tree& tree) {
  for (Sender& sender : tree.senders) sender.node = IndexOf(IdentityKey{sender.node});
  if (tree.flood->origin) tree.origin = IndexOf(*tree.flood->origin);
  for (const FloodHearing& hearing : tree.flood->hearings)
    tree.hearing_observer.push_back(IndexOf(hearing.observer));
}

/// How much of what an observer reports has a node in its path, and how many multi-byte floods it reports.
void OpportunityMeter::MeasureExposure() {
  std::vector<double> reported(nodes_.size(), 0), reported_multibyte(nodes_.size(), 0);
  std::unordered_map<std::uint64_t, double> on_path;  // observer and node
  std::vector<std::size_t> order;
  std::vector<std::uint32_t> last_observer;
  for (const Tree& tree : one_byte_) {
    const Flood& flood = *tree.flood;
    order.resize(flood.hearings.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return tree.hearing_observer[a] < tree.hearing_observer[b];
    });
    last_observer.assign(flood.steps.size(), UINT32_MAX);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::uint32_t observer = tree.hearing_observer[order[i]];
      if (i == 0 || tree.hearing_observer[order[i - 1]] != observer) reported[observer] += 1;
      for (std::int16_t step = flood.hearings[order[i]].step; step >= 0;) {
        const auto at = static_cast<std::size_t>(step);
        if (last_observer[at] == observer) break;  // it and all above were counted
        last_observer[at] = observer;
        const std::size_t begin = at == 0 ? 0 : tree.sender_ends[at - 1];
        for (std::size_t s = begin; s < tree.sender_ends[at]; ++s)
          on_path[PairOf(observer, tree.senders[s].node)] += static_cast<double>(tree.senders[s].probability);
        step = flood.steps[at].parent;
      }
    }
  }
  std::vector<std::uint32_t> reporters;
  for (const Tree& tree : multibyte_) {
    reporters = tree.hearing_observer;
    std::sort(reporters.begin(), reporters.end());
    reporters.erase(std::unique(reporters.begin(), reporters.end()), reporters.end());
    for (const std::uint32_t reporter : reporters) reported_multibyte[reporter] += multibyte_scale_;
  }
  exposure_.assign(nodes_.size(), 0);
  for (const auto& [pair, count] : on_path) {
    const auto observer = static_cast<std::uint32_t>(pair >> 32);
    const auto node = static_cast<std::uint32_t>(pair & 0xFFFFFFFF);
    const double exposure = count / (reported[observer] + 1) * reported_multibyte[observer];
    exposure_[node] = std::max(exposure_[node], exposure);
  }
}

/// One measurement with given beliefs.
class OpportunityPass {
 public:
  OpportunityPass(const OpportunityMeter& meter, const CapabilityBeliefs& beliefs)
      : meter_(meter), nodes_(meter.nodes_.size()) {
    beliefs_.resize(nodes_);
    for (std::size_t i = 0; i < nodes_; ++i) {
      const auto found = beliefs.find(static_cast<std::int64_t>(meter.nodes_[i]));
      if (found == beliefs.end()) continue;
      beliefs_[i].forwards = std::min(found->second.forwards, kMostBelief);
      beliefs_[i].reports = std::min(found->second.reports, kMostBelief);
    }
    sent_.resize(nodes_);
    awake_relay_.resize(nodes_);
    awake_observer_.resize(nodes_);
  }

  std::unordered_map<std::int64_t, Opportunity> Run() {
    for (const Tree& tree : meter_.one_byte_) Learn(tree);
    takes_up_ = ListenersOf(follows_);
    hears_ = ListenersOf(reports_);
    found_.resize(nodes_);
    relay_chance_.assign(nodes_, 0);
    report_silence_.assign(nodes_, 1);
    is_touched_.assign(nodes_, 0);
    for (const Tree& tree : meter_.multibyte_) Meet(tree);
    return Collect();
  }

 private:
  using Tree = OpportunityMeter::Tree;
  using Sender = OpportunityMeter::Sender;

  static std::span<const Sender> SendersOf(const Tree& tree, std::size_t step) {
    const std::size_t begin = step == 0 ? 0 : tree.sender_ends[step - 1];
    return {tree.senders.data() + begin, tree.sender_ends[step] - begin};
  }
  /// Of a step, or of kOrigin: the signer.
  std::span<const Sender> SendersOf(const Tree& tree, std::int16_t step, Sender& origin) const {
    if (step >= 0) return SendersOf(tree, static_cast<std::size_t>(step));
    if (tree.origin < 0) return {};
    origin = {static_cast<std::uint32_t>(tree.origin), 1};
    return {&origin, 1};
  }

  double Forwards(const Tree& tree, std::size_t step) const {
    double forwards = 0, rest = 1;
    for (const Sender& sender : SendersOf(tree, step)) {
      forwards += static_cast<double>(sender.probability) * beliefs_[sender.node].forwards;
      rest -= static_cast<double>(sender.probability);
    }
    return forwards + std::max(0.0, rest) * kUnheardForwards;
  }

  /// hidden[i + 1]: that step i would not be seen, if it were sent, were all that drop multi-byte floods
  /// gone; hidden[0]: likewise of the originator. passes[i]: that step i would be sent and seen.
  void Weigh(const Tree& tree) {
    const Flood& flood = *tree.flood;
    hidden_.assign(flood.steps.size() + 1, 1);
    passes_.assign(flood.steps.size(), 0);
    for (std::size_t h = 0; h < flood.hearings.size(); ++h) {
      const FloodHearing& hearing = flood.hearings[h];
      const double reports = hearing.own ? kMostBelief : beliefs_[tree.hearing_observer[h]].reports;
      hidden_[Slot(hearing.step)] *= 1 - reports;
    }
    for (std::size_t i = flood.steps.size(); i-- > 0;) {
      passes_[i] = Forwards(tree, i) * (1 - hidden_[i + 1]);
      hidden_[Slot(flood.steps[i].parent)] *= 1 - passes_[i];
    }
  }
  static std::size_t Slot(std::int16_t step) { return static_cast<std::size_t>(step + 1); }

  void Learn(const Tree& tree) {
    Weigh(tree);
    const Flood& flood = *tree.flood;
    if (tree.origin >= 0) sent_[static_cast<std::size_t>(tree.origin)] += 1 - hidden_[0];
    for (std::size_t i = 0; i < flood.steps.size(); ++i) {
      for (const Sender& sender : SendersOf(tree, i)) {
        sent_[sender.node] += static_cast<double>(sender.probability) * (1 - hidden_[i + 1]);
        if (sender.probability > kAwakeProbability) awake_relay_[sender.node].Add(flood.first_heard);
      }
      LearnStep(tree, i);
    }
    for (std::size_t h = 0; h < flood.hearings.size(); ++h) LearnHearing(tree, h);
  }

  void LearnStep(const Tree& tree, std::size_t step) {
    const std::int16_t above = tree.flood->steps[step].parent;
    const double seen = 1 - hidden_[step + 1];
    const double parent_seen = 1 - hidden_[Slot(above)];
    const double parent_alone = 1 - hidden_[Slot(above)] / (1 - passes_[step]);
    Sender origin;
    for (const Sender& from : SendersOf(tree, above, origin)) {
      for (const Sender& to : SendersOf(tree, step)) {
        if (from.node == to.node) continue;
        const double both = static_cast<double>(from.probability) * static_cast<double>(to.probability);
        Following& forth = follows_[PairOf(from.node, to.node)];
        forth.seen += both * parent_alone * seen;
        forth.excluded += both * (parent_seen - parent_alone);
        follows_[PairOf(to.node, from.node)].excluded += both * seen;
      }
    }
  }

  void LearnHearing(const Tree& tree, std::size_t index) {
    const FloodHearing& hearing = tree.flood->hearings[index];
    const std::uint32_t observer = tree.hearing_observer[index];
    awake_observer_[observer].Add(tree.flood->first_heard);
    if (hearing.own) return;
    const double hidden = hidden_[Slot(hearing.step)];
    const double alone = 1 - hidden / (1 - beliefs_[observer].reports);
    Sender origin;
    for (const Sender& from : SendersOf(tree, hearing.step, origin)) {
      if (from.node == observer) continue;
      Following& following = reports_[PairOf(from.node, observer)];
      following.seen += static_cast<double>(from.probability) * alone;
      following.excluded += static_cast<double>(from.probability) * (1 - hidden - alone);
    }
  }

  /// By the neighbour: who follows it, and how often.
  std::vector<std::vector<Listener>> ListenersOf(
      const std::unordered_map<std::uint64_t, Following>& pairs) const {
    std::vector<std::vector<Listener>> listeners(nodes_);
    for (const auto& [pair, following] : pairs) {
      const auto from = static_cast<std::uint32_t>(pair >> 32);
      const auto to = static_cast<std::uint32_t>(pair & 0xFFFFFFFF);
      // One flood more, without the node: a rate from a handful of floods is not to be trusted.
      const double floods = std::max(sent_[from] - following.excluded, following.seen) + 1;
      const double rate = following.seen / floods;
      if (rate >= kLeastRate) listeners[from].push_back({to, rate});
    }
    for (auto& list : listeners)
      std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
    return listeners;
  }

  std::size_t SpanOf(UtcMillis time) const {
    return static_cast<std::size_t>((time - meter_.begin_) / meter_.span_length_);
  }

  void Meet(const Tree& tree) {
    const Flood& flood = *tree.flood;
    touched_.clear();
    if (tree.origin >= 0) MeetSender(tree, {static_cast<std::uint32_t>(tree.origin), 1});
    for (const Sender& sender : tree.senders) MeetSender(tree, sender);
    const std::size_t span = SpanOf(flood.first_heard);
    for (const std::uint32_t node : touched_) {
      Opportunity& opportunity = found_[node];
      opportunity.relays_expected[span] += std::min(1.0, relay_chance_[node]);
      opportunity.reports_expected[span] += 1 - report_silence_[node];
      if (relay_chance_[node] > 0) opportunity.floods += 1;
      relay_chance_[node] = 0;
      report_silence_[node] = 1;
      is_touched_[node] = 0;
    }
    for (const Sender& sender : tree.senders) {
      const auto probability = static_cast<double>(sender.probability);
      found_[sender.node].relays_seen += probability;
      found_[sender.node].surest_relay = std::max(found_[sender.node].surest_relay, probability);
    }
    reporters_ = tree.hearing_observer;
    std::sort(reporters_.begin(), reporters_.end());
    reporters_.erase(std::unique(reporters_.begin(), reporters_.end()), reporters_.end());
    for (const std::uint32_t reporter : reporters_) found_[reporter].reports_seen += 1;
  }

  void MeetSender(const Tree& tree, const Sender& sender) {
    const UtcMillis time = tree.flood->first_heard;
    const auto probability = static_cast<double>(sender.probability);
    for (Listener& listener : takes_up_[sender.node]) {
      if (!awake_relay_[listener.node].Covers(time) || tree.origin == listener.node) continue;
      relay_chance_[listener.node] += probability * listener.rate;
      listener.floods += probability;
      Touch(listener.node);
    }
    for (const Listener& listener : hears_[sender.node]) {
      if (!awake_observer_[listener.node].Covers(time)) continue;
      report_silence_[listener.node] *= 1 - probability * listener.rate;
      Touch(listener.node);
    }
  }
  void Touch(std::uint32_t node) {
    if (is_touched_[node] != 0) return;
    is_touched_[node] = 1;
    touched_.push_back(node);
  }

  std::unordered_map<std::int64_t, Opportunity> Collect() {
    for (std::size_t neighbor = 0; neighbor < nodes_; ++neighbor) {
      for (const Listener& listener : takes_up_[neighbor]) {
        const double floods = listener.floods * meter_.multibyte_scale_;
        if (floods > 0)
          found_[listener.node].neighbors.push_back(
              {meter_.nodes_[neighbor], listener.rate, floods, floods * listener.rate});
      }
    }
    std::unordered_map<std::int64_t, Opportunity> result;
    for (std::size_t i = 0; i < nodes_; ++i) {
      Opportunity& opportunity = found_[i];
      Extend(opportunity);
      opportunity.exposure = meter_.exposure_[i];
      const double all = Sum(opportunity.relays_expected) + Sum(opportunity.reports_expected) +
                         opportunity.relays_seen + opportunity.reports_seen + opportunity.exposure;
      if (all > 0) result.emplace(static_cast<std::int64_t>(meter_.nodes_[i]), std::move(opportunity));
    }
    return result;
  }

  /// From the sample to all floods.
  void Extend(Opportunity& opportunity) const {
    const double scale = meter_.multibyte_scale_;
    for (double& expected : opportunity.relays_expected) expected *= scale;
    for (double& expected : opportunity.reports_expected) expected *= scale;
    opportunity.relays_seen *= scale;
    opportunity.reports_seen *= scale;
    opportunity.floods *= scale;
    auto& neighbors = opportunity.neighbors;
    std::sort(neighbors.begin(), neighbors.end(), [](const auto& a, const auto& b) {
      return std::pair(-a.expected, a.node) < std::pair(-b.expected, b.node);
    });
    if (neighbors.size() > Opportunity::kMaxNeighbors) neighbors.resize(Opportunity::kMaxNeighbors);
  }

  const OpportunityMeter& meter_;
  const std::size_t nodes_;
  std::vector<CapabilityBelief> beliefs_;
  std::vector<double> sent_;  ///< 1-byte floods in which the node's own sending would be seen
  std::unordered_map<std::uint64_t, Following> follows_, reports_;
  std::vector<Awake> awake_relay_, awake_observer_;
  std::vector<std::vector<Listener>> takes_up_, hears_;
  std::vector<Opportunity> found_;

  // Of the flood in hand.
  std::vector<double> hidden_, passes_;
  std::vector<double> relay_chance_, report_silence_;
  std::vector<std::uint8_t> is_touched_;
  std::vector<std::uint32_t> touched_, reporters_;
};

std::unordered_map<std::int64_t, Opportunity> OpportunityMeter::Measure(
    const CapabilityBeliefs& beliefs) const {
  return OpportunityPass(*this, beliefs).Run();
}

}  // namespace heliograph::server
