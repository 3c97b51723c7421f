#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "tests/meshsim/random.h"

namespace heliograph::meshsim {

/// A channel of the mesh: whoever has the key reads it.
struct Channel {
  std::string name;
  std::array<std::uint8_t, 16> key{};
  double weight = 0;         ///< its share of the channel messages
  bool key_is_known = true;  ///< false: a private channel, whose key nobody publishes
};

/// Public with its well-known key, some hashtag channels, and one private channel.
std::vector<Channel> BuildChannels(Random random);

/// The payload of a group message: channel hash, MAC and ciphertext. Source: MeshCore firmware,
/// createGroupDatagram.
Bytes SealGroupPayload(const Channel& channel, ByteView plaintext);
/// The same for text, which is cut to what one packet carries.
Bytes SealGroupText(const Channel& channel, std::uint32_t timestamp, std::string_view sender,
                    std::string_view text);

/// Something that people of a mesh say to each other. Subjects recur, words vary.
std::string Chatter(std::string_view place, Random& random);

}  // namespace heliograph::meshsim
