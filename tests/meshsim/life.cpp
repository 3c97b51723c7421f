#include "tests/meshsim/life.h"

#include <array>

namespace heliograph::meshsim {
namespace {

constexpr double kMeanHoursUp = 20 * 24;
constexpr double kMeanHoursDown = 4;

std::chrono::milliseconds Hours(double hours) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(hours * 3'600'000));
}

}  // namespace

Life::Life(const std::vector<Node>& nodes, UtcMillis start, Random random)
    : random_(random), states_(nodes.size()) {
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    states_[i].path_hash_mode = nodes[i].path_hash_mode;
    events_.push({start + Hours(random_.Exponential(kMeanHoursUp)), i, Change::kFails});
    if (!nodes[i].multibyte_since) continue;
    if (*nodes[i].multibyte_since <= start) {
      states_[i].firmware = Firmware::kMultibyte;
    } else {
      events_.push({*nodes[i].multibyte_since, i, Change::kUpgrades});
    }
  }
}

void Life::AdvanceTo(UtcMillis now) {
  while (!events_.empty() && events_.top().at <= now) {
    const Event event = events_.top();
    events_.pop();
    Apply(event);
  }
}

void Life::Apply(const Event& event) {
  switch (event.change) {
    case Change::kFails:
      states_[event.node].up = false;
      events_.push({event.at + Hours(random_.Exponential(kMeanHoursDown)), event.node, Change::kReturns});
      break;
    case Change::kReturns:
      states_[event.node].up = true;
      events_.push({event.at + Hours(random_.Exponential(kMeanHoursUp)), event.node, Change::kFails});
      break;
    case Change::kUpgrades:
      states_[event.node].firmware = Firmware::kMultibyte;
      break;
  }
}

double Life::Activity(UtcMillis now) {
  static constexpr std::array kByHour = {0.5, 0.4, 0.3, 0.3, 0.3, 0.4, 0.6, 0.9, 1.1, 1.2, 1.2, 1.2,
                                         1.3, 1.2, 1.2, 1.2, 1.3, 1.4, 1.6, 1.7, 1.6, 1.4, 1.0, 0.7};
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(now.time_since_epoch()).count();
  return kByHour[static_cast<std::size_t>((hours - 8) % 24)];  // the coast is 8 hours behind UTC
}

}  // namespace heliograph::meshsim
