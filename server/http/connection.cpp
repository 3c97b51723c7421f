#include "server/http/connection.h"

#include <httplib.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "server/http/chunked_body.h"
#include "server/http/problem.h"
#include "server/http/request_head.h"

namespace heliograph::server {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kReadBlock = 16 * 1024;
// Answers up to this size leave in one piece with their head.
constexpr std::size_t kJoinBytes = 16 * 1024;
// The slowest pace at which a client may take an answer beyond the write time-out.
constexpr std::size_t kSlowestBytesPerMillisecond = 16;

std::string DateText() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

// Bytes of a body, taken from the budget and returned with the lease.
class BodyLease {
 public:
  explicit BodyLease(BodyBudget& budget) : budget_(budget) {}
  BodyLease(const BodyLease&) = delete;
  BodyLease& operator=(const BodyLease&) = delete;
  ~BodyLease() { budget_.Return(taken_); }

  bool GrowTo(std::size_t bytes) {
    if (bytes > taken_) {
      if (!budget_.Take(bytes - taken_)) {
        return false;
      }
      taken_ = bytes;
    }
    return true;
  }

 private:
  BodyBudget& budget_;
  std::size_t taken_ = 0;
};

// The library's view of a connection: it reads a head that was checked before, and nothing beyond it; what it
// writes goes to the socket with a deadline.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(int fd, const HttpLimits& limits, std::string head, ConnectionRegistry::Member& member)
      : fd_(fd), limits_(limits), head_(std::move(head)), member_(member) {}

  ssize_t read(char* data, size_t size) override {
    const std::size_t count = head_.copy(data, size, read_);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* data, size_t size) override {
    if (joined_.size() + size <= kJoinBytes) {
      joined_.append(data, size);
      return static_cast<ssize_t>(size);
    }
    return Send({data, size}) ? static_cast<ssize_t>(size) : -1;
  }
  bool Flush() { return Send({}); }
  bool failed() const { return failed_; }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // The library refuses sockets above FD_SETSIZE, for it would select() on them; it never gets to touch this
  // one.
  socket_t socket() const override { return 0; }
  // Not `override` where a version of the library has not got the function.
  bool is_readable() const { return true; }
  bool is_writable() const { return !failed_; }
  bool wait_readable() const { return true; }
  bool wait_writable() const { return !failed_; }
  time_t duration() const { return 0; }

 private:
  bool Send(std::string_view data) {
    const std::size_t size = joined_.size() + data.size();
    if (size == 0 || failed_) {
      return !failed_;
    }
    const auto pace = std::chrono::milliseconds(size / kSlowestBytesPerMillisecond);
    member_.MarkSlow();
    failed_ = !WriteAll(fd_, joined_, data, steady_clock::now() + limits_.write_timeout + pace);
    member_.MarkBusy();
    joined_.clear();
    return !failed_;
  }

  const int fd_;
  const HttpLimits& limits_;
  const std::string head_;
  ConnectionRegistry::Member& member_;
  std::size_t read_ = 0;
  std::string joined_;
  bool failed_ = false;
};

// The library's parser and response writer, without its listener, routes and body reader: those have no
// bounds that hold, and 0.11.4 lacks later security fixes in them.
class Exchange : private httplib::Server {
 public:
  Exchange() {
    svr_sock_ = 0;  // providers stop at once when it is invalid
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Fill(std::move(answer_), request, response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Keep-Alive");
      response.headers.erase("Accept-Ranges");
      if (response.status == 204 || response.status == 304) {
        response.headers.erase("Content-Length");
      }
    });
  }

  // Writes the answer, which is no stream; true when the connection can serve another request.
  bool Write(BoundedStream& stream, bool close, Response answer) {
    answer_ = std::move(answer);
    bool closed = false;
    const bool written = Process(*this, stream, close, closed);
    return stream.Flush() && written && !close && !closed;
  }

 private:
  // process_request of 0.11 (Debian 12), or of 0.18 (Debian 13), which is told the addresses.
  template <typename Self>
  static bool Process(Self& self, httplib::Stream& stream, bool close, bool& closed) {
    const std::function<void(httplib::Request&)> nothing = [](httplib::Request&) {};
    if constexpr (requires { self.process_request(stream, close, closed, nothing); }) {
      return self.process_request(stream, close, closed, nothing);
    } else {
      return self.process_request(stream, std::string(), 0, std::string(), 0, close, closed, nothing);
    }
  }

  void Fill(Response from, const httplib::Request& request, httplib::Response& to) {
    to.status = from.status;
    to.set_header("Date", DateText());
    for (const Header& header : from.headers) {
      to.set_header(header.name, header.value);
    }
    if (!from.content_type.empty()) {
      to.set_header("Content-Type", from.content_type);
    }
    if (auto* text = std::get_if<std::string>(&from.body)) {
      to.body = std::move(*text);
      return;
    }
    auto shared = std::get<std::shared_ptr<const std::string>>(std::move(from.body));
    if (request.method == "HEAD" || shared->empty()) {
      to.body = *shared;
      return;
    }
    to.headers.erase("Content-Type");
    const std::size_t size = shared->size();
    to.set_content_provider(
        size, from.content_type,
        [shared = std::move(shared)](size_t offset, size_t length, httplib::DataSink& sink) {
          return sink.write(shared->data() + offset, length);
        });
  }

  Response answer_;
};

// The head of a stream, which ends with its connection.
std::string StreamHead(const Response& response) {
  std::string head = "HTTP/1.1 200 OK\r\nDate: " + DateText() + "\r\nContent-Type: " + response.content_type +
                     "\r\nConnection: close\r\n";
  for (const Header& header : response.headers) head += header.name + ": " + header.value + "\r\n";
  return head + "\r\n";
}

Response TooManyStreams() {
  Response response = EventStreamResponse(nullptr);
  response.body = std::string("retry: 15000\n\n");
  return response;
}

class Connection {
 public:
  Connection(const ConnectionContext& context, int fd, std::string remote_address,
             ConnectionRegistry::Member& member)
      : context_(context),
        limits_(context.limits),
        fd_(fd),
        remote_address_(std::move(remote_address)),
        member_(member) {}

  struct Handover {
    std::string head;
    std::shared_ptr<EventSource> source;
  };
  // The stream that the connection has become; nothing when it is at its end.
  std::optional<Handover>& handover() { return handover_; }

  // True when the peer may still be sending and must be given time to read the last answer.
  bool Serve() {
    for (std::size_t served = 1; ServeOne(served >= limits_.max_requests_per_connection); ++served) {
    }
    return refused_;
  }

 private:
  using Refusal = tl::expected<void, RequestRefused>;

  // False when the connection is at its end.
  bool ServeOne(bool last) {
    auto head = ReadHead();
    if (!head) {
      return head.error().status != 0 && Refuse(head.error());
    }
    Request request;
    BodyLease lease(context_.body_budget);
    BodyLease answer_lease(context_.answer_budget);
    if (Refusal body = ReadBody(*head, request.body, lease); !body) {
      return body.error().status != 0 && Refuse(body.error());
    }
    context_.registry.CountRequest();
    request.method = head->method;
    request.path = std::move(head->path);
    request.query = ParseQuery(head->query);
    request.headers = std::move(head->headers);
    request.remote_address = remote_address_;
    member_.MarkBusy();
    const bool close = last || head->wants_close || context_.registry.stopping() || member_.evicted();
    const bool head_only = request.method == Method::kHead;
    Response response = Handle(std::move(request), answer_lease);
    if (response.IsStream()) {
      handover_ = Handover{StreamHead(response), std::get<std::shared_ptr<EventSource>>(response.body)};
      return false;
    }
    return Write(head_only, close, std::move(response));
  }

  // `lease` holds the memory of the answer, which outlives the slots that handlers have for making it: the
  // slowest of clients takes minutes.
  Response Handle(Request request, BodyLease& lease) {
    const std::string path = request.path;
    Response response;
    try {
      response = context_.handler(std::move(request));
    } catch (const std::exception&) {
      response = ProblemResponse(500, "The server failed to answer this request.", path);
    } catch (...) {
      response = ProblemResponse(500, "The server failed to answer this request.", path);
    }
    if (response.IsStream() && !context_.registry.BecomeStream(member_)) {
      return TooManyStreams();
    }
    const auto* own = std::get_if<std::string>(&response.body);
    if (own != nullptr && own->size() > kJoinBytes &&
        !lease.GrowTo(std::min(own->size(), context_.answer_budget.whole()))) {
      response =
          ProblemResponse(503, "Too many large answers are being sent at this moment; try again.", path);
      response.SetHeader("Retry-After", "1");
    }
    return response;
  }

  bool Write(bool head_only, bool close, Response answer) {
    // The library is handed only what its writer depends on. Its own parser decodes targets and header values
    // in ways that later versions had to correct.
    std::string reduced = head_only ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n";
    BoundedStream stream(fd_, limits_, std::move(reduced), member_);
    return exchange_.Write(stream, close, std::move(answer));
  }

  bool Refuse(const RequestRefused& refused) {
    context_.registry.CountMalformed();
    refused_ = true;
    Response response = ProblemResponse(refused.status, refused.detail);
    if (refused.status == 503) {
      response.SetHeader("Retry-After", "1");
    }
    Write(false, true, std::move(response));
    return false;
  }

  // Status 0 means: end without an answer.
  static tl::unexpected<RequestRefused> End() { return tl::unexpected(RequestRefused{0, {}}); }

  static tl::unexpected<RequestRefused> NotRead(ReadResult result, const char* what) {
    if (result == ReadResult::kTimeout) {
      return tl::unexpected(RequestRefused{408, std::string("The ") + what + " did not arrive in time."});
    }
    return End();
  }

  tl::expected<RequestHead, RequestRefused> ReadHead() {
    RequestHeadScanner scanner(limits_);
    const bool idle = received_.empty();
    idle ? member_.MarkIdle() : member_.MarkSlow();
    if (context_.registry.stopping()) {
      return End();
    }
    if (idle && ReadSome(fd_, received_, kReadBlock, steady_clock::now() + limits_.idle_timeout) !=
                    ReadResult::kData) {
      return End();
    }
    const SteadyTime deadline = steady_clock::now() + limits_.head_timeout;
    for (;;) {
      const auto length = scanner.Scan(received_);
      if (!length) {
        return tl::unexpected(length.error());
      }
      if (*length > 0) {
        auto head = ParseRequestHead(std::string_view(received_).substr(0, *length), limits_);
        received_.erase(0, *length);
        return head;
      }
      if (idle) {
        member_.MarkSlow();
      }
      const ReadResult result = ReadMore(deadline);
      if (result != ReadResult::kData) {
        return NotRead(result, "head of the request");
      }
    }
  }

  ReadResult ReadMore(SteadyTime deadline) { return ReadSome(fd_, received_, kReadBlock, deadline); }

  Refusal ReadBody(const RequestHead& head, std::string& body, BodyLease& lease) {
    if (!head.chunked && head.content_length.value_or(0) == 0) {
      return {};
    }
    if (head.content_length.value_or(0) > limits_.max_body_bytes) {
      return tl::unexpected(TooLong());
    }
    if (head.expects_continue && received_.empty() &&
        !WriteAll(fd_, "HTTP/1.1 100 Continue\r\n\r\n", {}, steady_clock::now() + limits_.write_timeout)) {
      return End();
    }
    const SteadyTime deadline = steady_clock::now() + limits_.body_timeout;
    member_.MarkSlow();
    return head.chunked ? ReadChunks(body, lease, deadline)
                        : ReadLength(static_cast<std::size_t>(*head.content_length), body, lease, deadline);
  }

  Refusal ReadLength(std::size_t length, std::string& body, BodyLease& lease, SteadyTime deadline) {
    for (;;) {
      const std::size_t taken = std::min(length - body.size(), received_.size());
      if (!lease.GrowTo(body.size() + taken)) {
        return tl::unexpected(NoMemory());
      }
      body.append(received_, 0, taken);
      received_.erase(0, taken);
      if (body.size() == length) {
        return {};
      }
      if (const ReadResult result = ReadMore(deadline); result != ReadResult::kData) {
        return NotRead(result, "body of the request");
      }
    }
  }

  Refusal ReadChunks(std::string& body, BodyLease& lease, SteadyTime deadline) {
    ChunkedBodyDecoder decoder(limits_.max_body_bytes);
    for (;;) {
      if (!lease.GrowTo(body.size() + received_.size())) {
        return tl::unexpected(NoMemory());
      }
      const auto consumed = decoder.Decode(received_, body);
      if (!consumed) {
        return tl::unexpected(consumed.error());
      }
      received_.erase(0, *consumed);
      if (decoder.done()) {
        return {};
      }
      if (const ReadResult result = ReadMore(deadline); result != ReadResult::kData) {
        return NotRead(result, "body of the request");
      }
    }
  }

  RequestRefused TooLong() const {
    return {413, "The body is longer than " + std::to_string(limits_.max_body_bytes) + " bytes."};
  }
  static RequestRefused NoMemory() { return {503, "Too many large requests at this moment; try again."}; }

  const ConnectionContext& context_;
  const HttpLimits& limits_;
  const int fd_;
  const std::string remote_address_;
  ConnectionRegistry::Member& member_;
  Exchange exchange_;
  std::string received_;  // what came and is not yet consumed
  bool refused_ = false;
  std::optional<Handover> handover_;
};

}  // namespace

bool BodyBudget::Take(std::size_t bytes) {
  std::size_t left = left_.load();
  do {
    if (left < bytes) {
      return false;
    }
  } while (!left_.compare_exchange_weak(left, left - bytes));
  return true;
}

void ServeConnection(const ConnectionContext& context, UniqueFd socket, std::string remote_address,
                     std::unique_ptr<ConnectionRegistry::Member> member) noexcept {
  bool linger = false;
  try {
    Connection connection(context, socket.get(), std::move(remote_address), *member);
    linger = connection.Serve();
    if (auto& stream = connection.handover()) {
      context.streams.Adopt(std::move(socket), std::move(member), std::move(stream->head),
                            std::move(stream->source));
      return;
    }
  } catch (...) {
    // Memory ran out. The other connections go on; this one is closed.
  }
  if (linger && !context.registry.stopping()) {
    member->MarkSlow();
    DrainBeforeClose(socket.get());
  }
  context.registry.Leave(*member);
}

}  // namespace heliograph::server
