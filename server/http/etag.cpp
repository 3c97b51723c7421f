#include "server/http/etag.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "common/bytes.h"
#include "common/crypto.h"

namespace heliograph::server {
namespace {

constexpr std::size_t kDigestBytes = 12;

std::string Quoted(const Sha256Digest& digest) {
  return "\"" + ToHexLower(std::span(digest).first(kDigestBytes)) + "\"";
}

std::string_view SkipSpaceAndCommas(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t,");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

// The entity tag, with quotes and without W/, that `list` begins with, which is removed from it; empty when
// malformed.
std::string_view TakeTag(std::string_view& list) {
  if (list.starts_with("W/")) {
    list.remove_prefix(2);
  }
  const std::size_t end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
  if (end == std::string_view::npos) {
    return {};
  }
  const std::string_view tag = list.substr(0, end + 1);
  list = list.substr(end + 1);
  return tag;
}

bool ListNames(std::string_view list, std::string_view etag) {
  list = SkipSpaceAndCommas(list);
  while (!list.empty()) {
    const std::string_view tag = TakeTag(list);
    if (tag.empty()) {
      return false;
    }
    if (tag == etag) {
      return true;
    }
    list = SkipSpaceAndCommas(list);
  }
  return false;
}

}  // namespace

std::string ETagOf(std::string_view canonical_target, const Generation& generation) {
  std::array<char, 24> number{};
  const char* end = std::to_chars(number.data(), number.data() + number.size(), generation.number).ptr;
  std::string text = HELIOGRAPH_VERSION;
  text.push_back('\0');
  text += generation.epoch;
  text.push_back('\0');
  text.append(number.data(), static_cast<std::size_t>(end - number.data()));
  text.push_back('\0');
  text += canonical_target;
  return Quoted(Sha256(AsBytes(text)));
}

std::string ETagOfBody(std::string_view body) {
  return Quoted(Sha256(AsBytes(body)));
}

bool NamesETag(const Request& request, std::string_view etag) {
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const Header& header) {
    return EqualsIgnoringCase(header.name, "If-None-Match") && ListNames(header.value, etag);
  });
}

bool MatchesIfNoneMatch(const Request& request, std::string_view etag) {
  const auto takes_any = [](const Header& header) {
    return EqualsIgnoringCase(header.name, "If-None-Match") && SkipSpaceAndCommas(header.value) == "*";
  };
  return NamesETag(request, etag) || std::any_of(request.headers.begin(), request.headers.end(), takes_any);
}

Response NotModified(std::string etag) {
  Response response;
  response.status = 304;
  response.content_type.clear();
  response.headers.push_back({"ETag", std::move(etag)});
  return response;
}

Response WithETag(const Request& request, Response response, std::string etag) {
  if (response.status != 200 || response.IsStream()) {
    return response;
  }
  if (MatchesIfNoneMatch(request, etag)) {
    Response not_modified = NotModified(std::move(etag));
    for (const char* kept : {"Cache-Control", "Vary"}) {
      if (const std::string* value = response.FindHeader(kept)) {
        not_modified.SetHeader(kept, *value);
      }
    }
    return not_modified;
  }
  response.SetHeader("ETag", std::move(etag));
  return response;
}

}  // namespace heliograph::server
