#include "tests/meshsim/life.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace heliograph::meshsim {
namespace {

constexpr double kFailuresPerDay = 1 / 20.0;
constexpr double kMeanDaysOfFailure = 4 / 24.0;
constexpr double kLeastDaysAway = 2, kMeanMoreDaysAway = 8;
constexpr double kLeastBridgeDays = 2 / 24.0, kMostBridgeDays = 4;  // even on a logarithmic scale
constexpr double kStaysInRegion = 0.8;                              // of those that move
constexpr double kGoesBackToOneByte = 0.4;                          // of those that change from larger hashes
constexpr double kLongestDays = 3650;
constexpr float kCarries = 0.5F;  // of the packets, for a link to count as a connection

std::chrono::milliseconds Days(double days) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(days * 86'400'000));
}

LifeEventKind EventOf(ResettlementKind kind) {
  switch (kind) {
    case ResettlementKind::kFounded:
      return LifeEventKind::kTownFounded;
    case ResettlementKind::kAbandoned:
      return LifeEventKind::kTownAbandoned;
    case ResettlementKind::kSplits:
      return LifeEventKind::kTownSplits;
    case ResettlementKind::kMerges:
      break;
  }
  return LifeEventKind::kTownMerges;
}

bool CanMove(const Node& node) {
  return node.role == NodeType::kCompanion || (node.role == NodeType::kRepeater && node.site == Site::kRoof);
}

}  // namespace

NodeStates StatesAtStart(const std::vector<Node>& nodes, UtcMillis start) {
  NodeStates states;
  for (const Node& node : nodes) {
    const bool there = !node.appears || *node.appears <= start;
    const UtcMillis from = std::max(start, node.appears.value_or(start));
    const bool multibyte = node.multibyte_since && *node.multibyte_since <= from;
    states.push_back(
        {there, there, multibyte ? Firmware::kMultibyte : Firmware::kLegacy, node.path_hash_mode});
  }
  return states;
}

Life::Life(World& world, const LifeRates& rates, std::vector<std::uint8_t> settled, UtcMillis start,
           Random random)
    : world_(world),
      rates_(rates),
      settled_(std::move(settled)),
      random_(random),
      inhabited_(InhabitedTowns(world.terrain)),
      states_(StatesAtStart(world.nodes, start)),
      interruptions_(world.nodes.size(), 0) {
  for (NodeIndex i = 0; i < world.nodes.size(); ++i) {
    const Node& node = world.nodes[i];
    const bool with_community = node.site == Site::kRidge;
    if (!states_[i].alive && !with_community) turns_.push({*node.appears, i, LifeEventKind::kAppears});
    if (node.multibyte_since && states_[i].firmware == Firmware::kLegacy) {
      turns_.push({*node.multibyte_since, i, LifeEventKind::kUpgrades});
    }
    ScheduleAll(i, std::max(start, node.appears.value_or(start)));
  }
  for (NodeIndex i = 0; i < world.resettlements.size(); ++i) {
    const Resettlement& plan = world.resettlements[i];
    turns_.push({plan.at, i, EventOf(plan.kind)});
    // Nobody lives in what is yet to be founded.
    if (plan.kind == ResettlementKind::kFounded || plan.kind == ResettlementKind::kSplits) Leave(plan.to);
  }
  for (NodeIndex i = 0; i < world.community_changes.size(); ++i) {
    const CommunityChange& change = world.community_changes[i];
    turns_.push(
        {change.at, i, change.joins ? LifeEventKind::kCommunitiesJoin : LifeEventKind::kCommunitiesPart});
  }
}

void Life::ScheduleAll(NodeIndex node, UtcMillis from) {
  if (world_.nodes[node].site == Site::kRidge) {
    Schedule(node, LifeEventKind::kBridgeFails, rates_.bridge_failures, from);
    return;
  }
  Schedule(node, LifeEventKind::kFails, kFailuresPerDay, from);
  Schedule(node, LifeEventKind::kDies, rates_.deaths, from);
  Schedule(node, LifeEventKind::kGoesAway, rates_.absences, from);
  if (CanMove(world_.nodes[node])) Schedule(node, LifeEventKind::kMoves, rates_.moves, from);
  Schedule(node, LifeEventKind::kChangesMode, rates_.mode_changes, from);
}

void Life::Schedule(NodeIndex node, LifeEventKind kind, double per_day, UtcMillis from) {
  if (per_day > 0) ScheduleIn(node, kind, random_.Exponential(1 / per_day), from);
}

void Life::ScheduleIn(NodeIndex node, LifeEventKind kind, double days, UtcMillis from) {
  if (days < kLongestDays) turns_.push({from + Days(days), node, kind});
}

void Life::AdvanceTo(UtcMillis now) {
  while (!turns_.empty() && turns_.top().at <= now) {
    const Turn turn = turns_.top();
    turns_.pop();
    Apply(turn);
  }
}

void Life::Apply(const Turn& turn) {
  const NodeIndex node = turn.node;
  switch (turn.kind) {
    case LifeEventKind::kCommunitiesJoin:
    case LifeEventKind::kCommunitiesPart:
      return ChangeCommunities(turn);
    case LifeEventKind::kTownFounded:
    case LifeEventKind::kTownAbandoned:
    case LifeEventKind::kTownSplits:
    case LifeEventKind::kTownMerges:
      return Resettle(turn);
    case LifeEventKind::kAppears:
      return Appear(turn);
    default:
      break;
  }
  if (!states_[node].alive) return;  // what was to happen to it does not
  switch (turn.kind) {
    case LifeEventKind::kDies:
      return Die(turn);
    case LifeEventKind::kFails:
      Interrupt(node);
      ScheduleIn(node, LifeEventKind::kReturns, random_.Exponential(kMeanDaysOfFailure), turn.at);
      break;
    case LifeEventKind::kReturns:
      Resume(node);
      Schedule(node, LifeEventKind::kFails, kFailuresPerDay, turn.at);
      break;
    case LifeEventKind::kGoesAway:
      Interrupt(node);
      ScheduleIn(node, LifeEventKind::kComesBack, kLeastDaysAway + random_.Exponential(kMeanMoreDaysAway),
                 turn.at);
      break;
    case LifeEventKind::kComesBack:
      Resume(node);
      Schedule(node, LifeEventKind::kGoesAway, rates_.absences, turn.at);
      break;
    case LifeEventKind::kBridgeFails: {
      Interrupt(node);
      const double days = kLeastBridgeDays * std::pow(kMostBridgeDays / kLeastBridgeDays, random_.Unit());
      ScheduleIn(node, LifeEventKind::kBridgeReturns, days, turn.at);
      break;
    }
    case LifeEventKind::kBridgeReturns:
      Resume(node);
      Schedule(node, LifeEventKind::kBridgeFails, rates_.bridge_failures, turn.at);
      break;
    case LifeEventKind::kMoves:
      return Move(turn);
    case LifeEventKind::kUpgrades:
      states_[node].firmware = Firmware::kMultibyte;
      break;
    case LifeEventKind::kChangesMode:
      return ChangeMode(turn);
    case LifeEventKind::kAppears:
    case LifeEventKind::kCommunitiesJoin:
    case LifeEventKind::kCommunitiesPart:
    case LifeEventKind::kTownFounded:
    case LifeEventKind::kTownAbandoned:
    case LifeEventKind::kTownSplits:
    case LifeEventKind::kTownMerges:
      return;  // above
  }
  Record(turn);
}

void Life::Interrupt(NodeIndex node) {
  ++interruptions_[node];
  states_[node].up = false;
}

void Life::Resume(NodeIndex node) {
  --interruptions_[node];
  states_[node].up = interruptions_[node] == 0;
}

void Life::Appear(const Turn& turn) {
  Node& node = world_.nodes[turn.node];
  if (node.site != Site::kRidge && std::ranges::find(inhabited_, node.town) == inhabited_.end()) {
    // Where it was to live, nobody lives any more.
    std::vector<std::size_t> towns;
    for (const std::size_t town : inhabited_) {
      if (world_.terrain.towns[town].region == node.region) towns.push_back(town);
    }
    node.town = random_.Pick(towns.empty() ? inhabited_ : towns);
    node.region = world_.terrain.towns[node.town].region;
    node.position = ChoosePosition(world_.terrain.towns[node.town], node.site, random_);
    world_.Relink(turn.node);
  }
  states_[turn.node].up = states_[turn.node].alive = true;
  LifeEvent& event = Record(turn);
  event.position = world_.nodes[turn.node].position;
  event.town = world_.nodes[turn.node].town;
}

void Life::Die(const Turn& turn) {
  states_[turn.node].up = states_[turn.node].alive = false;
  Record(turn);
}

void Life::Move(const Turn& turn) {
  Node& node = world_.nodes[turn.node];
  std::vector<std::size_t> towns;
  const bool stays = settled_[turn.node] != 0 || random_.Chance(kStaysInRegion);
  for (const std::size_t town : inhabited_) {
    if (!stays || world_.terrain.towns[town].region == node.region) towns.push_back(town);
  }
  MoveTo(turn.node, random_.Pick(towns), turn.at);
  Schedule(turn.node, LifeEventKind::kMoves, rates_.moves, turn.at);
}

void Life::MoveTo(NodeIndex index, std::size_t town, UtcMillis at) {
  Node& node = world_.nodes[index];
  LifeEvent& event = Record({at, index, LifeEventKind::kMoves});
  event.old_position = node.position;
  event.old_town = node.town;
  node.town = town;
  node.region = world_.terrain.towns[town].region;
  node.position = ChoosePosition(world_.terrain.towns[town], node.site, random_);
  ++node.moves;
  world_.Relink(index);
  event.position = node.position;
  event.town = node.town;
}

std::vector<NodeIndex> Life::ResidentsOf(std::size_t town) const {
  std::vector<NodeIndex> residents;
  for (NodeIndex i = 0; i < states_.size(); ++i) {
    if (states_[i].alive && world_.nodes[i].town == town) residents.push_back(i);
  }
  return residents;
}

void Life::Resettle(const Turn& turn) {
  const Resettlement& plan = world_.resettlements[turn.node];
  std::size_t from = plan.from, to = plan.to;
  std::vector<NodeIndex> nodes = ResidentsOf(from);
  switch (plan.kind) {
    case ResettlementKind::kFounded:
      nodes = plan.newcomers;
      break;
    case ResettlementKind::kAbandoned:
      break;
    case ResettlementKind::kSplits: {
      // Of each kind of site its share, so that both parts have someone on a hill.
      random_.Shuffle(nodes);
      std::ranges::stable_sort(nodes, {}, [this](NodeIndex node) { return world_.nodes[node].site; });
      std::vector<NodeIndex> leaving;
      double owed = random_.Unit();
      for (const NodeIndex node : nodes) {
        owed += plan.share;
        if (owed < 1) continue;
        owed -= 1;
        leaving.push_back(node);
      }
      nodes = std::move(leaving);
      break;
    }
    case ResettlementKind::kMerges:
      // The smaller one moves.
      if (std::vector<NodeIndex> others = ResidentsOf(to); others.size() < nodes.size()) {
        std::swap(from, to);
        nodes = std::move(others);
      }
      break;
  }
  LifeEvent& event = Record(turn);
  event.nodes = nodes;
  event.old_town = from;
  event.town = to;
  for (const NodeIndex node : nodes) {
    if (plan.kind == ResettlementKind::kAbandoned) {
      Die({turn.at, node, LifeEventKind::kDies});
    } else if (plan.kind != ResettlementKind::kFounded) {
      MoveTo(node, to, turn.at);
    }
  }
  if (plan.kind == ResettlementKind::kAbandoned || plan.kind == ResettlementKind::kMerges) Leave(from);
  if (plan.kind == ResettlementKind::kFounded || plan.kind == ResettlementKind::kSplits)
    inhabited_.push_back(to);
}

void Life::ChangeMode(const Turn& turn) {
  Schedule(turn.node, LifeEventKind::kChangesMode, rates_.mode_changes, turn.at);
  NodeState& state = states_[turn.node];
  if (state.firmware == Firmware::kLegacy) return;  // it has no such setting
  if (state.path_hash_mode == 0) {
    state.path_hash_mode = random_.Chance(0.75) ? 1 : 2;
  } else if (random_.Chance(kGoesBackToOneByte)) {
    state.path_hash_mode = 0;
  } else {
    state.path_hash_mode = static_cast<std::uint8_t>(3 - state.path_hash_mode);
  }
  Record(turn).path_hash_mode = state.path_hash_mode;
}

void Life::ChangeCommunities(const Turn& turn) {
  const CommunityChange& change = world_.community_changes[turn.node];
  const std::size_t index = events_.size();
  LifeEvent& event = Record(turn);
  event.nodes = change.repeaters;
  event.region = change.region;
  event.far_region = change.far_region;
  event.connected_before = AreConnected(change.region, change.far_region);
  for (const NodeIndex repeater : change.repeaters) {
    if (change.joins) {
      Appear({turn.at, repeater, LifeEventKind::kAppears});
    } else if (states_[repeater].alive) {
      Die({turn.at, repeater, LifeEventKind::kDies});
    }
  }
  events_[index].connected_after = AreConnected(change.region, change.far_region);
}

LifeEvent& Life::Record(const Turn& turn) {
  LifeEvent& event = events_.emplace_back();
  event.at = turn.at;
  event.kind = turn.kind;
  event.nodes = {turn.node};
  return event;
}

bool Life::AreConnected(std::size_t region, std::size_t other) const {
  std::vector<std::uint8_t> reached(states_.size(), 0);
  std::vector<NodeIndex> queue;
  const auto visit = [&](NodeIndex node) {
    if (reached[node] != 0 || !states_[node].up || !world_.nodes[node].relays) return;
    reached[node] = 1;
    queue.push_back(node);
  };
  for (NodeIndex i = 0; i < states_.size(); ++i) {
    if (world_.nodes[i].region == region && world_.nodes[i].site != Site::kRidge) visit(i);
  }
  for (std::size_t next = 0; next < queue.size(); ++next) {
    if (world_.nodes[queue[next]].region == other && world_.nodes[queue[next]].site != Site::kRidge)
      return true;
    for (const Link& link : world_.links.From(queue[next])) {
      if (link.probability > kCarries) visit(link.to);
    }
  }
  return false;
}

double Life::Activity(UtcMillis now) {
  static constexpr std::array kByHour = {0.5, 0.4, 0.3, 0.3, 0.3, 0.4, 0.6, 0.9, 1.1, 1.2, 1.2, 1.2,
                                         1.3, 1.2, 1.2, 1.2, 1.3, 1.4, 1.6, 1.7, 1.6, 1.4, 1.0, 0.7};
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(now.time_since_epoch()).count();
  return kByHour[static_cast<std::size_t>((hours - 8) % 24)];  // the coast is 8 hours behind UTC
}

}  // namespace heliograph::meshsim
