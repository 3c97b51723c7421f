#include "server/analytics/hop_resolver.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>

namespace heliograph::server {
namespace {

// The weights of what is not counted but assumed. All are in units of one observed transmission, fitted on
// training seeds of meshsim.
constexpr double kVolumeFloor = 2;        ///< transmissions that every node is credited with
constexpr double kNearAffinity = 0.1;     ///< between nodes that tell positions beside each other
constexpr double kDistanceScaleKm = 30;   ///< over which that falls to a third
constexpr double kFarAffinity = 0.002;    ///< what is left of it at any distance
constexpr double kUntoldAffinity = 0.03;  ///< when one of the positions is not told
constexpr double kUnheardAffinity = 0.02;
constexpr double kPlenty = 20;           ///< above it what is assumed does not matter
constexpr double kReturnShare = 0.5;     ///< of what was heard the other way: links are nearly symmetric
constexpr double kUnlikelyRelay = 0.03;  ///< a companion or a sensor that repeats
constexpr double kNegligible = 0.001;    ///< of the weight of the best candidate
constexpr double kSilentThen = 0.3;      ///< the node was not heard of by itself at that time
constexpr double kOtherRegion = 0.3;     ///< never heard of in the observer's region
constexpr std::chrono::hours kActivitySlack(24);  ///< around first and last heard: adverts are rare

constexpr std::size_t kMaxStates = HopResolver::kMaxCandidates + 1;
constexpr std::int64_t kUnheard = 0;  ///< no identity has this key

/// As many unheard nodes are assumed as are known, rounded up to a power of two, so that the figure moves
/// rarely. The result is how many of them are to be expected behind one hash of this size.
double ExpectedUnheard(std::size_t known, std::size_t hash_size) {
  const auto unheard = static_cast<double>(std::bit_ceil(std::max<std::size_t>(known, 1)));
  return unheard * std::pow(256.0, -static_cast<double>(hash_size));
}

/// Who a step can be, and what is known of each so far. The last state is the unheard node.
struct StepStates {
  std::size_t count = 0;
  std::array<std::int64_t, kMaxStates> node{};
  std::array<const Station*, kMaxStates> station{};
  std::array<double, kMaxStates> volume{};   ///< transmissions seen of it, and the floor
  std::array<double, kMaxStates> below{};    ///< weight by itself and by all that came after
  std::array<double, kMaxStates> message{};  ///< what the step says of each state of its parent
  std::array<double, kMaxStates> belief{};
  std::array<std::array<double, kMaxStates>, kMaxStates> transition;  ///< from each state of its parent

  void Put(std::int64_t key, const Station* its_station, double its_volume, double weight) {
    node[count] = key;
    station[count] = its_station;
    volume[count] = its_volume;
    below[count++] = weight;
  }
};

void Normalise(std::array<double, kMaxStates>& weights, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += weights[i];
  if (sum <= 0) return;
  for (std::size_t i = 0; i < count; ++i) weights[i] /= sum;
}

class TreeInference {
 public:
  TreeInference(const StationDirectory& stations, const RelayEvidence& evidence, const Flood& flood)
      : stations_(stations),
        evidence_(evidence),
        flood_(flood),
        unheard_(ExpectedUnheard(stations.size(), flood.hash_size)),
        steps_(flood.steps.size()) {}

  void Run(ResolvedSteps& out) {
    for (std::size_t i = 0; i < steps_.size(); ++i) FindStates(i);
    if (!std::all_of(steps_.begin(), steps_.end(), [this](const auto& step) { return IsPlain(step); })) {
      WeighHearings();
      PassUp();
      PassDown();
    } else {
      for (StepStates& step : steps_) step.belief = step.below;
    }
    TellTwinsApart();
    for (StepStates& step : steps_) Write(step, out);
  }

 private:
  /// One relay and a long hash: nothing around it can change the answer noticeably.
  bool IsPlain(const StepStates& step) const {
    return flood_.hash_size >= 2 && step.count == 2 && step.station[0]->forwards_by_default;
  }

  void FindStates(std::size_t index) {
    found_.clear();
    double best = 0;
    for (const std::int64_t key : stations_.Candidates(flood_.steps[index].hop)) {
      if (flood_.origin && key == static_cast<std::int64_t>(*flood_.origin)) continue;
      const Station* station = stations_.Find(IdentityKey{key});
      const double prior = Prior(*station), volume = Volume(key);
      found_.push_back({key, station, volume, prior});
      best = std::max(best, prior * volume);
    }
    // A companion beside a busy repeater is not worth weighing.
    std::erase_if(found_, [best](const Found& it) {
      return !it.station->forwards_by_default && it.prior * it.volume < kNegligible * best;
    });
    if (found_.size() > HopResolver::kMaxCandidates) {
      std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
        return std::pair(-a.prior * a.volume, a.key) < std::pair(-b.prior * b.volume, b.key);
      });
      found_.resize(HopResolver::kMaxCandidates);
    }
    std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.key < b.key; });
    StepStates& step = steps_[index];
    for (const Found& it : found_) step.Put(it.key, it.station, it.volume, it.prior);
    step.Put(kUnheard, nullptr, kVolumeFloor, unheard_);
  }

  double Prior(const Station& station) const {
    const double role = station.forwards_by_default ? 1 : kUnlikelyRelay;
    const bool before = station.first_heard && flood_.first_heard < *station.first_heard - kActivitySlack;
    const bool after = station.last_heard && flood_.first_heard > *station.last_heard + kActivitySlack;
    return before || after ? role * kSilentThen : role;
  }

  double Volume(std::int64_t key) const { return evidence_.SentBy(IdentityKey{key}) + kVolumeFloor; }

  static double Assumed(const Station* a, const Station* b) {
    if (a == nullptr || b == nullptr || !a->position || !b->position) return kUntoldAffinity;
    return kFarAffinity + kNearAffinity * std::exp(-DistanceKm(*a, *b) / kDistanceScaleKm);
  }

  /// How probable it is that `to` is heard after `from`, up to a factor.
  double Affinity(std::int64_t from, const Station* from_station, double from_volume, std::int64_t to,
                  const Station* to_station, double to_volume) const {
    if (from == kUnheard) {
      if (to == kUnheard) return kUnheardAffinity / kVolumeFloor;
      return to_volume / (evidence_.total_relayed() + kVolumeFloor * static_cast<double>(stations_.size()));
    }
    if (to == kUnheard) return kUnheardAffinity / from_volume;
    if (from == to) return 0;  // nobody sends a flood on twice
    const auto [forth, back] = evidence_.HeardBetween(IdentityKey{from}, IdentityKey{to});
    const double heard = forth + kReturnShare * back;
    return (heard > kPlenty ? heard : heard + Assumed(from_station, to_station)) / from_volume;
  }

  double HearingAffinity(const StepStates& step, std::size_t state, const FloodHearing& hearing) const {
    const auto observer = static_cast<std::int64_t>(hearing.observer);
    if (hearing.own) return step.node[state] == observer ? 1 : 1e-6;
    const Station* ear = stations_.Find(hearing.observer);
    if (step.node[state] == kUnheard) return kUnheardAffinity / kVolumeFloor;
    double affinity =
        step.node[state] == observer
            ? kFarAffinity / step.volume[state]  // one that does not say that it reports its own sending
            : Affinity(step.node[state], step.station[state], step.volume[state], observer, ear, 0);
    const bool elsewhere = ear != nullptr && ear->regions != 0 && step.station[state]->regions != 0 &&
                           (ear->regions & step.station[state]->regions) == 0;
    if (elsewhere) affinity *= kOtherRegion;
    return affinity;
  }

  void WeighHearings() {
    for (const FloodHearing& hearing : flood_.hearings) {
      if (hearing.step < 0) continue;
      StepStates& step = steps_[static_cast<std::size_t>(hearing.step)];
      for (std::size_t i = 0; i < step.count; ++i) step.below[i] *= HearingAffinity(step, i, hearing);
      Normalise(step.below, step.count);
    }
  }

  double Transition(const StepStates& parent, std::size_t from, const StepStates& child,
                    std::size_t to) const {
    return Affinity(parent.node[from], parent.station[from], parent.volume[from], child.node[to],
                    child.station[to], child.volume[to]);
  }

  void PassUp() {
    for (std::size_t i = steps_.size(); i-- > 0;) {
      if (flood_.steps[i].parent < 0) continue;
      StepStates& child = steps_[i];
      StepStates& parent = steps_[static_cast<std::size_t>(flood_.steps[i].parent)];
      for (std::size_t from = 0; from < parent.count; ++from) {
        double sum = 0;
        for (std::size_t to = 0; to < child.count; ++to) {
          child.transition[from][to] = Transition(parent, from, child, to);
          sum += child.below[to] * child.transition[from][to];
        }
        child.message[from] = sum;
        parent.below[from] *= sum;
      }
      Normalise(parent.below, parent.count);
    }
  }

  void PassDown() {
    const auto origin = flood_.origin ? static_cast<std::int64_t>(*flood_.origin) : kUnheard;
    const Station* signer = flood_.origin ? stations_.Find(*flood_.origin) : nullptr;
    const double volume = flood_.origin ? Volume(origin) : kVolumeFloor;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      StepStates& step = steps_[i];
      const std::int16_t above = flood_.steps[i].parent;
      std::array<double, kMaxStates> from_above{};
      if (above < 0) {
        for (std::size_t to = 0; to < step.count; ++to)
          from_above[to] = Affinity(origin, signer, volume, step.node[to], step.station[to], step.volume[to]);
      } else {
        const StepStates& parent = steps_[static_cast<std::size_t>(above)];
        for (std::size_t from = 0; from < parent.count; ++from) {
          if (step.message[from] <= 0) continue;
          // What the parent would be without this step.
          const double share = parent.belief[from] / step.message[from];
          for (std::size_t to = 0; to < step.count; ++to) from_above[to] += share * step.transition[from][to];
        }
      }
      for (std::size_t to = 0; to < step.count; ++to) step.belief[to] = step.below[to] * from_above[to];
      Normalise(step.belief, step.count);
    }
  }

  /// Nobody sends a flood on twice: steps with the same hash are different nodes.
  void TellTwinsApart() {
    std::vector<std::pair<HopKey, std::size_t>> by_hop;
    for (std::size_t i = 0; i < steps_.size(); ++i) by_hop.emplace_back(flood_.steps[i].hop, i);
    std::sort(by_hop.begin(), by_hop.end());
    for (auto begin = by_hop.begin(); begin != by_hop.end();) {
      const auto end =
          std::find_if(begin, by_hop.end(), [&](const auto& item) { return item.first != begin->first; });
      // Steps with the same hash have the same candidates in the same order.
      if (end - begin > 1) ShareOut({begin, end});
      begin = end;
    }
  }

  /// Weighs all ways to give the sendings to different nodes, by the set of nodes that are given away: those
  /// before a sending, and those after it. Any number of unheard nodes can be behind them.
  void ShareOut(std::span<const std::pair<HopKey, std::size_t>> twins) {
    const std::size_t count = twins.size(), known = steps_[twins[0].second].count - 1;
    const std::size_t sets = std::size_t{1} << known;
    before_.assign((count + 1) * sets, 0);
    after_.assign((count + 1) * sets, 0);
    const auto with = [known](std::size_t set, std::size_t state) {
      return state < known ? set | std::size_t{1} << state : set;
    };
    const auto is_free = [known](std::size_t set, std::size_t state) {
      return state == known || (set >> state & 1) == 0;
    };
    before_[0] = 1;
    for (std::size_t i = 0; i < count; ++i) {
      const StepStates& step = steps_[twins[i].second];
      for (std::size_t set = 0; set < sets; ++set)
        for (std::size_t state = 0; state <= known; ++state)
          if (is_free(set, state))
            before_[(i + 1) * sets + with(set, state)] += before_[i * sets + set] * step.belief[state];
    }
    std::fill(after_.end() - static_cast<std::ptrdiff_t>(sets), after_.end(), 1.0);
    for (std::size_t i = count; i-- > 0;) {
      StepStates& step = steps_[twins[i].second];
      std::array<double, kMaxStates> shared{};
      for (std::size_t set = 0; set < sets; ++set) {
        for (std::size_t state = 0; state <= known; ++state) {
          if (!is_free(set, state)) continue;
          const double rest = step.belief[state] * after_[(i + 1) * sets + with(set, state)];
          after_[i * sets + set] += rest;
          shared[state] += before_[i * sets + set] * rest;
        }
      }
      Normalise(shared, step.count);
      step.belief = shared;
    }
  }

  static void Write(StepStates& step, ResolvedSteps& out) {
    Normalise(step.belief, step.count);
    std::array<HopCandidate, kMaxStates> sorted;
    const std::size_t known = step.count - 1;
    for (std::size_t i = 0; i < known; ++i)
      sorted[i] = {IdentityKey{step.node[i]}, static_cast<float>(step.belief[i])};
    // By insertion: a handful, and std::stable_sort would allocate for them.
    for (std::size_t i = 1; i < known; ++i)
      for (std::size_t j = i; j > 0 && sorted[j - 1].probability < sorted[j].probability; --j)
        std::swap(sorted[j - 1], sorted[j]);
    for (std::size_t i = 0; i < known; ++i) out.Add(sorted[i]);
    out.EndStep();
  }

  struct Found {
    std::int64_t key = 0;
    const Station* station = nullptr;
    double volume = 0, prior = 0;
  };

  const StationDirectory& stations_;
  const RelayEvidence& evidence_;
  const Flood& flood_;
  const double unheard_;
  std::vector<StepStates> steps_;
  std::vector<Found> found_;            ///< for the step in hand
  std::vector<double> before_, after_;  ///< of the sendings in hand, by place and set
};

}  // namespace

void HopResolver::Resolve(const Flood& flood, ResolvedSteps& out) const {
  out.Clear();
  TreeInference(stations_, evidence_, flood).Run(out);
}

ResolvedSteps HopResolver::ResolvePath(const std::vector<PathHash>& hops, const HopContext& context) const {
  Flood flood;
  if (!hops.empty()) flood.hash_size = static_cast<std::uint8_t>(hops.front().size());
  flood.origin = context.origin;
  flood.first_heard = flood.last_heard = context.time;
  for (const PathHash& hop : hops) {
    const auto parent = static_cast<std::int16_t>(static_cast<int>(flood.steps.size()) - 1);
    flood.steps.push_back({parent, HopKeyOf(hop.bytes().data(), hop.size())});
  }
  if (context.observer) {
    const auto last = static_cast<std::int16_t>(static_cast<int>(flood.steps.size()) - 1);
    flood.hearings.push_back({last, *context.observer, false, std::nullopt});
  }
  ResolvedSteps resolved;
  Resolve(flood, resolved);
  return resolved;
}

}  // namespace heliograph::server
