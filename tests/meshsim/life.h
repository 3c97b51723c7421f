#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "common/time.h"
#include "tests/meshsim/life_event.h"
#include "tests/meshsim/node_state.h"
#include "tests/meshsim/random.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// How often the life of a node takes a turn, as the share of the nodes that it happens to in a day.
struct LifeRates {
  double deaths = 0;
  double absences = 0;
  double moves = 0;            ///< of companions, and of repeaters that are on no summit
  double mode_changes = 0;     ///< of nodes with multi-byte firmware
  double bridge_failures = 0;  ///< of the repeaters on ridges, which nothing else befalls but what is planned
};

/// The nodes as they are when the mesh begins to live.
NodeStates StatesAtStart(const std::vector<Node>& nodes, UtcMillis start);

/// What changes while the mesh lives: nodes appear, fail and come back, move and die, firmware and settings
/// are changed, communities join and part.
class Life {
 public:
  /// Keeps a reference to `world`, which must outlive it, and moves its nodes. Nodes with `settled` set never
  /// leave their region.
  Life(World& world, const LifeRates& rates, std::vector<std::uint8_t> settled, UtcMillis start,
       Random random);

  /// Brings everything up to `now`. REQUIRED: calls go forward in time.
  void AdvanceTo(UtcMillis now);

  const NodeStates& states() const { return states_; }
  /// What happened so far, in order.
  const std::vector<LifeEvent>& events() const { return events_; }

  /// How busy people are at this hour, around 1.
  static double Activity(UtcMillis now);

 private:
  struct Turn {
    UtcMillis at;
    NodeIndex node;  ///< or the community change
    LifeEventKind kind;
    bool operator>(const Turn& other) const {
      return at != other.at ? at > other.at : node != other.node ? node > other.node : kind > other.kind;
    }
  };
  void ScheduleAll(NodeIndex node, UtcMillis from);
  /// When the next such thing happens to the node, if ever.
  void Schedule(NodeIndex node, LifeEventKind kind, double per_day, UtcMillis from);
  void ScheduleIn(NodeIndex node, LifeEventKind kind, double days, UtcMillis from);
  void Apply(const Turn& turn);
  /// One reason more, or one less, to be off the air.
  void Interrupt(NodeIndex node);
  void Resume(NodeIndex node);
  void Appear(const Turn& turn);
  void Die(const Turn& turn);
  void Move(const Turn& turn);
  void ChangeMode(const Turn& turn);
  void ChangeCommunities(const Turn& turn);
  void Resettle(const Turn& turn);
  /// Those who are alive and live in the town.
  std::vector<NodeIndex> ResidentsOf(std::size_t town) const;
  void MoveTo(NodeIndex node, std::size_t town, UtcMillis at);
  void Leave(std::size_t town) { std::erase(inhabited_, town); }
  LifeEvent& Record(const Turn& turn);
  bool AreConnected(std::size_t region, std::size_t other) const;

  World& world_;
  LifeRates rates_;
  std::vector<std::uint8_t> settled_;
  Random random_;
  std::vector<std::size_t> inhabited_;
  NodeStates states_;
  std::vector<std::uint8_t> interruptions_;  ///< by node: reasons to be off the air
  std::vector<LifeEvent> events_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace heliograph::meshsim
