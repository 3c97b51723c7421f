#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace heliograph::meshsim {

/// A reproducible source of random numbers: xoshiro256**, seeded through SplitMix64. The same seed gives the
/// same numbers with every compiler, which the distributions of the standard library do not promise. Not
/// thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// A generator of its own for the purpose `stream`, unaffected by how many numbers this one gives out
  /// later.
  Random Fork(std::uint64_t stream) const;

  /// 64 random bits.
  std::uint64_t Next();
  /// 32 random bits.
  std::uint32_t Bits() { return static_cast<std::uint32_t>(Next() >> 32); }
  /// Uniform in [0, 1).
  double Unit();
  /// Uniform in [low, high).
  double Between(double low, double high);
  /// Uniform in 0 .. bound - 1. REQUIRED: bound > 0.
  std::uint32_t Below(std::uint32_t bound);
  /// True with this probability.
  bool Chance(double probability);
  /// Bell-shaped with mean 0 and deviation 1, within ±3.5: the sum of four uniform numbers, exact arithmetic
  /// only.
  double Normal();
  /// Exponentially distributed with this mean.
  double Exponential(double mean);
  void Fill(std::span<std::uint8_t> bytes);
  /// The index that falls to a draw among `weights`. REQUIRED: not empty, none negative, not all zero.
  std::size_t Weighted(std::span<const double> weights);

  template <typename Container>
  const auto& Pick(const Container& items) {
    return items[Below(static_cast<std::uint32_t>(items.size()))];
  }

  /// Fisher-Yates.
  template <typename Container>
  void Shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[Below(static_cast<std::uint32_t>(i))]);
    }
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

/// A one-to-one mapping of 32 bits onto themselves that looks random: consecutive counters give tags that
/// never repeat.
std::uint32_t Scramble(std::uint32_t counter);

}  // namespace heliograph::meshsim
