#include "tests/meshsim/payload.h"

#include <algorithm>
#include <cmath>

namespace heliograph::meshsim {
namespace {

constexpr std::size_t kCipherBlock = 16;

void AppendLittleEndian(Bytes& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void AppendRandom(Bytes& out, std::size_t count, Random& random) {
  const std::size_t before = out.size();
  out.resize(before + count);
  random.Fill(std::span(out).subspan(before));
}

}  // namespace

Bytes PrivatePayload(const PublicKey& to, const PublicKey& from, std::uint32_t max_blocks, Random& random) {
  Bytes payload{to.bytes()[0], from.bytes()[0]};
  AppendRandom(payload, 2 + kCipherBlock * (1 + random.Below(max_blocks)), random);
  return payload;
}

Bytes AckPayload(std::uint32_t tag, Random& random) {
  Bytes payload;
  AppendLittleEndian(payload, tag);
  if (random.Chance(0.3)) payload.push_back(static_cast<std::uint8_t>(random.Below(3)));
  return payload;
}

Bytes AnonymousRequestPayload(const PublicKey& to, const PublicKey& from, Random& random) {
  Bytes payload(1 + PublicKey::kSize, to.bytes()[0]);
  std::ranges::copy(from.bytes(), payload.begin() + 1);
  AppendRandom(payload, 2 + kCipherBlock * (1 + random.Below(2)), random);
  return payload;
}

Bytes DiscoverRequestPayload(std::uint32_t tag) {
  Bytes payload{0x80, 1u << static_cast<unsigned>(NodeType::kRepeater)};
  AppendLittleEndian(payload, tag);
  return payload;
}

Bytes DiscoverResponsePayload(std::uint32_t tag, const Node& node, double snr_db) {
  Bytes payload{static_cast<std::uint8_t>(0x90u | static_cast<unsigned>(node.role)),
                static_cast<std::uint8_t>(static_cast<std::int8_t>(std::lround(snr_db * 4)))};
  AppendLittleEndian(payload, tag);
  for (std::uint8_t byte : node.keys.public_key().bytes()) payload.push_back(byte);
  return payload;
}

Bytes MultipartAckPayload(std::uint32_t tag) {
  Bytes payload{0x10u | 3u};  // one more to come, an ACK
  AppendLittleEndian(payload, tag);
  return payload;
}

Bytes RawCustomPayload(Random& random) {
  Bytes payload;
  AppendRandom(payload, 16 + random.Below(32), random);
  return payload;
}

Bytes TracePayload(std::uint32_t tag, std::span<const PublicKey> hops) {
  Bytes payload;
  AppendLittleEndian(payload, tag);
  AppendLittleEndian(payload, 0);  // no authentication
  payload.push_back(0);            // hashes of 1 byte
  for (const PublicKey& hop : hops) payload.push_back(hop.bytes()[0]);
  return payload;
}

Bytes AdvertPayload(const Node& node, std::uint32_t timestamp) {
  Advert advert;
  advert.public_key = node.keys.public_key();
  advert.timestamp = timestamp;
  std::optional<std::pair<double, double>> position;
  if (node.tells_position) position = std::pair(node.position.latitude, node.position.longitude);
  advert.app_data = EncodeAdvertAppData(node.role, position, node.name);
  const Bytes signature = node.keys.Sign(SignedPart(advert));
  std::ranges::copy(signature, advert.signature.begin());
  return EncodeAdvert(advert);
}

}  // namespace heliograph::meshsim
