#include "tests/meshsim/colliding_prefixes.h"

#include <algorithm>
#include <unordered_map>

namespace heliograph::meshsim {
namespace {

using Seed = std::array<std::uint8_t, Ed25519KeyPair::kSeedSize>;

std::uint32_t Prefix(const PublicKey& key, std::size_t bytes) {
  std::uint32_t prefix = 0;
  for (std::size_t i = 0; i < bytes; ++i) prefix = prefix << 8 | key.bytes()[i];
  return prefix;
}

/// Pairs of keys that share just so many bytes at their begin and no more.
std::vector<std::pair<Seed, Seed>> CollidingKeys(std::size_t pairs, std::size_t bytes, Random& random) {
  std::vector<std::pair<Seed, Seed>> found;
  std::unordered_map<std::uint32_t, std::pair<Seed, std::uint8_t>> lone;  // with the byte after the prefix
  while (found.size() < pairs) {
    Seed seed{};
    random.Fill(seed);
    const PublicKey key = Ed25519KeyPair(seed).public_key();
    const std::uint8_t next = key.bytes()[bytes];
    const auto [other, is_new] = lone.try_emplace(Prefix(key, bytes), seed, next);
    if (is_new || other->second.second == next) continue;
    found.emplace_back(other->second.first, seed);
    lone.erase(other);
  }
  return found;
}

}  // namespace

void MakePrefixesCollide(std::vector<Node>& nodes, std::size_t pairs, Random random) {
  std::vector<NodeIndex> relays;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (nodes[i].relays && !nodes[i].appears) relays.push_back(i);
  }
  random.Shuffle(relays);
  pairs = std::min(pairs, relays.size() / 2);
  auto keys = CollidingKeys(pairs / 2, 3, random);
  const auto shorter = CollidingKeys(pairs - pairs / 2, 2, random);
  keys.insert(keys.end(), shorter.begin(), shorter.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    nodes[relays[2 * i]].keys = Ed25519KeyPair(keys[i].first);
    nodes[relays[2 * i + 1]].keys = Ed25519KeyPair(keys[i].second);
  }
}

}  // namespace heliograph::meshsim
