#include "common/key_ring.h"

#include <algorithm>

#include "common/ascii_case.h"

namespace heliograph {
namespace {

constexpr std::string_view kPublicName = "Public";

}  // namespace

KeyRing KeyRing::WithPublic() {
  KeyRing ring;
  ring.Add(KeyOrigin::kBuiltIn, ChannelKey::Public());
  return ring;
}

void KeyRing::Add(KeyOrigin origin, ChannelKey key) {
  Precedence precedence{origin, true};
  if (EqualsIgnoringCase(key.name(), kPublicName)) {
    precedence.exact_spelling = key.name() == kPublicName;
    key = *ChannelKey::FromBytes(kPublicName, key.bytes());
  }
  const std::uint8_t hash = key.hash_byte();
  const auto known = channels_.find(key.name());
  if (known == channels_.end()) {
    const std::string name = key.name();
    channels_.emplace(name, Channel{precedence, std::move(key)});
  } else {
    if (precedence < known->second.precedence) return;
    const std::uint8_t replaced = known->second.key.hash_byte();
    known->second = Channel{precedence, std::move(key)};
    IndexBucket(replaced);
  }
  IndexBucket(hash);
}

std::span<const ChannelKey> KeyRing::Candidates(std::uint8_t channel_hash) const {
  return buckets_[channel_hash];
}

void KeyRing::IndexBucket(std::uint8_t channel_hash) {
  std::vector<const Channel*> sharing;
  for (const auto& [name, channel] : channels_) {
    if (channel.key.hash_byte() == channel_hash) sharing.push_back(&channel);
  }
  std::stable_sort(sharing.begin(), sharing.end(), [](const Channel* a, const Channel* b) {
    return a->precedence.origin > b->precedence.origin;
  });
  std::vector<ChannelKey>& bucket = buckets_[channel_hash];
  bucket.clear();
  for (const Channel* channel : sharing) bucket.push_back(channel->key);
}

}  // namespace heliograph
