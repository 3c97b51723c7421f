#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heliograph::server {

/// Where a server listens.
struct ListenAddress {
  std::string host = "127.0.0.1";  ///< a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;          ///< 0: the kernel picks one

  /// Reads HOST:PORT, [IPV6]:PORT and :PORT (all interfaces). The error is a text for a person, with `text`
  /// in it.
  static tl::expected<ListenAddress, std::string> Parse(std::string_view text);
  /// True for localhost, 127.0.0.0/8 and ::1.
  bool IsLoopback() const;
  /// HOST:PORT, with brackets around an IPv6 address.
  std::string ToText() const;
};

}  // namespace heliograph::server
