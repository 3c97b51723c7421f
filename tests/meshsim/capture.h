#pragma once

#include <memory>

#include <nlohmann/json.hpp>

#include "tests/meshsim/options.h"
#include "tests/meshsim/pace.h"
#include "tests/meshsim/simulation.h"

namespace heliograph::meshsim {

/// One run of the simulator, as its options say.
class Capture {
 public:
  explicit Capture(const Options& options);

  /// Generates the lines. May be called once.
  void Run(Pace& pace, const LineSink& sink) { simulation_->Run(pace, sink); }
  /// The truth as of the lines so far. Throws std::runtime_error when a node to upgrade is not in the mesh.
  nlohmann::ordered_json Truth() const;

  const World& world() const { return world_; }
  const ObserverSet& observers() const { return observers_; }
  const Tally& tally() const { return simulation_->tally(); }
  const std::vector<Channel>& channels() const { return simulation_->channels(); }
  /// The mean observations of a transmission without losses; 0 when there was no aim to compare it with.
  double natural_observations() const { return natural_; }

 private:
  void ChooseObserversForAim();
  nlohmann::ordered_json SwitchTruth() const;

  Options options_;
  SimulationOptions simulation_options_;
  Random random_;
  World world_;
  ObserverSet observers_;
  double natural_ = 0;
  std::unique_ptr<Simulation> simulation_;
};

}  // namespace heliograph::meshsim
