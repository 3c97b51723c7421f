#include "server/http/http_server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "server/http/connection.h"
#include "server/http/connection_registry.h"
#include "server/http/connection_threads.h"
#include "server/http/event_streams.h"
#include "server/http/problem.h"
#include "server/http/socket_io.h"

namespace heliograph::server {
namespace {

using std::chrono::steady_clock;

[[noreturn]] void Fail(const ListenAddress& address, int error) {
  const std::string what =
      "Cannot listen on " + address.ToText() + ": " + std::generic_category().message(error);
  switch (error) {
    case EADDRINUSE:
      throw ListenError(
          ListenError::Kind::kAddressInUse,
          what + ". Another program has it; end that one, or choose another port with --listen.");
    case EACCES:
    case EPERM:
      throw ListenError(ListenError::Kind::kNotPermitted,
                        what + ". Choose a port from 1024 on with --listen.");
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      throw ListenError(ListenError::Kind::kBadAddress,
                        what + ". Give an address that this machine has, such as 127.0.0.1.");
    default:
      throw ListenError(ListenError::Kind::kOther, what);
  }
}

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList Resolve(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    throw ListenError(ListenError::Kind::kBadAddress,
                      "Cannot listen on " + address.ToText() + ": " + ::gai_strerror(error) +
                          ". Give an address of this machine, such as 127.0.0.1.");
  }
  return {found, &::freeaddrinfo};
}

void Enable(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

UniqueFd Bind(const ListenAddress& address, int backlog) {
  const AddressList candidates = Resolve(address);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* one = candidates.get(); one != nullptr; one = one->ai_next) {
    UniqueFd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd) {
      Enable(fd.get(), SOL_SOCKET, SO_REUSEADDR);
      if (::bind(fd.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(fd.get(), backlog) == 0) {
        return fd;
      }
    }
    error = errno;
  }
  Fail(address, error);
}

std::uint16_t PortOf(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string HostOf(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  ::inet_ntop(address.ss_family, bytes, text.data(), text.size());
  std::string host = text.data();
  return host.starts_with("::ffff:") ? host.substr(7) : host;
}

// Every connection is a descriptor; the soft limit of most systems is 1024.
void RaiseDescriptorLimit(const HttpLimits& limits) {
  constexpr rlim_t kBesideConnections = 256;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  const rlim_t wanted =
      std::min<rlim_t>(limit.rlim_max, 2 * limits.max_connections + limits.max_streams + kBesideConnections);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

std::string OverloadText() {
  const std::string body =
      ProblemResponse(503, "All connections of this server are in use; try again in a moment.").Text();
  return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
         "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Connections that were refused and get a moment to read why. Never blocks.
class RefusedConnections {
 public:
  void Refuse(UniqueFd socket) {
    ::send(socket.get(), text_.data(), text_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(socket.get(), SHUT_WR);
    if (waiting_.size() < kMost) {
      waiting_.push_back({std::move(socket), steady_clock::now() + std::chrono::seconds(1)});
    }
  }
  void AddTo(std::vector<pollfd>& polled) const {
    for (const Waiting& one : waiting_) {
      polled.push_back({one.socket.get(), POLLIN, 0});
    }
  }
  // Reads and drops what came; closes what is at its end or has waited long enough.
  void Drop() {
    const SteadyTime now = steady_clock::now();
    std::erase_if(waiting_,
                  [now](const Waiting& one) { return one.until <= now || AtEnd(one.socket.get()); });
  }
  bool empty() const { return waiting_.empty(); }

 private:
  static constexpr std::size_t kMost = 64;
  struct Waiting {
    UniqueFd socket;
    SteadyTime until;
  };

  static bool AtEnd(int fd) {
    std::array<char, 4096> dropped;
    const ssize_t count = ::recv(fd, dropped.data(), dropped.size(), MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
  }

  const std::string text_ = OverloadText();
  std::vector<Waiting> waiting_;
};

}  // namespace

class HttpServer::Implementation {
 public:
  Implementation(const HttpLimits& limits, RequestHandler handler)
      : limits_(limits),
        handler_(std::move(handler)),
        body_budget_(limits_.max_bodies_bytes),
        answer_budget_(limits_.max_answers_bytes),
        registry_(limits_),
        streams_(limits_, registry_) {}

  ListenAddress Listen(const ListenAddress& address) {
    RaiseDescriptorLimit(limits_);
    listener_ = Bind(address, limits_.listen_backlog);
    wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) {
      Fail(address, errno);
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    acceptor_ = std::thread([this] { AcceptUntilStopped(); });
    return {address.host, PortOf(bound)};
  }

  void Stop() {
    const std::lock_guard lock(stop_mutex_);
    if (acceptor_.joinable()) {
      const std::uint64_t one = 1;
      // Cannot fail: the counter of an eventfd is far from its end.
      static_cast<void>(::write(wake_.get(), &one, sizeof one) == sizeof one);
      acceptor_.join();
      listener_.Reset();
    }
    streams_.Stop();
    registry_.StopAll(std::chrono::seconds(1));
    threads_.Join();
  }

  HttpStatistics statistics() const {
    HttpStatistics statistics = registry_.statistics();
    statistics.threads_now = threads_.count();
    return statistics;
  }

 private:
  void AcceptUntilStopped() {
    RefusedConnections refused;
    std::vector<pollfd> polled;
    for (;;) {
      polled.assign({{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
      refused.AddTo(polled);
      ::poll(polled.data(), polled.size(), refused.empty() ? -1 : 100);
      if (polled[0].revents != 0) {
        return;
      }
      refused.Drop();
      AcceptAll(refused);
    }
  }

  void AcceptAll(RefusedConnections& refused) {
    constexpr int kAtOnce = 64;
    for (int i = 0; i < kAtOnce; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      UniqueFd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
      if (!socket) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          registry_.EvictOne();
          PauseUnlessStopped();
        }
        return;
      }
      Admit(std::move(socket), peer, refused);
    }
  }

  void Admit(UniqueFd socket, const sockaddr_storage& peer, RefusedConnections& refused) {
    Enable(socket.get(), IPPROTO_TCP, TCP_NODELAY);
    Enable(socket.get(), SOL_SOCKET, SO_KEEPALIVE);
    std::unique_ptr<ConnectionRegistry::Member> member = registry_.Enter(socket.get());
    if (member == nullptr) {
      refused.Refuse(std::move(socket));
      return;
    }
    // std::function wants copies: the pieces are shared until the connection's thread takes them.
    struct Pieces {
      UniqueFd socket;
      std::string peer;
      std::unique_ptr<ConnectionRegistry::Member> member;
    };
    auto pieces = std::make_shared<Pieces>(Pieces{std::move(socket), HostOf(peer), std::move(member)});
    const bool running = threads_.Run([this, pieces] {
      ServeConnection(context_, std::move(pieces->socket), std::move(pieces->peer),
                      std::move(pieces->member));
    });
    if (!running) {
      registry_.Leave(*pieces->member);
      refused.Refuse(std::move(pieces->socket));
    }
  }

  // Without descriptors, accept would fail in a tight loop.
  void PauseUnlessStopped() const {
    pollfd wake{wake_.get(), POLLIN, 0};
    ::poll(&wake, 1, 20);
  }

  const HttpLimits limits_;
  const RequestHandler handler_;
  BodyBudget body_budget_;
  BodyBudget answer_budget_;
  ConnectionRegistry registry_;
  EventStreams streams_;
  const ConnectionContext context_{limits_, handler_, registry_, body_budget_, answer_budget_, streams_};
  ConnectionThreads threads_;
  UniqueFd listener_;
  UniqueFd wake_;
  std::mutex stop_mutex_;
  std::thread acceptor_;
};

HttpServer::HttpServer(const HttpLimits& limits, RequestHandler handler)
    : implementation_(std::make_unique<Implementation>(limits, std::move(handler))) {}

HttpServer::~HttpServer() {
  Stop();
}

ListenAddress HttpServer::Listen(const ListenAddress& address) {
  return implementation_->Listen(address);
}

void HttpServer::Stop() {
  implementation_->Stop();
}

HttpStatistics HttpServer::statistics() const {
  return implementation_->statistics();
}

}  // namespace heliograph::server
