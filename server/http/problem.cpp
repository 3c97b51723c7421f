#include "server/http/problem.h"

#include <array>
#include <utility>

#include "common/text.h"

namespace heliograph::server {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 31> kReasons{{{100, "Continue"},
                                                                     {200, "OK"},
                                                                     {201, "Created"},
                                                                     {202, "Accepted"},
                                                                     {204, "No Content"},
                                                                     {301, "Moved Permanently"},
                                                                     {302, "Found"},
                                                                     {303, "See Other"},
                                                                     {304, "Not Modified"},
                                                                     {307, "Temporary Redirect"},
                                                                     {308, "Permanent Redirect"},
                                                                     {400, "Bad Request"},
                                                                     {401, "Unauthorized"},
                                                                     {403, "Forbidden"},
                                                                     {404, "Not Found"},
                                                                     {405, "Method Not Allowed"},
                                                                     {406, "Not Acceptable"},
                                                                     {408, "Request Timeout"},
                                                                     {409, "Conflict"},
                                                                     {410, "Gone"},
                                                                     {412, "Precondition Failed"},
                                                                     {413, "Content Too Large"},
                                                                     {414, "URI Too Long"},
                                                                     {415, "Unsupported Media Type"},
                                                                     {422, "Unprocessable Content"},
                                                                     {429, "Too Many Requests"},
                                                                     {431, "Request Header Fields Too Large"},
                                                                     {500, "Internal Server Error"},
                                                                     {501, "Not Implemented"},
                                                                     {503, "Service Unavailable"},
                                                                     {505, "HTTP Version Not Supported"}}};

void AppendEscaped(std::string& out, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (c < 0x20 || c == 0x7F || c == '<' || c == '>' || c == '&') {
    out += "\\u00";
    out.push_back(kDigits[c >> 4]);
    out.push_back(kDigits[c & 15]);
    return;
  }
  out.push_back(static_cast<char>(c));
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  for (const auto& [known, phrase] : kReasons) {
    if (known == status) {
      return phrase;
    }
  }
  return "Unknown";
}

std::string JsonQuoted(std::string_view text) {
  const std::string valid = ToValidUtf8(text);
  std::string out = "\"";
  out.reserve(valid.size() + 2);
  for (const char c : valid) {
    AppendEscaped(out, static_cast<unsigned char>(c));
  }
  out.push_back('"');
  return out;
}

Response ProblemResponse(int status, std::string_view detail, std::string_view instance,
                         std::string_view extra) {
  const std::string quoted_detail = JsonQuoted(detail);
  std::string json = "{\"error\":" + quoted_detail + R"(,"type":"about:blank","title":)" +
                     JsonQuoted(ReasonPhrase(status)) + ",\"status\":" + std::to_string(status) +
                     ",\"detail\":" + quoted_detail;
  if (!instance.empty()) {
    json += ",\"instance\":" + JsonQuoted(instance);
  }
  if (!extra.empty()) {
    json += ",";
    json += extra;
  }
  json += "}\n";
  Response response = JsonResponse(std::move(json), status);
  response.content_type = "application/problem+json";
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

}  // namespace heliograph::server
