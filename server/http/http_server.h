#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "server/http/limits.h"
#include "server/http/listen_address.h"
#include "server/http/request.h"
#include "server/http/response.h"

namespace heliograph::server {

/// The server cannot listen where it was told to. The text names the address, the reason and the remedy.
class ListenError : public std::runtime_error {
 public:
  enum class Kind {
    kAddressInUse,
    kNotPermitted,  ///< a port below 1024 without the right to it
    kBadAddress,    ///< not a name or address of this machine
    kOther,
  };
  ListenError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Counts since the start, but for the two that say "now".
struct HttpStatistics {
  std::uint64_t connections_now = 0;  ///< streams are not among them
  std::uint64_t streams_now = 0;
  std::uint64_t threads_now = 0;
  std::uint64_t accepted = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused_overload = 0;   ///< connections answered with 503
  std::uint64_t refused_streams = 0;    ///< streams answered with `retry:`
  std::uint64_t refused_malformed = 0;  ///< requests ended by a limit or by a malformed head or body
  std::uint64_t evicted_waiting = 0;    ///< waiting connections closed to make room for others
};

/// Serves HTTP/1.1 within HttpLimits. One thread for each connection, taken from a pool that grows and
/// shrinks, and one for all event streams; when all are taken, connections that wait for a request (or
/// deliver one slowly) make room for new ones.
class HttpServer {
 public:
  /// Called for each request on its connection's thread, from many threads at a time. Router::Handle is
  /// meant. An exception becomes a 500.
  using RequestHandler = std::function<Response(Request)>;

  HttpServer(const HttpLimits& limits, RequestHandler handler);
  /// Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and begins to serve on threads of its own; returns the address with the port that is really bound.
  /// Throws ListenError. REQUIRED: called once.
  ListenAddress Listen(const ListenAddress& address);

  /// Stops accepting, closes waiting connections at once, lets running handlers finish for a second and then
  /// cuts their connections; streams end at once. Returns when all threads are done: within two seconds, if
  /// handlers return. May be called again, and from another thread.
  void Stop();

  HttpStatistics statistics() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace heliograph::server
