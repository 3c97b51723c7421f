#include "tests/meshsim/random.h"

#include <bit>
#include <cmath>

namespace heliograph::meshsim {
namespace {

std::uint64_t SplitMix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) : state_{} {
  for (auto& word : state_) word = SplitMix(seed);
}

Random Random::Fork(std::uint64_t stream) const {
  std::uint64_t seed = state_[0] ^ std::rotl(state_[2], 23) ^ (stream * 0xD1342543DE82EF95u);
  return Random(SplitMix(seed));
}

std::uint64_t Random::Next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Unit() {
  return static_cast<double>(Next() >> 11) * 0x1.0p-53;
}

double Random::Between(double low, double high) {
  return low + (high - low) * Unit();
}

std::uint32_t Random::Below(std::uint32_t bound) {
  return static_cast<std::uint32_t>(((Next() >> 32) * bound) >> 32);
}

bool Random::Chance(double probability) {
  return Unit() < probability;
}

double Random::Normal() {
  const std::uint64_t bits = Next();
  const std::uint64_t sum =
      (bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48);
  constexpr double kSqrt3 = 1.7320508075688772;  // four uniform numbers have a variance of 1/3
  return (static_cast<double>(sum) / 65536.0 - 2.0) * kSqrt3;
}

double Random::Exponential(double mean) {
  return -mean * std::log(1.0 - Unit());
}

void Random::Fill(std::span<std::uint8_t> bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) word = Next();
    bytes[i] = static_cast<std::uint8_t>(word);
    word >>= 8;
  }
}

std::size_t Random::Weighted(std::span<const double> weights) {
  double total = 0;
  for (double weight : weights) total += weight;
  double draw = Unit() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    if (draw < weights[i]) return i;
    draw -= weights[i];
  }
  return last;
}

std::uint32_t Scramble(std::uint32_t counter) {
  std::uint32_t x = counter * 0x9E3779B1u;
  x ^= x >> 15;
  x *= 0x85EBCA77u;
  x ^= x >> 13;
  return x * 0xC2B2AE3Du;
}

}  // namespace heliograph::meshsim
