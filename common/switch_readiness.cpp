#include "common/switch_readiness.h"

#include <algorithm>
#include <cmath>

namespace heliograph {
namespace {

constexpr double kSteps = 100;
constexpr double kGainSteps = 1000;  // one relay of a large mesh wins back little
// Differences below this are the noise of a forecast that is made again from slightly more packets.
constexpr double kHysteresis = 0.03;
// Blockers below this gain may change places without notice.
constexpr double kGainOfWeight = 0.01;
// Shares come in steps of 0.01, which no double holds exactly.
constexpr double kTolerance = 1e-9;

double Round(double share, double steps = kSteps) {
  return std::round(share * steps) / steps;
}

void Round(std::optional<ShareEstimate>& estimate) {
  if (estimate) estimate = ShareEstimate{Round(estimate->share), Round(estimate->low), Round(estimate->high)};
}

void Round(SwitchForecast& forecast) {
  Round(forecast.observer_share);
  Round(forecast.node_share);
  for (SwitchBlocker& blocker : forecast.blockers) blocker.gain = Round(blocker.gain, kGainSteps);
}

bool Differs(double a, double b) {
  return std::abs(a - b) > kHysteresis - kTolerance;
}

bool Differs(const std::optional<ShareEstimate>& a, const std::optional<ShareEstimate>& b) {
  if (a.has_value() != b.has_value()) return true;
  return a && (Differs(a->share, b->share) || Differs(a->low, b->low) || Differs(a->high, b->high));
}

/// True when `list` has a blocker of weight that `other` has not, or with quite another gain.
bool HasNews(const std::vector<SwitchBlocker>& list, const std::vector<SwitchBlocker>& other) {
  return std::any_of(list.begin(), list.end(), [&](const SwitchBlocker& blocker) {
    if (blocker.gain < kGainOfWeight - kTolerance) return false;
    const auto same = std::find_if(other.begin(), other.end(), [&](const SwitchBlocker& candidate) {
      return candidate.public_key == blocker.public_key;
    });
    return same == other.end() || Differs(same->gain, blocker.gain);
  });
}

bool Differs(const SwitchForecast& a, const SwitchForecast& b) {
  return Differs(a.observer_share, b.observer_share) || Differs(a.node_share, b.node_share) ||
         HasNews(a.blockers, b.blockers) || HasNews(b.blockers, a.blockers);
}

bool Differs(const RelayedTraffic& a, const RelayedTraffic& b) {
  return Differs(a.confirmed, b.confirmed) || Differs(a.suspected, b.suspected) ||
         Differs(a.likely_legacy, b.likely_legacy) || Differs(a.unknown, b.unknown);
}

}  // namespace

const ReadinessScope* SwitchReadiness::Find(const std::string& region) const {
  const auto found = std::find_if(scopes.begin(), scopes.end(),
                                  [&](const ReadinessScope& scope) { return scope.region == region; });
  return found == scopes.end() ? nullptr : &*found;
}

SwitchReadiness Rounded(SwitchReadiness readiness) {
  for (ReadinessScope& scope : readiness.scopes) {
    for (double* share : {&scope.traffic.confirmed, &scope.traffic.suspected, &scope.traffic.likely_legacy,
                          &scope.traffic.unknown, &scope.knowledge.traffic_with_evidence})
      *share = Round(*share);
    Round(scope.two_bytes);
    Round(scope.three_bytes);
  }
  return readiness;
}

bool DiffersForStorage(const ReadinessScope& stored, const ReadinessScope& now) {
  return stored.region != now.region || Differs(stored.traffic, now.traffic) ||
         Differs(stored.knowledge.traffic_with_evidence, now.knowledge.traffic_with_evidence) ||
         Differs(stored.two_bytes, now.two_bytes) || Differs(stored.three_bytes, now.three_bytes);
}

bool DiffersForStorage(const SwitchReadiness& stored, const SwitchReadiness& now) {
  return !std::equal(
      stored.scopes.begin(), stored.scopes.end(), now.scopes.begin(), now.scopes.end(),
      [](const ReadinessScope& a, const ReadinessScope& b) { return !DiffersForStorage(a, b); });
}

}  // namespace heliograph
