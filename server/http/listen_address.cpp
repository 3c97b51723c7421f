#include "server/http/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

#include "server/http/request.h"

namespace heliograph::server {
namespace {

tl::unexpected<std::string> Refused(std::string_view text, const std::string& reason) {
  return tl::unexpected("'" + std::string(text) + "' is no address to listen on: " + reason +
                        ". Write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080.");
}

bool IsPort(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

tl::expected<ListenAddress, std::string> ListenAddress::Parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Refused(text, "the port is missing");
  }
  std::string_view host = text.substr(0, colon);
  ListenAddress address;
  if (!IsPort(text.substr(colon + 1), address.port)) {
    return Refused(text, "the port must be a number from 0 to 65535");
  }
  if (host.starts_with('[') || host.ends_with(']')) {
    in6_addr parsed{};
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) {
      host = host.substr(1, host.size() - 2);
    }
    if (!bracketed || inet_pton(AF_INET6, std::string(host).c_str(), &parsed) != 1) {
      return Refused(text, "between brackets must stand an IPv6 address");
    }
  } else if (host.find(':') != std::string_view::npos) {
    return Refused(text, "an IPv6 address needs brackets around it");
  } else if (host.find_first_of(" \t/@") != std::string_view::npos ||
             host.find('\0') != std::string_view::npos) {
    return Refused(text, "the host has a character that no host name has");
  }
  address.host = host.empty() || host == "*" ? "0.0.0.0" : std::string(host);
  return address;
}

bool ListenAddress::IsLoopback() const {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return EqualsIgnoringCase(host, "localhost");
}

std::string ListenAddress::ToText() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace heliograph::server
