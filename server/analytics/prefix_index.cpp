#include "server/analytics/prefix_index.h"

#include "common/path_hash.h"

namespace heliograph::server {

void PrefixIndex::Add(IdentityKey key, const PublicKey& public_key) {
  for (std::size_t size = 1; size <= PathHash::kMaxSize; ++size) {
    auto& keys = keys_[static_cast<std::uint32_t>(HopKeyOf(public_key, size))];
    keys.push_back(static_cast<std::int64_t>(key));
  }
  ++size_;
}

const std::vector<std::int64_t>& PrefixIndex::Candidates(HopKey hop) const {
  static const std::vector<std::int64_t> kNone;
  const auto found = keys_.find(static_cast<std::uint32_t>(hop));
  return found == keys_.end() ? kNone : found->second;
}

}  // namespace heliograph::server
