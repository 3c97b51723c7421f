#include "common/text.h"

#include <cstdint>

namespace heliograph {
namespace {

/// The shape of a UTF-8 sequence, as its first byte tells it.
struct Sequence {
  std::size_t length;
  char32_t first_bits;
  char32_t smallest;  ///< below this the form is overlong
};

std::optional<Sequence> SequenceOf(std::uint8_t first) {
  if (first < 0x80) return Sequence{1, first, 0};
  if (first < 0xC0) return std::nullopt;
  if (first < 0xE0) return Sequence{2, first & 0x1Fu, 0x80};
  if (first < 0xF0) return Sequence{3, first & 0x0Fu, 0x800};
  if (first < 0xF8) return Sequence{4, first & 0x07u, 0x10000};
  return std::nullopt;
}

bool IsContinuation(char byte) {
  return (static_cast<std::uint8_t>(byte) & 0xC0) == 0x80;
}

}  // namespace

std::optional<char32_t> NextCodePoint(std::string_view text, std::size_t& position) {
  const std::size_t start = position++;
  const auto sequence = SequenceOf(static_cast<std::uint8_t>(text[start]));
  if (!sequence || text.size() - start < sequence->length) return std::nullopt;
  char32_t code = sequence->first_bits;
  for (std::size_t i = 1; i < sequence->length; ++i) {
    if (!IsContinuation(text[start + i])) return std::nullopt;
    code = code << 6 | (static_cast<std::uint8_t>(text[start + i]) & 0x3Fu);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < sequence->smallest || code > 0x10FFFF || surrogate) return std::nullopt;
  position = start + sequence->length;
  return code;
}

bool IsValidUtf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (!NextCodePoint(text, position)) return false;
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    if (NextCodePoint(text, position)) {
      valid.append(text, start, position - start);
    } else {
      valid.append("\xEF\xBF\xBD");
    }
  }
  return valid;
}

std::string_view TruncateUtf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  // A sequence has at most three continuation bytes; more of them are no sequence, and may be cut anywhere.
  for (int back = 0; back < 3 && end > 0 && IsContinuation(text[end]); ++back) --end;
  if (IsContinuation(text[end])) end = max_bytes;
  return text.substr(0, end);
}

std::string ToPrintable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return printable;
}

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace heliograph
