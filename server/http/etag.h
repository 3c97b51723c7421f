#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/http/response.h"

namespace heliograph::server {

/// What an answer was computed from. Two equal generations give equal answers to equal requests.
struct Generation {
  /// Everything but the counter that an answer depends on: the database's epoch, the boot when figures live
  /// in memory.
  std::string epoch;
  std::uint64_t number = 0;
  bool operator==(const Generation&) const = default;
};

/// A strong entity tag, with its quotes, of the answer to `canonical_target` at `generation`. Also differs
/// between versions of this program.
std::string ETagOf(std::string_view canonical_target, const Generation& generation);

/// A strong entity tag of these bytes.
std::string ETagOfBody(std::string_view body);

/// True when an If-None-Match header of this request names `etag` itself, which only an answer can have told
/// it. Compares weakly, as below.
bool NamesETag(const Request& request, std::string_view etag);

/// True when an If-None-Match header of this request names `etag` or is `*`. Compares weakly (RFC
/// 9110, 13.1.2): a client may send the tag with W/ in front. A malformed header matches nothing.
bool MatchesIfNoneMatch(const Request& request, std::string_view etag);

/// 304 with this tag and no body.
Response NotModified(std::string etag);

/// Adds the tag to a 200 response, or turns it into a 304 when the request already holds it. Other statuses
/// and streams stay as they are.
Response WithETag(const Request& request, Response response, std::string etag);

}  // namespace heliograph::server
