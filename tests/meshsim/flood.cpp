#include "tests/meshsim/flood.h"

#include <algorithm>

namespace heliograph::meshsim {
namespace {

/// What a node does in a flood, in bits.
enum Part : std::uint8_t {
  kForwards = 1,  ///< has not seen the packet, and would send it on
  kListens = 2,
  kWaits = 4,  ///< has the packet, and is about to send it
};

/// Source: MeshCore firmware, Dispatcher::getCADFailMaxDuration and Mesh::getCADFailRetryDelay.
constexpr std::int64_t kLongestWaitMillis = 4000;
constexpr std::int64_t kWaitStepMillis = 120;
constexpr std::uint32_t kWaitSteps = 3;
constexpr float kOwnSignalDb = 1000;  // a node that sends hears nothing

/// A number that depends on these alone.
std::uint64_t Mix(std::uint64_t chance, std::uint64_t who) {
  std::uint64_t z = (chance ^ who) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 29)) * 0x94D049BB133111EBu;
  return z ^ (z >> 32);
}

std::uint32_t Below(std::uint64_t mixed, std::uint32_t bound) {
  return static_cast<std::uint32_t>(((mixed >> 32) * bound) >> 32);
}

/// Source: MeshCore firmware, simple_repeater getRetransmitDelay: up to five slots of half the airtime.
std::int64_t RetransmitDelayMillis(std::int64_t airtime_ms, std::uint64_t mixed) {
  return static_cast<std::int64_t>(Below(mixed, 6)) * airtime_ms / 2 + 20 + Below(mixed << 16, 30);
}

}  // namespace

Flood::Flood(const World& world, const NodeStates& states, std::vector<std::uint8_t> listens,
             Attention attention)
    : world_(world),
      states_(states),
      listens_(std::move(listens)),
      attention_(attention),
      parts_(world.nodes.size()),
      signals_(world.nodes.size()) {}

void Flood::Run(NodeIndex origin, const AirFrame& frame, std::optional<std::size_t> region, UtcMillis start,
                Random& random, Propagation& out) {
  out.sendings.clear();
  out.hearings.clear();
  waited_ms_.assign(1, 0);
  chance_ = random.Next();
  AssignParts(frame, region);
  std::ranges::fill(signals_, Signal{});
  parts_[origin] = static_cast<std::uint8_t>(parts_[origin] & ~kForwards);
  out.sendings.push_back({origin, -1, 0, start});
  events_.push({start, Moment::kStart, 0});
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    if (event.moment == Moment::kStart) {
      Start(event, frame, out);
    } else {
      End(event.sending, frame, random, out);
    }
  }
}

void Flood::AssignParts(const AirFrame& frame, std::optional<std::size_t> region) {
  for (NodeIndex i = 0; i < parts_.size(); ++i) {
    const Node& node = world_.nodes[i];
    const bool forwards = node.relays && (!region || node.region == *region);
    const int part = (forwards ? kForwards : 0) | (listens_[i] != 0 ? kListens : 0);
    parts_[i] = states_[i].Takes(frame.hash_size) ? static_cast<std::uint8_t>(part) : std::uint8_t{0};
  }
}

void Flood::Start(const Event& event, const AirFrame& frame, Propagation& out) {
  Sending& sent = out.sendings[event.sending];
  const std::uint64_t mixed = Mix(chance_, static_cast<std::uint64_t>(sent.node) << 32 | 0xFFFFFFFFu);
  std::int64_t& waited = waited_ms_[event.sending];
  if (waited < kLongestWaitMillis && HearsOthers(sent.node, event.at)) {
    const std::int64_t wait =
        kWaitStepMillis * (1 + Below(Mix(mixed, static_cast<std::uint64_t>(waited)), kWaitSteps));
    waited += wait;
    events_.push({event.at + std::chrono::milliseconds(wait), Moment::kStart, event.sending});
    return;
  }
  sent.at = event.at + std::chrono::milliseconds(frame.airtime_ms);
  parts_[sent.node] = static_cast<std::uint8_t>(parts_[sent.node] & ~kWaits);
  Superpose(signals_[sent.node], event.sending, kOwnSignalDb, event.at, sent.at);
  for (const Link& link : world_.links.From(sent.node)) {
    if (parts_[link.to] != 0) Superpose(signals_[link.to], event.sending, link.snr_db, event.at, sent.at);
  }
  events_.push({sent.at, Moment::kEnd, event.sending});
}

void Flood::End(std::uint32_t sending, const AirFrame& frame, Random& random, Propagation& out) {
  const Sending sent = out.sendings[sending];
  const bool has_room = PathHasRoom(frame.hash_size, sent.hops);
  for (const Link& link : world_.links.From(sent.node)) {
    std::uint8_t& part = parts_[link.to];
    const bool forwards = (part & kForwards) != 0 && has_room, listens = (part & kListens) != 0;
    if (!forwards && !listens) continue;
    const Signal& signal = signals_[link.to];
    if (signal.sending != sending || signal.spoiled) continue;
    const std::uint64_t mixed = Mix(chance_, static_cast<std::uint64_t>(sent.node) << 32 | link.to);
    if (!Arrives(link, static_cast<std::uint32_t>(mixed))) continue;
    if (listens) {
      const auto snr = static_cast<float>(ReceivedSnr(link, random));
      out.hearings.push_back({sent.at, link.to, sending, snr, false});
      if (attention_ == Attention::kFirstReception) part = static_cast<std::uint8_t>(part & ~kListens);
    }
    if (!forwards) continue;
    part = static_cast<std::uint8_t>((part & ~kForwards) | kWaits);
    const std::uint64_t delay = Mix(chance_, static_cast<std::uint64_t>(link.to) << 32 | 0xFFFFFFFEu);
    const UtcMillis at = sent.at + std::chrono::milliseconds(RetransmitDelayMillis(frame.airtime_ms, delay));
    events_.push({at, Moment::kStart, static_cast<std::uint32_t>(out.sendings.size())});
    out.sendings.push_back({link.to, static_cast<std::int32_t>(sending), sent.hops + 1, at});
    waited_ms_.push_back(0);
  }
}

bool Flood::HearsOthers(NodeIndex node, UtcMillis now) const {
  const Signal& signal = signals_[node];
  return signal.sending != kNobody && signal.until > now &&
         static_cast<double>(signal.snr_db) >= kDemodulationLimitDb;
}

void Flood::Superpose(Signal& signal, std::uint32_t sending, float snr_db, UtcMillis now, UtcMillis until) {
  const bool free = signal.sending == kNobody || signal.until <= now;
  if (free || snr_db >= signal.snr_db + kCaptureDb) {
    signal = {free ? until : std::max(until, signal.until), sending, snr_db, false};
    return;
  }
  signal.until = std::max(signal.until, until);
  if (snr_db > signal.snr_db - kCaptureDb) signal.spoiled = true;
}

}  // namespace heliograph::meshsim
