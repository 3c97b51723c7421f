#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "common/identity_key.h"
#include "common/path_hash.h"
#include "common/time.h"
#include "server/analytics/hop_key.h"

namespace heliograph::server {

/// Floods by the size of the hashes in their path: what firmware before 1.14 forwards, and what it drops.
enum class FloodClass : std::uint8_t { kOneByte = 0, kMultibyte = 1 };
inline constexpr std::array kFloodClasses = {FloodClass::kOneByte, FloodClass::kMultibyte};

inline FloodClass FloodClassOf(std::size_t hash_size) {
  return hash_size == 1 ? FloodClass::kOneByte : FloodClass::kMultibyte;
}

/// One time that a relay sent a flood on, as the paths of all observers together show it. A relay sends a
/// flood once, so the hops up to and with its own name the sending.
struct FloodStep {
  static constexpr std::int16_t kOrigin = -1;
  std::int16_t parent = kOrigin;  ///< the step whose sending it heard; kOrigin: the originator's
  HopKey hop{};                   ///< how the sender wrote itself
};

/// An observer reported a sending that it heard, or made.
struct FloodHearing {
  std::int16_t step = FloodStep::kOrigin;  ///< the last hop of the path; kOrigin: the originator
  IdentityKey observer{};
  bool own = false;             ///< the observer says that it made the sending itself
  std::optional<float> snr_db;  ///< when the observer told it
};

/// What all observers together showed of one flood: a tree of sendings. Parents come before their children.
struct Flood {
  std::int64_t transmission = 0;
  std::uint8_t hash_size = 1;
  std::optional<IdentityKey> origin;  ///< who signed it: adverts only
  UtcMillis first_heard{}, last_heard{};
  std::vector<FloodStep> steps;
  std::vector<FloodHearing> hearings;

  FloodClass flood_class() const { return FloodClassOf(hash_size); }
};

/// A known node or observer that a hop can be.
struct HopCandidate {
  IdentityKey node{};
  float probability = 0;

  bool operator==(const HopCandidate&) const = default;
};

/// The candidates for each step of a flood, the most probable first. The probabilities of one step add up to
/// at most 1; the rest is that a node nobody has heard sent it.
class ResolvedSteps {
 public:
  std::size_t step_count() const { return ends_.size(); }
  std::span<const HopCandidate> Step(std::size_t step) const {
    const std::size_t begin = step == 0 ? 0 : ends_[step - 1];
    return {candidates_.data() + begin, ends_[step] - begin};
  }

  void Add(HopCandidate candidate) { candidates_.push_back(candidate); }
  /// Ends the present step. Its candidates are those added since the last one ended.
  void EndStep() { ends_.push_back(static_cast<std::uint32_t>(candidates_.size())); }
  void Clear() {
    candidates_.clear();
    ends_.clear();
  }

 private:
  std::vector<HopCandidate> candidates_;
  std::vector<std::uint32_t> ends_;
};

}  // namespace heliograph::server
