#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/http_server.h"
#include "server/http/socket_io.h"

namespace heliograph::server {

/// An answer as it came over the wire; header names in lower case.
struct WireResponse {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};

/// A client that sends just the bytes it is told to.
class WireClient {
 public:
  /// Connects to 127.0.0.1; throws std::system_error.
  explicit WireClient(std::uint16_t port);

  /// False when the server has closed. Waits ten seconds at most for the server to take the bytes.
  bool Send(std::string_view bytes);
  /// One answer with a Content-Length; nothing when the connection ends or `wait` passes first.
  std::optional<WireResponse> Read(bool head_only = false,
                                   std::chrono::milliseconds wait = std::chrono::seconds(20));
  /// Everything until the server closes; nothing when it does not within `wait`.
  std::optional<std::string> ReadToEnd(std::chrono::milliseconds wait = std::chrono::seconds(20));
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::string received_;
};

/// `GET path` as HTTP/1.1 with a Host and these further header lines, each ending in CRLF.
std::string Get(std::string_view path, std::string_view headers = {});

/// A server on a loopback port that the kernel picked, which echoes method, path and body.
class EchoServer {
 public:
  explicit EchoServer(const HttpLimits& limits = {}, HttpServer::RequestHandler handler = {});

  std::uint16_t port() const { return address_.port; }
  HttpServer& server() { return server_; }
  /// Sends `bytes` on a new connection and returns the status of the first answer; 0 when there is none.
  int StatusOf(std::string_view bytes) const;

 private:
  HttpServer server_;
  ListenAddress address_;
};

/// A stream that says the same whenever it is asked, as often as it may.
class RepeatingSource : public EventSource {
 public:
  explicit RepeatingSource(std::string frame, std::size_t times = SIZE_MAX)
      : frame_(std::move(frame)), left_(times) {}
  bool Append(std::string& out, std::chrono::steady_clock::time_point) override {
    out += frame_;
    return --left_ > 0;
  }

 private:
  const std::string frame_;
  std::size_t left_;
};

/// True as soon as `condition` holds; false when it does not within ten seconds.
bool Eventually(const std::function<bool()>& condition);

}  // namespace heliograph::server
