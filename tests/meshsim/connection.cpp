#include "tests/meshsim/connection.h"

#include <cmath>

namespace heliograph::meshsim {
namespace {

constexpr double kShortestMinutes = 2, kLongestMinutes = 6 * 60;  // even on a logarithmic scale
constexpr std::chrono::minutes kMemory(2);  // packets overtake each other by less than that

}  // namespace

Connections::Connections(std::size_t observer_count, double outages_per_day, UtcMillis start, Random random)
    : per_day_(outages_per_day), random_(random), recorded_(observer_count, 0) {
  for (std::uint32_t i = 0; i < observer_count; ++i) present_.push_back(Next(i, start));
}

Outage Connections::Next(std::uint32_t observer, UtcMillis after) {
  if (per_day_ <= 0) return {observer, UtcMillis::max(), UtcMillis::max()};
  const double wait_ms = random_.Exponential(86'400'000 / per_day_);
  const double minutes = kShortestMinutes * std::pow(kLongestMinutes / kShortestMinutes, random_.Unit());
  const UtcMillis begin = after + std::chrono::milliseconds(static_cast<std::int64_t>(wait_ms));
  return {observer, begin, begin + std::chrono::milliseconds(static_cast<std::int64_t>(minutes * 60'000))};
}

bool Connections::IsUp(std::uint32_t observer, UtcMillis at) {
  Outage& outage = present_[observer];
  while (at > outage.begin && at - kMemory > outage.end) {
    if (recorded_[observer] == 0) outages_.push_back(outage);
    recorded_[observer] = 0;
    outage = Next(observer, outage.end);
  }
  const bool up = at < outage.begin || at >= outage.end;
  if (!up && recorded_[observer] == 0) {
    outages_.push_back(outage);
    recorded_[observer] = 1;
  }
  return up;
}

}  // namespace heliograph::meshsim
