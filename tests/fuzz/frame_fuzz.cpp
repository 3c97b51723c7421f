#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/channel_crypto.h"
#include "common/packet_json.h"
#include "common/payload.h"
#include "common/region_scope.h"
#include "common/text.h"

namespace heliograph {
namespace {

void Require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

const ChannelKey& TestKey() {
  static const ChannelKey key = ChannelKey::ForHashtag("#test");
  return key;
}

const KeyRing& Keys() {
  static const KeyRing ring = [] {
    KeyRing keys = KeyRing::WithPublic();
    keys.Add(KeyOrigin::kHashtag, TestKey());
    keys.Add(KeyOrigin::kHashtag, ChannelKey::ForHashtag("#belgium"));
    return keys;
  }();
  return ring;
}

const RegionScopes& Scopes() {
  static const RegionScopes scopes(std::vector<std::string>{"#test", "#belgium"});
  return scopes;
}

void CheckJson(const Packet& packet) {
  const auto json = PacketToJson(packet, {&Keys(), false});
  Require(nlohmann::ordered_json::parse(json.dump()) == json, "the JSON parses to itself");
  Require(PayloadToJson(packet, {&Keys(), false}) == json["payload"],
          "the payload's JSON is that of the packet");
}

void CheckAdvert(const Advert& advert) {
  FindImplausibility(advert);
  Require(!advert.name || (IsValidUtf8(*advert.name) && advert.name->size() <= 32), "a name is short UTF-8");
  Require(!advert.name || ToPrintable(*advert.name) == *advert.name, "a name has no control characters");
  Require(advert.latitude.has_value() == advert.longitude.has_value(), "a position has two coordinates");
  Require(SignedPart(advert).size() <= 68, "at most 32 bytes of app_data are signed");
}

/// No fuzzer guesses a MAC: what it wrote is sealed with a key that the ring has, so that the plaintext is
/// read.
void CheckReadChannel(const Packet& packet) {
  if (packet.payload.empty() || packet.payload.size() > 150) return;
  const Sealed sealed = Seal(TestKey(), packet.payload);
  const GroupText text{{TestKey().hash_byte(), sealed}};
  const GroupData data{{TestKey().hash_byte(), sealed}};
  if (const auto message = DecryptGroupText(Keys(), text)) {
    Require(IsValidUtf8(message->WholeText()), "a message is UTF-8");
    Require(message->WholeText().find('\0') == std::string::npos, "a message ends at its first NUL");
  }
  DecryptGroupData(Keys(), data);

  Packet group = packet;
  for (const Payload& payload : {Payload(text), Payload(data)}) {
    group.payload_type = TypeOf(payload);
    group.payload = EncodePayload(payload);
    CheckJson(group);
  }
}

void CheckPacket(const Packet& packet) {
  const Payload payload = DecodePayload(packet);
  Require(EncodePayload(payload) == packet.payload, "a payload encodes to its bytes");
  Require(TypeOf(payload) == packet.payload_type, "a payload keeps its type");
  if (const auto* advert = std::get_if<Advert>(&payload)) CheckAdvert(*advert);

  const bool is_trace = packet.payload_type == PayloadType::kTrace;
  Require(packet.Hops().size() == (is_trace ? 0 : packet.path_length.hash_count()), "every hop is named");
  const auto scope = Scopes().Match(packet);
  Require(scope.has_value() == (packet.transport_codes && packet.transport_codes->scope != 0),
          "a code is a scope");
  CheckJson(packet);
  if (packet.payload_type == PayloadType::kGroupText) CheckReadChannel(packet);
}

}  // namespace
}  // namespace heliograph

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heliograph;
  const ByteView frame(data, size);
  const auto packet = DecodeFrame(frame);
  if (packet) {
    Require(EncodeFrame(*packet) == Bytes(frame.begin(), frame.end()), "a frame encodes to its bytes");
    CheckPacket(*packet);
  } else {
    Require(Describe(packet.error()) != "unknown frame error", "a refusal has words");
  }
  return 0;
}
