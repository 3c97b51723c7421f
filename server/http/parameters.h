#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/public_key.h"
#include "common/time.h"
#include "server/http/request.h"

namespace heliograph::server {

/// Readers of request parameters. Each looks at the query, so the route must declare the parameter. An absent
/// parameter and an empty one are the same. Where a value cannot be used they throw ProblemError(400) naming
/// the parameter, the value and what is allowed, except where the contract says otherwise.

struct LimitRange {
  std::int64_t fallback;  ///< used when the parameter is absent, not a number, zero or negative
  std::int64_t maximum;   ///< used when the number is larger, however large
};

/// Never refuses: the rule of CoreScope, which its clients rely on.
std::int64_t LimitParameter(const Request& request, LimitRange range, std::string_view name = "limit");

/// Zero when absent, not a number or negative; INT64_MAX when larger than that. Never refuses.
std::int64_t OffsetParameter(const Request& request, std::string_view name = "offset");

/// An integer within [minimum, maximum]; nothing when absent.
std::optional<std::int64_t> IntegerParameter(const Request& request, std::string_view name,
                                             std::int64_t minimum, std::int64_t maximum);

/// A finite number within [minimum, maximum]; nothing when absent.
std::optional<double> NumberParameter(const Request& request, std::string_view name, double minimum,
                                      double maximum);

/// `1`, `true`, `yes`, `on` and `0`, `false`, `no`, `off`, in any case.
std::optional<bool> BooleanParameter(const Request& request, std::string_view name);

/// RFC 3339 with an offset or Z.
std::optional<UtcMillis> TimeParameter(const Request& request, std::string_view name);

/// A node's key in any case.
std::optional<PublicKey> PublicKeyParameter(const Request& request, std::string_view name);
/// The same from the path: `{name}` of the template. 400 when it is no public key.
PublicKey PublicKeyInPath(const Request& request, std::string_view name = "pubkey");

/// The regions that a request asks for, as CoreScope reads them: a comma list, trimmed, upper-cased; `ALL` in
/// any case and empty parts mean no filter.
struct RegionFilter {
  std::vector<std::string> codes;  ///< sorted, without duplicates; empty means no filter
  bool all() const { return codes.empty(); }
};
RegionFilter RegionParameter(const Request& request, std::string_view name = "region");

/// One of `choices`, compared in the case they are written in; nothing when absent.
template <typename Enum>
std::optional<Enum> EnumParameter(const Request& request, std::string_view name,
                                  std::initializer_list<std::pair<std::string_view, Enum>> choices);

/// The place in a list after which the next page begins: the sort key of the last row. Opaque to clients.
using CursorField = std::variant<std::int64_t, std::string>;
/// A token of letters, digits, `-` and `_`. `list` names the list and its order, e.g. "nodes/last_seen".
std::string EncodeCursor(std::string_view list, std::span<const CursorField> key);
/// The fields of a token that EncodeCursor made for the same list with as many fields; nothing for any other
/// text.
std::optional<std::vector<CursorField>> DecodeCursor(std::string_view list, std::size_t fields,
                                                     std::string_view token);
/// DecodeCursor of a query parameter; 400 when it is malformed or belongs to another list.
std::optional<std::vector<CursorField>> CursorParameter(const Request& request, std::string_view list,
                                                        std::size_t fields, std::string_view name = "cursor");

namespace internal {
[[noreturn]] void RefuseChoice(std::string_view name, std::string_view value,
                               const std::vector<std::string_view>& choices);
}  // namespace internal

template <typename Enum>
std::optional<Enum> EnumParameter(const Request& request, std::string_view name,
                                  std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  const std::string* value = request.FindQuery(name);
  if (value == nullptr || value->empty()) {
    return std::nullopt;
  }
  std::vector<std::string_view> names;
  for (const auto& [text, choice] : choices) {
    if (text == *value) {
      return choice;
    }
    names.push_back(text);
  }
  internal::RefuseChoice(name, *value, names);
}

}  // namespace heliograph::server
