#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/meshsim/world.h"

namespace heliograph::meshsim {

/// Which program publishes for an observer. They write the same facts in different ways.
enum class Dialect : std::uint8_t {
  kMeshcoreToMqtt,  ///< numbers as strings, score and duration, no hash now and then, own transmissions too
  kPacketCapture,   ///< "Unknown" for missing values, paths with commas
  kFirmwareBridge,  ///< local time without a zone, own adverts too
  kPyMc,            ///< "0" for transport routes, own transmissions with SNR "0"
  kLimitedFeed,     ///< no signal values at all
  kNumbers,         ///< numbers as numbers, lower-case names
};
inline constexpr std::size_t kDialects = 6;

/// A node whose owner publishes what it hears.
struct Observer {
  NodeIndex node = 0;
  Dialect dialect = Dialect::kMeshcoreToMqtt;
  std::int64_t clock_offset_ms = 0;  ///< of the program that publishes
  int zone_hours = 0;                ///< what kFirmwareBridge takes for the local time
  bool two_brokers = false;          ///< some of its messages arrive twice
  const char* model = "";
};

struct ObserverSet {
  std::vector<Observer> observers;
  std::vector<std::int64_t> by_node;  ///< the observer that a node is, or -1
};

/// Regions in turn; in each, three nodes that relay for every two that only listen. The first N of a larger
/// set are the set of N. At most as many as there are nodes at the start.
ObserverSet ChooseObservers(const World& world, std::size_t count, Random random);

/// By node: is it an observer?
std::vector<std::uint8_t> ListenersOf(const ObserverSet& set);

/// True when the observer's program publishes this frame that its own node sent.
bool PublishesOwn(const Observer& observer, bool own_advert);

}  // namespace heliograph::meshsim
