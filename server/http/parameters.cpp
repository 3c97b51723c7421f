#include "server/http/parameters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/text.h"
#include "server/http/problem.h"

namespace heliograph::server {
namespace {

// A value that a client sent, short enough for an error text.
std::string Shown(std::string_view value) {
  constexpr std::size_t kLongest = 80;
  return value.size() <= kLongest ? std::string(value) : std::string(value.substr(0, kLongest)) + "…";
}

[[noreturn]] void Refuse(std::string_view name, std::string_view value, const std::string& allowed) {
  throw ProblemError(
      400, "Parameter " + std::string(name) + " is '" + Shown(value) + "', but must be " + allowed + ".");
}

const std::string* NonEmpty(const Request& request, std::string_view name) {
  const std::string* value = request.FindQuery(name);
  return value == nullptr || value->empty() ? nullptr : value;
}

// An integer of any length, clamped to 64 bits; nothing when the text is none.
std::optional<std::int64_t> ClampedInteger(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) {
      return std::nullopt;
    }
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  if (error == std::errc::result_out_of_range) {
    return text.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                 : std::numeric_limits<std::int64_t>::max();
  }
  return value;
}

std::string UpperAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return out;
}

PublicKey RequirePublicKey(std::string_view name, std::string_view text) {
  const std::optional<PublicKey> key = PublicKey::FromHex(text);
  if (!key) {
    Refuse(name, text, "a public key: 64 hexadecimal digits");
  }
  return *key;
}

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string Base64UrlEncode(std::string_view bytes) {
  std::string out;
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : bytes) {
    pending = (pending << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) {
      out.push_back(kBase64Url[(pending >> (bits - 6)) & 63]);
    }
  }
  if (bits > 0) {
    out.push_back(kBase64Url[(pending << (6 - bits)) & 63]);
  }
  return out;
}

// Nothing unless `text` is just what Base64UrlEncode writes.
std::optional<std::string> Base64UrlDecode(std::string_view text) {
  std::string out;
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t digit = kBase64Url.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    pending = (pending << 6) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((pending >> bits) & 255));
    }
  }
  const bool canonical = bits < 6 && (pending & ((1U << bits) - 1)) == 0;
  return canonical ? std::optional(out) : std::nullopt;
}

}  // namespace

std::int64_t LimitParameter(const Request& request, LimitRange range, std::string_view name) {
  const std::string* text = request.FindQuery(name);
  const std::int64_t value = text == nullptr ? 0 : ClampedInteger(*text).value_or(0);
  return value <= 0 ? range.fallback : std::min(value, range.maximum);
}

std::int64_t OffsetParameter(const Request& request, std::string_view name) {
  const std::string* text = request.FindQuery(name);
  return text == nullptr ? 0 : std::max<std::int64_t>(0, ClampedInteger(*text).value_or(0));
}

std::optional<std::int64_t> IntegerParameter(const Request& request, std::string_view name,
                                             std::int64_t minimum, std::int64_t maximum) {
  const std::string* text = NonEmpty(request, name);
  if (text == nullptr) {
    return std::nullopt;
  }
  const std::optional<std::int64_t> value = ClampedInteger(*text);
  if (!value || *value < minimum || *value > maximum) {
    Refuse(name, *text, "an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum));
  }
  return value;
}

std::optional<double> NumberParameter(const Request& request, std::string_view name, double minimum,
                                      double maximum) {
  const std::string* text = NonEmpty(request, name);
  if (text == nullptr) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = end == text->data() + text->size() && error == std::errc{};
  if (!whole || !std::isfinite(value) || value < minimum || value > maximum) {
    Refuse(name, *text,
           "a number from " + nlohmann::json(minimum).dump() + " to " + nlohmann::json(maximum).dump());
  }
  return value;
}

std::optional<bool> BooleanParameter(const Request& request, std::string_view name) {
  const std::string* text = NonEmpty(request, name);
  if (text == nullptr) {
    return std::nullopt;
  }
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (EqualsIgnoringCase(*text, yes)) {
      return true;
    }
  }
  for (const std::string_view no : {"0", "false", "no", "off"}) {
    if (EqualsIgnoringCase(*text, no)) {
      return false;
    }
  }
  Refuse(name, *text, "true or false");
}

std::optional<UtcMillis> TimeParameter(const Request& request, std::string_view name) {
  const std::string* text = NonEmpty(request, name);
  if (text == nullptr) {
    return std::nullopt;
  }
  const std::optional<ParsedTime> parsed = ParseTime(*text);
  if (!parsed || parsed->zone != TimeZoneKnowledge::kStated) {
    Refuse(name, *text, "a time as 2026-01-31T12:00:00Z (in a URL a + is written %2B)");
  }
  return parsed->time;
}

std::optional<PublicKey> PublicKeyParameter(const Request& request, std::string_view name) {
  const std::string* text = NonEmpty(request, name);
  if (text == nullptr) {
    return std::nullopt;
  }
  return RequirePublicKey(name, *text);
}

PublicKey PublicKeyInPath(const Request& request, std::string_view name) {
  return RequirePublicKey(name, request.PathParameter(name));
}

RegionFilter RegionParameter(const Request& request, std::string_view name) {
  RegionFilter filter;
  const std::string* text = NonEmpty(request, name);
  std::string_view rest = text == nullptr ? std::string_view{} : std::string_view(*text);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string code = UpperAscii(TrimSpace(rest.substr(0, comma)));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (code == "ALL") {
      return {};
    }
    if (!code.empty()) {
      filter.codes.push_back(code);
    }
  }
  std::sort(filter.codes.begin(), filter.codes.end());
  filter.codes.erase(std::unique(filter.codes.begin(), filter.codes.end()), filter.codes.end());
  return filter;
}

std::string EncodeCursor(std::string_view list, std::span<const CursorField> key) {
  nlohmann::json array = nlohmann::json::array({list});
  for (const CursorField& field : key) {
    std::visit([&array](const auto& value) { array.push_back(value); }, field);
  }
  return Base64UrlEncode(array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::optional<std::vector<CursorField>> DecodeCursor(std::string_view list, std::size_t fields,
                                                     std::string_view token) {
  const std::optional<std::string> text = Base64UrlDecode(token);
  // A nested value could only come from somebody else, and its depth would cost stack.
  if (!text || !text->starts_with("[\"") || std::count(text->begin(), text->end(), '[') > 64) {
    return std::nullopt;
  }
  const nlohmann::json array = nlohmann::json::parse(*text, nullptr, false);
  if (!array.is_array() || array.size() != fields + 1 || array[0] != list) {
    return std::nullopt;
  }
  std::vector<CursorField> key;
  for (std::size_t i = 1; i < array.size(); ++i) {
    if (array[i].is_string()) {
      key.emplace_back(array[i].get<std::string>());
    } else if (array[i].is_number_integer() &&
               !(array[i].is_number_unsigned() &&
                 array[i].get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})) {
      key.emplace_back(array[i].get<std::int64_t>());
    } else {
      return std::nullopt;
    }
  }
  return key;
}

std::optional<std::vector<CursorField>> CursorParameter(const Request& request, std::string_view list,
                                                        std::size_t fields, std::string_view name) {
  const std::string* token = NonEmpty(request, name);
  if (token == nullptr) {
    return std::nullopt;
  }
  auto key = DecodeCursor(list, fields, *token);
  if (!key) {
    Refuse(name, *token, "the `next` of a page of this list; begin again without it");
  }
  return key;
}

namespace internal {

void RefuseChoice(std::string_view name, std::string_view value,
                  const std::vector<std::string_view>& choices) {
  std::string allowed = "one of";
  for (const std::string_view choice : choices) {
    allowed += " " + std::string(choice);
  }
  Refuse(name, value, allowed);
}

}  // namespace internal
}  // namespace heliograph::server
