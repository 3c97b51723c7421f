#include "server/http/request_head.h"

#include <algorithm>
#include <charconv>

namespace heliograph::server {
namespace {

tl::unexpected<RequestRefused> Refuse(int status, std::string detail) {
  return tl::unexpected(RequestRefused{status, std::move(detail)});
}

bool IsTokenCharacter(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

bool ListHas(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (EqualsIgnoringCase(Trimmed(list.substr(0, comma)), token)) {
      return true;
    }
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

using Step = tl::expected<void, RequestRefused>;

Step ReadVersion(std::string_view version, RequestHead& head) {
  if (version == "HTTP/1.1") {
    return {};
  }
  if (version == "HTTP/1.0") {
    head.version_1_0 = true;
    head.wants_close = true;
    return {};
  }
  if (version.starts_with("HTTP/")) {
    return Refuse(505, "This server speaks HTTP/1.1 and HTTP/1.0.");
  }
  return Refuse(400, "The request line does not end in a version of HTTP.");
}

Step ReadTarget(std::string_view target, RequestHead& head, const HttpLimits& limits) {
  if (target.size() > limits.max_target_bytes) {
    return Refuse(
        414, "The path and query are longer than " + std::to_string(limits.max_target_bytes) + " bytes.");
  }
  if (std::any_of(target.begin(), target.end(), IsControl) || target.find('#') != std::string_view::npos) {
    return Refuse(400, "The request target has a character that must be percent-encoded.");
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) {
      const std::size_t slash = target.find_first_of("/?", scheme.size());
      target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
  }
  const std::size_t question = target.find('?');
  head.path = target.substr(0, question);
  head.query = question == std::string_view::npos ? "" : target.substr(question + 1);
  if (head.path.empty() && question == 0) {
    head.path = "/";
  }
  if (!head.path.starts_with('/') && !(head.path == "*" && head.method == Method::kOptions)) {
    return Refuse(400, "The request target must begin with a slash.");
  }
  return {};
}

Step ReadRequestLine(std::string_view line, RequestHead& head, const HttpLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Refuse(400, "The request line must be a method, a target and a version.");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!IsToken(line.substr(0, first)) || target.find(' ') != std::string_view::npos) {
    return Refuse(400, "The request line must be a method, a target and a version.");
  }
  head.method = MethodFromName(line.substr(0, first));
  if (Step version = ReadVersion(line.substr(last + 1), head); !version) {
    return version;
  }
  return ReadTarget(target, head, limits);
}

Step ReadHeaderLine(std::string_view line, RequestHead& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Refuse(400, "A header line must be a name, a colon and a value, on one line.");
  }
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), [](char c) { return IsControl(c) && c != '\t'; })) {
    return Refuse(400, "A header has a control character in its value.");
  }
  head.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return {};
}

Step ReadContentLength(std::string_view value, RequestHead& head) {
  std::uint64_t length = 0;
  const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || head.content_length) {
    return Refuse(400, "Content-Length must be one number, given once.");
  }
  if (std::from_chars(value.data(), value.data() + value.size(), length).ec != std::errc{}) {
    return Refuse(413, "The announced body is longer than this server takes.");
  }
  head.content_length = length;
  return {};
}

Step ReadTransferEncoding(std::string_view value, RequestHead& head) {
  if (head.chunked || head.version_1_0) {
    return Refuse(400, "Transfer-Encoding is given twice, or in HTTP/1.0.");
  }
  if (!EqualsIgnoringCase(value, "chunked")) {
    return Refuse(501, "The only Transfer-Encoding that this server knows is chunked.");
  }
  head.chunked = true;
  return {};
}

Step ReadExpect(std::string_view value, RequestHead& head) {
  if (!EqualsIgnoringCase(value, "100-continue")) {
    return Refuse(417, "The only expectation that this server knows is 100-continue.");
  }
  head.expects_continue = !head.version_1_0;
  return {};
}

// The headers that decide how the connection goes on.
Step ReadFraming(RequestHead& head) {
  std::size_t hosts = 0;
  for (const Header& header : head.headers) {
    Step step;
    if (EqualsIgnoringCase(header.name, "Content-Length")) {
      step = ReadContentLength(header.value, head);
    } else if (EqualsIgnoringCase(header.name, "Transfer-Encoding")) {
      step = ReadTransferEncoding(header.value, head);
    } else if (EqualsIgnoringCase(header.name, "Expect")) {
      step = ReadExpect(header.value, head);
    } else if (EqualsIgnoringCase(header.name, "Connection")) {
      head.wants_close = head.wants_close || ListHas(header.value, "close");
    } else if (EqualsIgnoringCase(header.name, "Host")) {
      ++hosts;
    }
    if (!step) {
      return step;
    }
  }
  if (hosts > 1 || (hosts == 0 && !head.version_1_0)) {
    return Refuse(400, "A request must have one Host header.");
  }
  if (head.chunked && head.content_length) {
    return Refuse(400, "A request has either a Content-Length or a Transfer-Encoding.");
  }
  return {};
}

}  // namespace

tl::expected<std::size_t, RequestRefused> RequestHeadScanner::Scan(std::string_view received) {
  for (; position_ < received.size(); ++position_) {
    if (position_ >= limits_.max_head_bytes) {
      return Refuse(431, "The headers are longer than " + std::to_string(limits_.max_head_bytes) + " bytes.");
    }
    const char c = received[position_];
    const bool after_cr = position_ > 0 && received[position_ - 1] == '\r';
    if (c == '\0' || (c == '\n') != after_cr) {
      return Refuse(400, "The head has a NUL byte, or a CR or LF that does not end a line.");
    }
    if (c == '\n') {
      const bool empty_line = position_ - line_begin_ == 1;
      line_begin_ = position_ + 1;
      if (empty_line && !in_request_line_) {
        return ++position_;
      }
      // An empty line in front of a request is ignored: RFC 9112, 2.2.
      in_request_line_ = in_request_line_ && empty_line;
    } else if (in_request_line_) {
      const std::size_t length = position_ - line_begin_;
      if (length == 0 && c != '\r' && !IsTokenCharacter(c)) {
        return Refuse(400, "This is no HTTP request.");
      }
      constexpr std::size_t kMethodAndVersion = 64;
      if (length > limits_.max_target_bytes + kMethodAndVersion) {
        return Refuse(414, "The path and query are longer than " + std::to_string(limits_.max_target_bytes) +
                               " bytes.");
      }
    }
  }
  return 0;
}

tl::expected<RequestHead, RequestRefused> ParseRequestHead(std::string_view head_text,
                                                           const HttpLimits& limits) {
  while (head_text.starts_with("\r\n")) {
    head_text.remove_prefix(2);
  }
  RequestHead head;
  Step step = ReadRequestLine(TakeLine(head_text), head, limits);
  while (step && !head_text.empty()) {
    const std::string_view line = TakeLine(head_text);
    if (line.empty()) {
      break;
    }
    if (head.headers.size() == limits.max_headers) {
      return Refuse(431, "The request has more than " + std::to_string(limits.max_headers) + " headers.");
    }
    step = ReadHeaderLine(line, head);
  }
  if (step) {
    step = ReadFraming(head);
  }
  if (!step) {
    return tl::unexpected(step.error());
  }
  return head;
}

}  // namespace heliograph::server
