#pragma once

#include <chrono>
#include <cstddef>

#include "common/config.h"

namespace heliograph::server {

/// What one client, and all of them together, may take. Exceeding one ends the connection with the status
/// named here.
struct HttpLimits {
  std::size_t max_head_bytes = 16 * 1024;  ///< request line and headers: 431
  std::size_t max_target_bytes =
      8000;                       ///< path and query: 414. At most 8000, cpp-httplib's own limit is 8192
  std::size_t max_headers = 100;  ///< 431
  std::size_t max_body_bytes = 1024 * 1024;         ///< after chunks are joined: 413
  std::size_t max_bodies_bytes = 64 * 1024 * 1024;  ///< bodies of all requests at one moment: 503
  /// Bodies of answers that are being written at one moment, but for those that a cache holds anyway: 503.
  /// One that is larger than all of it is written when there is no other.
  std::size_t max_answers_bytes = 128 * 1024 * 1024;
  std::chrono::milliseconds head_timeout{10'000};  ///< from its first byte to its last: 408
  std::chrono::milliseconds body_timeout{30'000};  ///< 408
  std::chrono::milliseconds write_timeout{
      10'000};                                    ///< for the client to take some of what is sent: no answer
  std::chrono::milliseconds idle_timeout{5'000};  ///< between requests of a connection: no answer
  std::size_t max_connections = 256;              ///< beside streams: 503
  std::size_t max_streams = 1024;                 ///< 200 with `retry:`
  std::size_t max_requests_per_connection = 1'000'000;
  int listen_backlog = 1024;
};

/// The limits that the configuration asks for. `request_timeout` is given to the head of a request and to its
/// body, each; one body of the largest size always has room among all bodies. What the configuration does not
/// name keeps its default. REQUIRED: all members are positive, as ParseConfig sees to.
HttpLimits LimitsOf(const heliograph::HttpLimits& configured);

}  // namespace heliograph::server
