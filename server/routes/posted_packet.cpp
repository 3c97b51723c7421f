#include "server/routes/posted_packet.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/advert.h"
#include "common/packet_json.h"
#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"
#include "server/routes/request_body.h"

namespace heliograph::server {
namespace {

constexpr const char* kStream = "packet-inject";
/// Stands for the IATA code of an observer that told none.
constexpr const char* kNoRegion = "INJ";
constexpr std::size_t kMaxRegionBytes = 16;
/// A frame has 255 bytes at most; the rest is for blanks between them and for the other members.
constexpr std::size_t kMaxBodyBytes = 4096;
constexpr double kMaxSnr = 64, kMinRssi = -200, kMaxRssi = 64;

std::string WithoutBlanks(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

struct PostedFrame {
  Bytes bytes;
  Packet packet;
};

PostedFrame ReadFrame(const nlohmann::json& body) {
  const auto bytes = FromHex(WithoutBlanks(RequiredText(body, "hex")));
  if (!bytes) throw ProblemError(400, "hex must be an even number of hexadecimal digits");
  auto packet = DecodeFrame(*bytes);
  if (!packet) {
    throw ProblemError(400, "hex is no MeshCore packet: " + std::string(Describe(packet.error())));
  }
  return {*bytes, std::move(*packet)};
}

std::string DecodedText(const RouteContext& context, const Packet& packet) {
  PacketJsonOptions options;
  options.keys = &context.channel_keys();
  options.verify_signature = true;
  return PacketToJson(packet, options).dump();
}

/// Refuses what the ingestor would refuse, so that the sender learns it at once.
void RequireAcceptable(const Packet& packet, const Config& config) {
  if (packet.payload_type != PayloadType::kAdvert) return;
  const auto advert = DecodeAdvert(packet.payload);
  if (!advert) throw ProblemError(400, "the advert cannot be read: " + std::string(Describe(advert.error())));
  if (const auto fault = FindImplausibility(*advert))
    throw ProblemError(400, "the advert is refused: " + *fault);
  if (config.validate_signatures && !VerifySignature(*advert)) {
    throw ProblemError(400, "the advert is refused: its signature does not hold");
  }
}

PublicKey ReadObserver(const nlohmann::json& body) {
  const auto key = PublicKey::FromHex(RequiredText(body, "observer"));
  if (!key || key->IsZero())
    throw ProblemError(400, "observer must be a public key of 64 hexadecimal digits");
  return *key;
}

std::string ReadRegion(const nlohmann::json& body) {
  std::string region = OptionalText(body, "region").value_or("");
  if (region.empty()) return kNoRegion;
  const bool is_code =
      region.size() <= kMaxRegionBytes && std::all_of(region.begin(), region.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
      });
  if (!is_code)
    throw ProblemError(400, "region must be an IATA code: at most 16 letters, digits, '-' and '_'");
  std::transform(region.begin(), region.end(), region.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return region;
}

void RequireSameHash(const nlohmann::json& body, const Packet& packet) {
  const auto claimed = OptionalText(body, "hash");
  if (!claimed || claimed->empty()) return;
  if (ContentHash::FromHex(*claimed) != packet.Hash()) {
    throw ProblemError(400,
                       "hash is " + *claimed + ", but the packet's content hash is " + packet.Hash().ToHex());
  }
}

/// The packet as a line of a capture file.
std::string CaptureLine(const nlohmann::json& body, const PostedFrame& frame, UtcMillis now) {
  const std::string observer = ReadObserver(body).ToObserverId();
  nlohmann::ordered_json message = {{"origin_id", observer},
                                    {"type", "PACKET"},
                                    {"direction", "rx"},
                                    {"timestamp", FormatTime(now)},
                                    {"raw", ToHexUpper(frame.bytes)}};
  if (const auto snr = OptionalNumber(body, "snr", -kMaxSnr, kMaxSnr)) message["SNR"] = *snr;
  if (const auto rssi = OptionalNumber(body, "rssi", kMinRssi, kMaxRssi)) message["RSSI"] = *rssi;
  const nlohmann::ordered_json line = {
      {"received_at", FormatTime(now)},
      {"topic", "meshcore/" + ReadRegion(body) + "/" + observer + "/packets"},
      {"payload", std::move(message)}};
  return line.dump() + "\n";
}

Response AnswerInjection(const Request& request, const RouteContext& context) {
  const nlohmann::json body = ObjectInBody(request);
  const PostedFrame frame = ReadFrame(body);
  RequireAcceptable(frame.packet, context.config());
  RequireSameHash(body, frame.packet);
  QueuedRequest queued;
  queued.kind = queue::Kind::kPacketInject;
  queued.stream = kStream;
  queued.payload = CaptureLine(body, frame, context.Now());
  const std::string id = context.services().requests->Publish(queued).ToText();

  JsonText out;
  out.BeginObject()
      .Member("requestId", id)
      .Member("statusUrl", "/api/requests/" + id)
      .Key("id")
      .Null()
      .Member("hash", frame.packet.Hash().ToHex())
      .Key("decoded")
      .Raw(DecodedText(context, frame.packet))
      .EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

}  // namespace

void RegisterPostedPacketRoutes(Router& router, const RouteContext& context) {
  Route decode;
  decode.method = Method::kPost;
  decode.path = "/api/decode";
  decode.tag = "packets";
  decode.summary = "Takes a packet apart. Keeps nothing; the signature of an advert is verified.";
  decode.request_body = "{\"hex\": the frame in hexadecimal}";
  decode.max_body_bytes = kMaxBodyBytes;
  decode.responses = {{200, "decoded.", "application/json"},
                      ProblemDoc(400, "No packet."),
                      ProblemDoc(413, "Longer than a packet in JSON can be.")};
  decode.handler = [context](const Request& request) {
    const PostedFrame frame = ReadFrame(ObjectInBody(request));
    JsonText out;
    out.BeginObject().Key("decoded").Raw(DecodedText(context, frame.packet)).EndObject();
    return JsonResponse(std::move(out).Take());
  };
  router.Add(std::move(decode));

  Route inject;
  inject.method = Method::kPost;
  inject.path = "/api/packets";
  inject.tag = "packets";
  inject.summary = "Hands a packet to the ingestor as if an observer had heard it.";
  inject.request_body =
      "{\"hex\", \"observer\": public key, \"snr\"?: dB, \"rssi\"?: dBm, \"region\"?: IATA code, \"hash\"?: "
      "content hash "
      "to compare}";
  inject.max_body_bytes = kMaxBodyBytes;
  inject.responses = {
      {202, "requestId, statusUrl and decoded. id is null: the database gives it.", "application/json"},
      ProblemDoc(400, "No packet, or one that would be refused."),
      ProblemDoc(413, "Longer than a packet in JSON can be.")};
  inject.access = Access::kWrite;
  inject.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return AnswerInjection(request, context);
  });
  router.Add(std::move(inject));
}

}  // namespace heliograph::server
