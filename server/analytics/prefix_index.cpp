#include "server/analytics/prefix_index.h"

#include "common/path_hash.h"

namespace heliograph::server {

void PrefixIndex::Add(IdentityKey key, const PublicKey& public_key) {
  for (std::size_t size = 1; size <= PathHash::kMaxSize; ++size) {
    const auto hop = static_cast<std::uint64_t>(HopKeyOf(public_key, size));
    std::uint32_t place = places_.Find(hop);
    if (place == KeyIndex::kNone) {
      place = static_cast<std::uint32_t>(keys_.size());
      keys_.emplace_back();
      places_.Insert(hop, place);
    }
    keys_[place].push_back(static_cast<std::int64_t>(key));
  }
  ++size_;
}

const std::vector<std::int64_t>& PrefixIndex::Candidates(HopKey hop) const {
  static const std::vector<std::int64_t> kNone;
  const std::uint32_t place = places_.Find(static_cast<std::uint64_t>(hop));
  return place == KeyIndex::kNone ? kNone : keys_[place];
}

}  // namespace heliograph::server
