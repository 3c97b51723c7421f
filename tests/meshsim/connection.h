#pragma once

#include <vector>

#include "common/time.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// A time in which what an observer hears does not reach the broker, and is lost.
struct Outage {
  std::uint32_t observer = 0;
  UtcMillis begin, end;
};

/// The connections of the observers to their brokers, which fail for minutes to hours.
class Connections {
 public:
  /// `outages_per_day` is the mean of each observer.
  Connections(std::size_t observer_count, double outages_per_day, UtcMillis start, Random random);

  /// True when the observer is connected at this time. REQUIRED: the times go forward, but for what the
  /// propagation of one packet takes.
  bool IsUp(std::uint32_t observer, UtcMillis at);
  /// The outages that have begun and lost something or ended, in no order.
  const std::vector<Outage>& outages() const { return outages_; }

 private:
  Outage Next(std::uint32_t observer, UtcMillis after);

  double per_day_;
  Random random_;
  std::vector<Outage> present_;  ///< by observer: the present or next one
  std::vector<std::uint8_t> recorded_;
  std::vector<Outage> outages_;
};

}  // namespace heliograph::meshsim
