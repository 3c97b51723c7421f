#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/http/request.h"

namespace heliograph::server {

/// Where a long-lived response writes. Used by one thread, the one that runs the StreamBody.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  /// Sends `data` at once. False when the client is gone or did not take it within the write time-out: return
  /// then.
  virtual bool Write(std::string_view data) = 0;
  /// True once the server stops: return soon (look at least once a second).
  virtual bool Closing() const = 0;
};

/// Writes a response of unknown length and returns when it is at its end. Its connection is closed
/// afterwards. It runs on its connection's thread and counts against HttpLimits::max_streams instead of
/// max_connections.
using StreamBody = std::function<void(StreamWriter&)>;

/// A whole body, a whole body that a cache owns too, or a stream.
using ResponseBody = std::variant<std::string, std::shared_ptr<const std::string>, StreamBody>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;  ///< without Content-Type, Content-Length, Connection and Date
  ResponseBody body;

  /// Replaces every header of this name.
  void SetHeader(std::string_view name, std::string value);
  const std::string* FindHeader(std::string_view name) const;
  bool IsStream() const { return std::holds_alternative<StreamBody>(body); }
  /// The whole body. REQUIRED: not a stream.
  const std::string& Text() const;
};

/// 200 (or `status`) with `json` as application/json.
Response JsonResponse(std::string json, int status = 200);

/// 200 as text/event-stream, with the headers that keep proxies from buffering it. Over the cap on streams
/// the server answers 200 with `retry: 15000` in its place, for an EventSource gives up for ever at any other
/// status.
Response EventStreamResponse(StreamBody body);

}  // namespace heliograph::server
