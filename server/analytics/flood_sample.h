#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/analytics/flood.h"

namespace heliograph::server {

/// A bounded, uniform sample of the floods of each class: those whose transmission's number, scattered, lies
/// below a limit, which is halved whenever there are too many. So it depends neither on the order of the
/// floods nor on when it was begun. Not thread-safe.
class FloodSample {
 public:
  /// Of each class: a flood of a dense mesh has a hundred steps, one of a sparse mesh five.
  struct Limits {
    std::size_t floods = 16'384;
    std::size_t steps = 300'000;
  };
  FloodSample() : FloodSample(Limits()) {}
  explicit FloodSample(Limits limits) : limits_(limits) {}

  void Add(const Flood& flood);
  /// True when the flood would be in the sample now.
  bool Takes(const Flood& flood) const;

  /// The sampled floods of a class, in no order that means anything.
  const std::vector<Flood>& Floods(FloodClass flood_class) const { return Of(flood_class).floods; }
  /// How many floods of the class each sampled one stands for, at least 1.
  double Scale(FloodClass flood_class) const;

 private:
  struct Part {
    std::vector<Flood> floods;
    std::uint64_t limit = UINT64_MAX;  ///< scattered numbers up to here are in
    std::uint64_t seen = 0;
    std::size_t steps = 0;
  };
  const Part& Of(FloodClass flood_class) const { return parts_[static_cast<std::size_t>(flood_class)]; }

  const Limits limits_;
  std::array<Part, 2> parts_;
};

}  // namespace heliograph::server
