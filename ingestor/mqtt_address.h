#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph::ingestor {

/// Where a broker is, in the words of Paho.
struct MqttAddress {
  std::string uri;    ///< tcp://, ssl://, ws:// or wss://, with the port
  std::string shown;  ///< the address as it may be shown: without user and password
  std::uint16_t port = 0;
  bool tls = false;
};

/// Reads mqtt://HOST[:PORT], mqtts://, ws://HOST[:PORT][/PATH] and wss:// (tcp:// and ssl:// mean the first
/// two). The ports are 1883, 8883, 80 and 443 unless stated; an IPv6 address stands in brackets. Credentials
/// in it are left out. Nothing for other text.
std::optional<MqttAddress> ParseMqttAddress(std::string_view url);

/// What tells one volume from all others in the world, as far as a broker is concerned.
struct VolumeIdentity {
  std::string installation;  ///< the random id that its database was given; two volumes on one path have two
  std::string path;          ///< a copy of the volume beside it has another
};

/// A client id that is the same on every start and differs between volumes and sources: 23 characters, the
/// most that every broker takes. Two clients with one id would take each other's session away.
std::string DeriveClientId(std::string_view source_name, const VolumeIdentity& volume);

}  // namespace heliograph::ingestor
