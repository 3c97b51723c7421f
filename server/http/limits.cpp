#include "server/http/limits.h"

#include <algorithm>

namespace heliograph::server {

HttpLimits LimitsOf(const heliograph::HttpLimits& configured) {
  HttpLimits limits;
  limits.max_connections = static_cast<std::size_t>(configured.max_connections);
  limits.max_streams = static_cast<std::size_t>(configured.max_streams);
  limits.max_body_bytes = static_cast<std::size_t>(configured.max_body_bytes);
  limits.max_bodies_bytes = std::max(limits.max_bodies_bytes, limits.max_body_bytes);
  limits.max_head_bytes = static_cast<std::size_t>(configured.max_header_bytes);
  limits.max_target_bytes = std::min(limits.max_target_bytes, limits.max_head_bytes);
  limits.head_timeout = configured.request_timeout;
  limits.body_timeout = configured.request_timeout;
  limits.idle_timeout = configured.idle_timeout;
  return limits;
}

}  // namespace heliograph::server
