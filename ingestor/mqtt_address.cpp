#include "ingestor/mqtt_address.h"

#include <charconv>

#include "common/bytes.h"
#include "common/crypto.h"

namespace heliograph::ingestor {
namespace {

struct Scheme {
  std::string_view name, paho;
  std::uint16_t port;
  bool tls;
};

constexpr Scheme kSchemes[] = {{"mqtt", "tcp", 1883, false}, {"tcp", "tcp", 1883, false},
                               {"mqtts", "ssl", 8883, true}, {"ssl", "ssl", 8883, true},
                               {"ws", "ws", 80, false},      {"wss", "wss", 443, true}};

const Scheme* FindScheme(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) return &scheme;
  }
  return nullptr;
}

}  // namespace

std::optional<MqttAddress> ParseMqttAddress(std::string_view url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  const Scheme* scheme = FindScheme(url.substr(0, mark));
  if (scheme == nullptr) return std::nullopt;
  std::string_view rest = url.substr(mark + 3);
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);

  MqttAddress address{{}, {}, scheme->port, scheme->tls};
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  std::string_view host = authority;
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (error != std::errc() || end != digits.data() + digits.size() || address.port == 0)
      return std::nullopt;
  }
  if (host.empty()) return std::nullopt;
  const std::string place = std::string(host) + ":" + std::to_string(address.port);
  const bool is_web = scheme->name == "ws" || scheme->name == "wss";
  address.uri = std::string(scheme->paho) + "://" + place + (is_web ? std::string(path) : std::string());
  address.shown = std::string(scheme->name) + "://" + place + std::string(path);
  return address;
}

std::string DeriveClientId(std::string_view source_name, const VolumeIdentity& volume) {
  std::string identity(source_name);
  for (const std::string& part : {volume.path, volume.installation}) {
    identity += '\0';
    identity += part;
  }
  const Sha256Digest digest = Sha256(AsBytes(identity));
  return "heliograph-" + ToHexLower(ByteView(digest).first(6));
}

}  // namespace heliograph::ingestor
