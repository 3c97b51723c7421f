#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <vector>

#include "tests/meshsim/capture_writer.h"
#include "tests/meshsim/connection.h"
#include "tests/meshsim/delivery.h"
#include "tests/meshsim/life.h"
#include "tests/meshsim/observation_aim.h"
#include "tests/meshsim/pace.h"
#include "tests/meshsim/tally.h"
#include "tests/meshsim/traffic.h"
#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

struct SimulationOptions {
  UtcMillis start;
  std::optional<UtcMillis> end;  ///< of the simulated time
  std::optional<std::uint64_t> message_limit;
  double packets_per_node_day = 40;           ///< originated; the rate of the mesh
  std::optional<double> messages_per_second;  ///< replaces packets_per_node_day
  std::optional<double> observation_aim;      ///< observations of a transmission, on average
  double advert_share = 0.2;                  ///< of the transmissions
  LifeRates life;
  double observer_outages_per_day = 0;  ///< of each observer
};

/// Takes one line with its newline; false ends the run.
using LineSink = std::function<bool(std::string_view)>;

/// Lets the mesh live and writes down what its observers publish. The same arguments give the same lines.
class Simulation {
 public:
  /// Keeps references to `world`, whose nodes it moves, and `observers`, which must outlive it. `natural` is
  /// what NaturalObservations says; it counts only with an observation_aim.
  Simulation(World& world, const ObserverSet& observers, const SimulationOptions& options, double natural,
             const Random& random);

  /// Runs until the end, the limit, the pace or the sink stops it.
  void Run(Pace& pace, const LineSink& sink);

  const Tally& tally() const { return tally_; }
  const std::vector<Channel>& channels() const { return traffic_.channels(); }
  /// The nodes as they are now.
  const NodeStates& states() const { return life_.states(); }
  /// What happened to the mesh so far, in order.
  const std::vector<LifeEvent>& events() const { return life_.events(); }
  const std::vector<Outage>& outages() const { return connections_.outages(); }

 private:
  struct StatusTurn {
    UtcMillis at;
    std::uint32_t observer;
    bool operator>(const StatusTurn& other) const {
      return at != other.at ? at > other.at : observer > other.observer;
    }
  };
  std::size_t SendNext(UtcMillis now);
  std::chrono::milliseconds Interval(UtcMillis now, std::size_t messages);
  void LoseInOutages(std::vector<Hearing>& hearings);
  std::size_t ScheduleStatuses(UtcMillis before);
  /// False when the run shall end.
  bool Emit(UtcMillis before, Pace& pace, const LineSink& sink);

  SimulationOptions options_;
  Life life_;
  Connections connections_;
  Random random_;
  Traffic traffic_;
  Delivery delivery_;
  CaptureWriter writer_;
  Tally tally_;
  const ObserverSet& observers_;
  std::size_t node_count_;
  std::optional<ObservationAim> aim_;
  std::priority_queue<Message, std::vector<Message>, std::greater<>> pending_;
  std::priority_queue<StatusTurn, std::vector<StatusTurn>, std::greater<>> statuses_;
  std::vector<std::uint8_t> seen_online_;
  std::uint64_t next_status_number_;
  double owed_millis_ = 0;  ///< what rounding took from the intervals
  std::vector<Broadcast> broadcasts_;
  std::vector<Message> delivered_;
};

/// How many observations a transmission that is heard has on average, when none are lost: a trial of a few
/// hundred transmissions. 0 when none is heard.
double NaturalObservations(const World& world, const ObserverSet& observers, const SimulationOptions& options,
                           const Random& random);

}  // namespace heliograph::meshsim
