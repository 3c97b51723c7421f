#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/identity_key.h"
#include "common/public_key.h"
#include "server/analytics/hop_key.h"
#include "server/analytics/key_index.h"

namespace heliograph::server {

/// Which known keys write themselves as which hash, of any size. Not thread-safe.
class PrefixIndex {
 public:
  void Add(IdentityKey key, const PublicKey& public_key);

  /// Those that write themselves so; empty when none does.
  const std::vector<std::int64_t>& Candidates(HopKey hop) const;
  std::size_t size() const { return size_; }

 private:
  std::vector<std::vector<std::int64_t>> keys_;
  KeyIndex places_;  ///< of the keys of a hash, by the hash
  std::size_t size_ = 0;
};

}  // namespace heliograph::server
