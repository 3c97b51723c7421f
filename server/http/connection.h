#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "server/http/connection_registry.h"
#include "server/http/event_streams.h"
#include "server/http/http_server.h"
#include "server/http/limits.h"
#include "server/http/socket_io.h"

namespace heliograph::server {

/// Memory that bodies take, of requests or of answers, over all connections.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t bytes) : whole_(bytes), left_(bytes) {}
  bool Take(std::size_t bytes);
  void Return(std::size_t bytes) { left_.fetch_add(bytes); }
  std::size_t whole() const { return whole_; }

 private:
  const std::size_t whole_;
  std::atomic<std::size_t> left_;
};

/// What all connections of a server share. Outlives them.
struct ConnectionContext {
  const HttpLimits& limits;
  const HttpServer::RequestHandler& handler;
  ConnectionRegistry& registry;
  BodyBudget& body_budget;
  BodyBudget& answer_budget;
  EventStreams& streams;
};

/// Serves one client until it leaves, exceeds a limit, or the server stops; closes the socket and leaves the
/// registry. A connection whose answer is an event stream is handed over to `streams`. Does not throw. The
/// only place that knows how cpp-httplib works inside.
void ServeConnection(const ConnectionContext& context, UniqueFd socket, std::string remote_address,
                     std::unique_ptr<ConnectionRegistry::Member> member) noexcept;

}  // namespace heliograph::server
