#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace heliograph {

/// The code point that starts at `position`, which moves past it. Nothing for a byte that starts no
/// well-formed sequence (RFC 3629: overlong forms, surrogates and values above U+10FFFF are not), and then
/// `position` moves one byte on. REQUIRED: position < text.size().
std::optional<char32_t> NextCodePoint(std::string_view text, std::size_t& position);

/// True when `text` is well-formed UTF-8. Empty text is.
bool IsValidUtf8(std::string_view text);

/// `text` with every byte that belongs to no well-formed sequence replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);

/// The longest prefix of `text` that has at most `max_bytes` bytes and does not end inside a UTF-8 sequence.
/// Unowned.
std::string_view TruncateUtf8(std::string_view text, std::size_t max_bytes);

/// `text` as it may stand in a log: one line, the bytes below 0x20 and 0x7F replaced by '?', the others
/// untouched.
std::string ToPrintable(std::string_view text);

/// `text` without the ASCII white space at its ends. Unowned.
std::string_view TrimSpace(std::string_view text);

}  // namespace heliograph
