#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/http/request.h"

namespace heliograph::server {

/// What an event stream sends. Used by one thread, which serves all streams: it must not wait.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// Appends whole frames that are due at `now` to `out`, some tens of KiB at most; nothing when nothing is
  /// due. Called when the client has taken everything before: at once after a call that appended something,
  /// and some ten times a second otherwise. False ends the stream once what was appended is sent. What it
  /// throws ends the stream at once.
  virtual bool Append(std::string& out, std::chrono::steady_clock::time_point now) = 0;
};

/// A whole body, a whole body that a cache owns too, or a stream. A stream counts against
/// HttpLimits::max_streams instead of max_connections, and its connection is closed at its end.
using ResponseBody =
    std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<EventSource>>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;  ///< without Content-Type, Content-Length, Connection and Date
  ResponseBody body;

  /// Replaces every header of this name.
  void SetHeader(std::string_view name, std::string value);
  const std::string* FindHeader(std::string_view name) const;
  bool IsStream() const { return std::holds_alternative<std::shared_ptr<EventSource>>(body); }
  /// The whole body. REQUIRED: not a stream.
  const std::string& Text() const;
};

/// 200 (or `status`) with `json` as application/json.
Response JsonResponse(std::string json, int status = 200);

/// 200 as text/event-stream, with the headers that keep proxies from buffering it. Over the cap on streams
/// the server answers 200 with `retry: 15000` in its place, for an EventSource gives up for ever at any other
/// status.
Response EventStreamResponse(std::shared_ptr<EventSource> source);

}  // namespace heliograph::server
