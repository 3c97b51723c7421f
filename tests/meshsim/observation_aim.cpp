#include "tests/meshsim/observation_aim.h"

#include <algorithm>

namespace heliograph::meshsim {

ObservationAim::ObservationAim(double aim, double natural) : aim_(aim), base_(std::min(1.0, aim / natural)) {}

void ObservationAim::Thin(std::vector<Hearing>& hearings, Random& random) const {
  const double scale = base_ * std::clamp(1 - error_ / (50 * aim_), 0.3, 3.0);
  const double wanted = static_cast<double>(hearings.size()) * scale;
  const auto whole = static_cast<std::size_t>(wanted);
  const std::size_t rounded = whole + (random.Chance(wanted - static_cast<double>(whole)) ? 1 : 0);
  const std::size_t keep = std::max<std::size_t>(1, rounded);
  if (keep >= hearings.size()) return;
  for (std::size_t i = 0; i < keep; ++i) {
    const auto left = static_cast<std::uint32_t>(hearings.size() - i);
    std::swap(hearings[i], hearings[i + random.Below(left)]);
  }
  hearings.resize(keep);
}

void ObservationAim::NoteObservations(std::size_t count) {
  if (count == 0) return;
  error_ += static_cast<double>(count) - aim_;
  base_ = std::clamp(base_ * (1 - std::clamp(error_ / (5000 * aim_), -0.01, 0.01)), 0.001, 1.5);
}

}  // namespace heliograph::meshsim
