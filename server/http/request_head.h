#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "server/http/limits.h"
#include "server/http/request.h"

namespace heliograph::server {

/// Why a request ends its connection: the status to answer, and a text for the person who sent it.
struct RequestRefused {
  int status;
  std::string detail;
};

/// A request line and its headers, read by the strict rules of RFC 9112. What two programs could read in two
/// ways is refused, so that no proxy in front of this server can be made to see another request than it does.
struct RequestHead {
  Method method = Method::kOther;
  std::string path;   ///< begins with '/', or is "*"; not decoded
  std::string query;  ///< without the '?', not decoded
  bool version_1_0 = false;
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool wants_close = false;  ///< `Connection: close`, or HTTP/1.0
};

/// Looks for the end of a head in the bytes received so far, each byte once.
class RequestHeadScanner {
 public:
  explicit RequestHeadScanner(const HttpLimits& limits) : limits_(limits) {}

  /// `received` is all that came since the end of the last request; it grows from call to call. The value is
  /// the length of the head with its empty line, zero when more bytes are needed. Refuses with 400 (NUL, bare
  /// CR or LF, a first byte that begins no request), 414 or 431.
  tl::expected<std::size_t, RequestRefused> Scan(std::string_view received);

 private:
  const HttpLimits& limits_;
  std::size_t position_ = 0;
  std::size_t line_begin_ = 0;
  bool in_request_line_ = true;
};

/// Parses a head that RequestHeadScanner found complete. Refuses with 400, 414, 417, 431, 501 or 505. Pure.
tl::expected<RequestHead, RequestRefused> ParseRequestHead(std::string_view head, const HttpLimits& limits);

}  // namespace heliograph::server
