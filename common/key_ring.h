#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/channel_key.h"

namespace heliograph {

/// Where a channel's key comes from, from the weakest to the strongest: of two keys with one name the
/// stronger counts.
enum class KeyOrigin { kBuiltIn, kKeyFile, kHashtag, kConfigured };

/// The channels that can be read, found by the byte that a packet names them by. Filled once; then it is safe
/// to read from several threads.
class KeyRing {
 public:
  /// A ring without any key.
  KeyRing() = default;
  /// The ring that everyone has: the channel "Public".
  static KeyRing WithPublic();

  /// Adds `key`, in any order of origins. A channel called `public` in any case is the well-known "Public";
  /// of several spellings from one origin the exact one counts. Of two keys with the same name and origin the
  /// later one counts.
  void Add(KeyOrigin origin, ChannelKey key);

  bool empty() const { return channels_.empty(); }
  std::size_t size() const { return channels_.size(); }

  /// The keys that a packet with this channel hash may be sealed with, the strongest origin first. Valid
  /// until the next Add.
  std::span<const ChannelKey> Candidates(std::uint8_t channel_hash) const;

 private:
  struct Precedence {
    KeyOrigin origin;
    bool exact_spelling;

    auto operator<=>(const Precedence&) const = default;
  };
  struct Channel {
    Precedence precedence;
    ChannelKey key;
  };

  /// Puts the candidates with this hash in order again.
  void IndexBucket(std::uint8_t channel_hash);

  std::map<std::string, Channel, std::less<>> channels_;
  std::array<std::vector<ChannelKey>, 256> buckets_;
};

}  // namespace heliograph
