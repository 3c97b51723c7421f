#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heliograph::server {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

/// "GET" and so on; "OTHER" for kOther.
std::string_view Name(Method method);
/// kOther for every name that is not one of the seven; methods are case-sensitive (RFC 9110, 9.1).
Method MethodFromName(std::string_view name);

struct Header {
  std::string name;
  std::string value;
};

/// Decoded name and value, in the order in which the client sent them.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// What a handler sees of a request. A value: it owns all of its text.
struct Request {
  Method method = Method::kGet;
  std::string path;            ///< as sent, not decoded, without the query
  Parameters query;            ///< UTF-8; in a handler only the parameters that its route declares
  Parameters path_parameters;  ///< decoded, UTF-8, by the names in the route's template
  std::vector<Header> headers;
  std::string body;
  std::string remote_address;  ///< the peer's IP address as text, without the port

  /// The path and the declared query parameters in one spelling, equal for requests that mean the same. Set
  /// by the Router; the key of caches and entity tags.
  std::string canonical_target;

  /// The value of the first header of this name, in any case of letters; null when there is none.
  const std::string* FindHeader(std::string_view name) const;
  /// The first value of this query parameter; null when it is absent. An undeclared parameter is always
  /// absent.
  const std::string* FindQuery(std::string_view name) const;
  /// The decoded text of `{name}` in the route's template. REQUIRED: the template has it (else
  /// std::logic_error).
  const std::string& PathParameter(std::string_view name) const;
};

/// True when both are equal but for the case of ASCII letters.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// The bytes that a percent-encoded text spells; nothing when a `%` is not followed by two hexadecimal
/// digits.
std::optional<std::string> PercentDecode(std::string_view text);

/// Encodes all but RFC 3986's unreserved characters.
std::string PercentEncode(std::string_view text);

/// Reads `a=1&b=x+y`. Never fails: a malformed `%` stands for itself, bytes that are no UTF-8 and NUL become
/// U+FFFD.
Parameters ParseQuery(std::string_view query);

}  // namespace heliograph::server
