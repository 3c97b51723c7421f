#include "server/analytics/relay_evidence.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <vector>

namespace heliograph::server {
namespace {

/// What is less probable is not counted: it would only fill the memory with pairs that never were.
constexpr float kLeastWeight = 0.02F;
/// What is less probable shows a pair for the first time, but not that it is there still: as if both ends
/// were just as probable as not.
constexpr float kRenewingWeight = 0.25F;
constexpr std::chrono::hours kHalfLife(7 * 24);  // when pairs compete for room

/// Who showed each step: those that reported it or anything after it.
std::vector<ObserverTally> WitnessesOf(const Flood& flood) {
  std::vector<ObserverTally> witnesses(flood.steps.size());
  for (const FloodHearing& hearing : flood.hearings)
    if (hearing.step >= 0) witnesses[static_cast<std::size_t>(hearing.step)].Add(hearing.observer);
  for (std::size_t i = flood.steps.size(); i-- > 0;)
    if (flood.steps[i].parent >= 0)
      witnesses[static_cast<std::size_t>(flood.steps[i].parent)].Add(witnesses[i]);
  return witnesses;
}

/// The candidates of a step or, of kOrigin, the packet's signer.
std::span<const HopCandidate> SendersOf(const ResolvedSteps& steps, std::int16_t step,
                                        const std::optional<HopCandidate>& origin) {
  if (step >= 0) return steps.Step(static_cast<std::size_t>(step));
  if (!origin) return {};
  return {&*origin, 1};
}

void Touch(PairTally& pair, const Flood& flood, float weight) {
  if (weight < kRenewingWeight && pair.first_heard != UtcMillis{}) return;
  if (pair.first_heard == UtcMillis{} || flood.first_heard < pair.first_heard)
    pair.first_heard = flood.first_heard;
  pair.last_heard = std::max(pair.last_heard, flood.last_heard);
}

/// The sender was seen to send the flood on, with this probability.
void CountRelaying(SenderTally& sender, std::size_t flood_class, float probability, UtcMillis time) {
  sender.relayed[flood_class] += probability;
  if (probability <= 0.5F) return;
  std::optional<UtcMillis>&first = sender.first_relayed[flood_class],
  &last = sender.last_relayed[flood_class];
  first = std::min(first.value_or(time), time);
  last = std::max(last.value_or(time), time);
}

}  // namespace

void ObserverTally::Add(IdentityKey observer) {
  // Fibonacci hashing spreads keys that follow each other.
  const std::uint64_t mixed = static_cast<std::uint64_t>(observer) * 0x9E3779B97F4A7C15U;
  bits_ |= std::uint64_t{1} << (mixed >> 58);
  Name(static_cast<std::uint32_t>(observer));
}

void ObserverTally::Add(const ObserverTally& other) {
  bits_ |= other.bits_;
  for (const std::uint32_t observer : other.named_)
    if (observer != 0) Name(observer);
}

void ObserverTally::Name(std::uint32_t observer) {
  const auto end = std::find(named_.begin(), named_.end(), 0U);
  const auto at = std::lower_bound(named_.begin(), end, observer);
  if (at == named_.end() || *at == observer) return;
  std::copy_backward(at, end == named_.end() ? std::prev(end) : end,
                     end == named_.end() ? end : std::next(end));
  *at = observer;
}

std::vector<IdentityKey> ObserverTally::Named() const {
  std::vector<IdentityKey> named;
  for (const std::uint32_t observer : named_)
    if (observer != 0) named.push_back(IdentityKey{observer});
  return named;
}

std::size_t ObserverTally::Count() const {
  const int free = 64 - std::popcount(bits_);
  if (free == 64) return 0;
  const double share = std::max(free, 1) / 64.0;
  return static_cast<std::size_t>(std::lround(-64.0 * std::log(share)));
}

double PairTally::Total() const {
  return static_cast<double>(forwarded[0]) + static_cast<double>(forwarded[1]) +
         static_cast<double>(reported[0]) + static_cast<double>(reported[1]);
}

std::optional<double> PairTally::MeanSnrDb() const {
  if (snr_weight <= 0) return std::nullopt;
  return static_cast<double>(snr_sum_db) / static_cast<double>(snr_weight);
}

void RelayEvidence::Add(const Flood& flood, const ResolvedSteps& steps) {
  const auto c = static_cast<std::size_t>(flood.flood_class());
  ++floods_[c];
  if (flood.origin) CountSender(*flood.origin, [c](SenderTally& sender) { sender.originated[c] += 1; });
  AddSteps(flood, steps);
  AddHearings(flood, steps);
  if (links_.size() > max_pairs_) EvictWeakest(flood.last_heard);
}

void RelayEvidence::AddSteps(const Flood& flood, const ResolvedSteps& steps) {
  const auto c = static_cast<std::size_t>(flood.flood_class());
  const std::vector<ObserverTally> witnesses = WitnessesOf(flood);
  const auto origin = flood.origin ? std::optional(HopCandidate{*flood.origin, 1.0F}) : std::nullopt;
  for (std::size_t i = 0; i < flood.steps.size(); ++i) {
    for (const HopCandidate& to : steps.Step(i)) {
      if (to.probability < kLeastWeight) continue;
      CountSender(to.node,
                  [&](SenderTally& sender) { CountRelaying(sender, c, to.probability, flood.first_heard); });
      total_relayed_ += static_cast<double>(to.probability);
      for (const HopCandidate& from : SendersOf(steps, flood.steps[i].parent, origin)) {
        const float weight = from.probability * to.probability;
        if (weight < kLeastWeight || from.node == to.node) continue;
        const auto [pair, heard] = DirectionOf(from.node, to.node);
        pair.forwarded[c] += weight;
        pair.observers.Add(witnesses[i]);
        Touch(pair, flood, weight);
        heard = pair.Total();
      }
    }
  }
}

void RelayEvidence::AddHearings(const Flood& flood, const ResolvedSteps& steps) {
  const auto c = static_cast<std::size_t>(flood.flood_class());
  const auto origin = flood.origin ? std::optional(HopCandidate{*flood.origin, 1.0F}) : std::nullopt;
  std::vector<IdentityKey> reporters;
  for (const FloodHearing& hearing : flood.hearings) {
    reporters.push_back(hearing.observer);
    if (hearing.own) continue;
    for (const HopCandidate& from : SendersOf(steps, hearing.step, origin)) {
      if (from.probability < kLeastWeight || from.node == hearing.observer) continue;
      const auto [pair, heard] = DirectionOf(from.node, hearing.observer);
      pair.reported[c] += from.probability;
      pair.observers.Add(hearing.observer);
      Touch(pair, flood, from.probability);
      heard = pair.Total();
      if (!hearing.snr_db) continue;
      pair.snr_sum_db += from.probability * *hearing.snr_db;
      pair.snr_weight += from.probability;
    }
  }
  std::sort(reporters.begin(), reporters.end());
  reporters.erase(std::unique(reporters.begin(), reporters.end()), reporters.end());
  for (const IdentityKey reporter : reporters) senders_[SenderOf(reporter)].second.reported[c] += 1;
}

RelayEvidence::Direction RelayEvidence::DirectionOf(IdentityKey from, IdentityKey to) {
  const auto a = static_cast<std::uint64_t>(from), b = static_cast<std::uint64_t>(to);
  const std::uint64_t key = LinkKey(std::min(a, b), std::max(a, b));
  std::uint32_t place = places_.Find(key);
  if (place == KeyIndex::kNone) {
    place = static_cast<std::uint32_t>(links_.size());
    links_.push_back({key, {}, {}});
    heard_.emplace_back();
    places_.Insert(key, place);
  }
  if (a < b) return {links_[place].up, heard_[place].forth};
  return {links_[place].down, heard_[place].back};
}

std::pair<const PairTally*, const PairTally*> RelayEvidence::Between(IdentityKey a, IdentityKey b) const {
  const auto first = static_cast<std::uint64_t>(a), second = static_cast<std::uint64_t>(b);
  const std::uint32_t place = places_.Find(LinkKey(std::min(first, second), std::max(first, second)));
  if (place == KeyIndex::kNone) return {nullptr, nullptr};
  const Link& link = links_[place];
  const PairTally* up = link.up.Total() > 0 ? &link.up : nullptr;
  const PairTally* down = link.down.Total() > 0 ? &link.down : nullptr;
  return first < second ? std::pair(up, down) : std::pair(down, up);
}

const PairTally* RelayEvidence::Pair(IdentityKey from, IdentityKey to) const {
  return Between(from, to).first;
}

const SenderTally* RelayEvidence::Sender(IdentityKey node) const {
  const std::uint32_t place = sender_places_.Find(static_cast<std::uint64_t>(node));
  return place == KeyIndex::kNone ? nullptr : &senders_[place].second;
}

std::uint32_t RelayEvidence::SenderOf(IdentityKey node) {
  std::uint32_t place = sender_places_.Find(static_cast<std::uint64_t>(node));
  if (place == KeyIndex::kNone) {
    place = static_cast<std::uint32_t>(senders_.size());
    senders_.emplace_back(node, SenderTally{});
    sent_.push_back(0);
    sender_places_.Insert(static_cast<std::uint64_t>(node), place);
  }
  return place;
}

template <typename Count>
void RelayEvidence::CountSender(IdentityKey node, Count&& count) {
  const std::uint32_t place = SenderOf(node);
  SenderTally& sender = senders_[place].second;
  count(sender);
  sent_[place] = sender.Sent(FloodClass::kOneByte) + sender.Sent(FloodClass::kMultibyte);
}

void RelayEvidence::EvictWeakest(UtcMillis now) {
  using Days = std::chrono::duration<double, std::ratio<86'400>>;
  const auto strength = [now](const PairTally& pair) {
    const double half_lives = Days(now - pair.last_heard) / Days(kHalfLife);
    return pair.Total() * std::exp2(-std::max(0.0, half_lives));
  };
  // An eighth at a time, so that the cost of one eviction is spread over many pairs.
  const std::size_t excess = links_.size() - max_pairs_ + max_pairs_ / 8;
  std::nth_element(links_.begin(), links_.begin() + static_cast<std::ptrdiff_t>(excess), links_.end(),
                   [&](const Link& a, const Link& b) {
                     return std::pair(strength(a.up) + strength(a.down), a.key) <
                            std::pair(strength(b.up) + strength(b.down), b.key);
                   });
  links_.erase(links_.begin(), links_.begin() + static_cast<std::ptrdiff_t>(excess));
  places_.Clear();
  heard_.clear();
  for (std::size_t i = 0; i < links_.size(); ++i) {
    heard_.push_back({links_[i].up.Total(), links_[i].down.Total()});
    places_.Insert(links_[i].key, static_cast<std::uint32_t>(i));
  }
  evicted_pairs_ += excess;
}

}  // namespace heliograph::server
