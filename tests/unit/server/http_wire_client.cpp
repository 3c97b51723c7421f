#include "tests/unit/server/http_wire_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace heliograph::server {
namespace {

using std::chrono::steady_clock;

UniqueFd ConnectTo(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
  return fd;
}

Response Echo(const Request& request) {
  return JsonResponse(std::string(Name(request.method)) + " " + request.path + " " + request.body);
}

WireResponse ParseHead(std::string_view head) {
  WireResponse response;
  response.status = std::stoi(std::string(head.substr(9, 3)));
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    if (const std::size_t colon = line.find(": "); colon != std::string_view::npos) {
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      if (!response.headers.emplace(name, line.substr(colon + 2)).second) {
        throw std::runtime_error("the server sent two headers " + name);
      }
    }
  }
  return response;
}

}  // namespace

WireClient::WireClient(std::uint16_t port) : fd_(ConnectTo(port)) {}

bool WireClient::Send(std::string_view bytes) {
  return WriteAll(fd_.get(), bytes, {}, steady_clock::now() + std::chrono::seconds(10));
}

std::optional<WireResponse> WireClient::Read(bool head_only, std::chrono::milliseconds wait) {
  const SteadyTime deadline = steady_clock::now() + wait;
  for (;;) {
    const std::size_t end = received_.find("\r\n\r\n");
    if (end != std::string::npos) {
      WireResponse response = ParseHead(std::string_view(received_).substr(0, end));
      const auto length = response.headers.find("content-length");
      const std::size_t body = head_only || length == response.headers.end() ? 0 : std::stoul(length->second);
      if (received_.size() >= end + 4 + body) {
        response.body = received_.substr(end + 4, body);
        received_.erase(0, end + 4 + body);
        return response;
      }
    }
    if (ReadSome(fd_.get(), received_, 65536, deadline) != ReadResult::kData) {
      return std::nullopt;
    }
  }
}

std::optional<std::string> WireClient::ReadToEnd(std::chrono::milliseconds wait) {
  const SteadyTime deadline = steady_clock::now() + wait;
  for (;;) {
    const ReadResult result = ReadSome(fd_.get(), received_, 65536, deadline);
    if (result == ReadResult::kTimeout) {
      return std::nullopt;
    }
    if (result != ReadResult::kData) {
      return std::exchange(received_, {});
    }
  }
}

std::string Get(std::string_view path, std::string_view headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

EchoServer::EchoServer(const HttpLimits& limits, HttpServer::RequestHandler handler)
    : server_(limits, handler ? std::move(handler) : Echo), address_(server_.Listen({"127.0.0.1", 0})) {}

int EchoServer::StatusOf(std::string_view bytes) const {
  WireClient client(port());
  client.Send(bytes);
  const std::optional<WireResponse> response = client.Read();
  return response ? response->status : 0;
}

bool Eventually(const std::function<bool()>& condition) {
  const SteadyTime deadline = steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace heliograph::server
