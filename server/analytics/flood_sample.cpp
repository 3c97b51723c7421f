#include "server/analytics/flood_sample.h"

#include <algorithm>

namespace heliograph::server {
namespace {

/// A bijection that spreads neighbouring numbers. Source: SplitMix64, Steele, Lea, Flood 2014.
std::uint64_t Scatter(std::int64_t transmission) {
  std::uint64_t x = static_cast<std::uint64_t>(transmission) + 0x9E3779B97F4A7C15U;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
  x = (x ^ x >> 27) * 0x94D049BB133111EBU;
  return x ^ x >> 31;
}

}  // namespace

void FloodSample::Add(const Flood& flood) {
  Part& part = parts_[static_cast<std::size_t>(flood.flood_class())];
  ++part.seen;
  if (!Takes(flood)) return;
  part.floods.push_back(flood);
  part.floods.back().steps.shrink_to_fit();
  part.floods.back().hearings.shrink_to_fit();
  part.steps += flood.steps.size();
  while (part.floods.size() > limits_.floods || (part.steps > limits_.steps && part.floods.size() > 1)) {
    part.limit /= 2;
    std::erase_if(part.floods, [&](const Flood& kept) { return Scatter(kept.transmission) > part.limit; });
    part.steps = 0;
    for (const Flood& kept : part.floods) part.steps += kept.steps.size();
  }
}

bool FloodSample::Takes(const Flood& flood) const {
  return Scatter(flood.transmission) <= Of(flood.flood_class()).limit;
}

double FloodSample::Scale(FloodClass flood_class) const {
  const Part& part = Of(flood_class);
  if (part.floods.empty()) return 1;
  return static_cast<double>(part.seen) / static_cast<double>(part.floods.size());
}

}  // namespace heliograph::server
