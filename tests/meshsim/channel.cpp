#include "tests/meshsim/channel.h"

#include <algorithm>

#include "common/crypto.h"

namespace heliograph::meshsim {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kMaxText = 150;

std::array<std::uint8_t, 16> HashtagKey(std::string_view name) {
  const Sha256Digest digest = Sha256(AsBytes(name));
  std::array<std::uint8_t, 16> key{};
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

constexpr std::array<std::uint8_t, 16> kPublicKey = {0x8b, 0x33, 0x87, 0xe9, 0xc5, 0xcd, 0xea, 0x6a,
                                                     0xc9, 0xe5, 0xed, 0xba, 0xa1, 0x15, 0xcd, 0x72};

using Phrases = std::array<const char*, 5>;
// One row for each subject; % stands for a place.
constexpr std::array<Phrases, 8> kSubjects = {{
    {"repeater at % is offline again", "% repeater down since this morning",
     "anyone near % able to reboot the repeater?", "no packets from the % repeater today",
     "% repeater is back after a reset"},
    {"who already runs 2 byte path hashes near %?", "switched % to path.hash.mode 1, still works",
     "3 byte hashes drop at % i think", "when do we move % to multibyte?",
     "old firmware at % drops my 2 byte floods"},
    {"app crashes when i open the map at %", "map does not load near %",
     "android app closes on the map view, %", "ios map shows % in the wrong place",
     "map tiles missing around %"},
    {"battery drains overnight on my node in %", "solar node at % lost power",
     "battery at % shows 3.3V, is that low?", "% solar panel too small for winter",
     "node in % dies after two days"},
    {"good morning from %", "hello from %, first message", "anyone here in %?",
     "testing from %, do you copy?", "gm all, sunny in %"},
    {"great range from the hill at % today", "heard % from 60 km away", "new antenna at % works great",
     "got a message over 9 hops from %", "% reaches the coast now"},
    {"messages to % arrive twice", "i get every message from % two times", "duplicate messages in % again",
     "why do i see doubles from %?", "double texts since the update, %"},
    {"bot: % 12C wind 8 km/h", "bot: % 17C clear", "bot: % 9C rain", "bot: % 21C haze", "bot: % 4C fog"},
}};
constexpr std::array kSubjectWeights = {0.16, 0.14, 0.10, 0.12, 0.22, 0.12, 0.08, 0.06};

}  // namespace

std::vector<Channel> BuildChannels(Random random) {
  std::vector<Channel> channels;
  channels.push_back({"Public", kPublicKey, 0.55, true});
  channels.push_back({"#test", HashtagKey("#test"), 0.15, true});
  channels.push_back({"#meshhelp", HashtagKey("#meshhelp"), 0.15, true});
  channels.push_back({"#bot", HashtagKey("#bot"), 0.10, true});
  Channel hidden{"private", {}, 0.05, false};
  random.Fill(hidden.key);
  channels.push_back(hidden);
  return channels;
}

Bytes SealGroupPayload(const Channel& channel, ByteView plaintext) {
  Bytes padded(plaintext.begin(), plaintext.end());
  padded.resize((padded.size() + kBlock - 1) / kBlock * kBlock);
  const Bytes ciphertext = Aes128EcbEncrypt(channel.key, padded).value();
  std::array<std::uint8_t, 32> secret{};  // the firmware's MAC takes the key with zeros behind it
  std::ranges::copy(channel.key, secret.begin());
  const Sha256Digest mac = HmacSha256(secret, ciphertext);
  Bytes payload(3 + ciphertext.size());
  payload[0] = Sha256(channel.key)[0];
  payload[1] = mac[0];
  payload[2] = mac[1];
  std::ranges::copy(ciphertext, payload.begin() + 3);
  return payload;
}

Bytes SealGroupText(const Channel& channel, std::uint32_t timestamp, std::string_view sender,
                    std::string_view text) {
  Bytes plaintext;
  for (int shift = 0; shift < 32; shift += 8)
    plaintext.push_back(static_cast<std::uint8_t>(timestamp >> shift));
  plaintext.push_back(0);  // flags: plain text
  std::string line(sender);
  line += ": ";
  line += text.substr(0, kMaxText - std::min(kMaxText, line.size()));
  plaintext.insert(plaintext.end(), line.begin(), line.end());
  return SealGroupPayload(channel, plaintext);
}

std::string Chatter(std::string_view place, Random& random) {
  std::string text = random.Pick(kSubjects[random.Weighted(kSubjectWeights)]);
  const std::size_t gap = text.find('%');
  text.replace(gap, 1, place);
  return text;
}

}  // namespace heliograph::meshsim
