#include "common/ulid.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace heliograph {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTimeSize = Ulid::kSize - Ulid::kRandomSize;

void FillRandom(std::array<std::uint8_t, Ulid::kRandomSize>& out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::getrandom(out.data() + filled, out.size() - filled, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "no random bytes from the kernel");
    }
    filled += static_cast<std::size_t>(got);
  }
}

}  // namespace

Ulid Ulid::FromParts(UtcMillis time, const std::array<std::uint8_t, kRandomSize>& random) {
  std::array<std::uint8_t, kSize> bytes{};
  auto millis = static_cast<std::uint64_t>(time.time_since_epoch().count());
  for (std::size_t i = kTimeSize; i-- > 0; millis >>= 8) bytes[i] = static_cast<std::uint8_t>(millis & 0xff);
  std::copy(random.begin(), random.end(), bytes.begin() + kTimeSize);
  return Ulid(bytes);
}

Ulid Ulid::Generate(UtcMillis now) {
  std::array<std::uint8_t, kRandomSize> random{};
  FillRandom(random);
  return FromParts(now, random);
}

std::optional<Ulid> Ulid::Parse(std::string_view text) {
  // 26 characters carry 130 bits: the first has only three.
  if (text.size() != kTextLength || text[0] > '7') return std::nullopt;
  std::array<std::uint8_t, kSize> bytes{};
  std::uint32_t pending = 0;
  int pending_bits = -2;
  std::size_t filled = 0;
  for (const char character : text) {
    const auto digit = kAlphabet.find(character);
    if (digit == std::string_view::npos) return std::nullopt;
    pending = (pending << 5) | static_cast<std::uint32_t>(digit);
    pending_bits += 5;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes[filled++] = static_cast<std::uint8_t>((pending >> pending_bits) & 0xff);
  }
  return Ulid(bytes);
}

std::string Ulid::ToText() const {
  std::string text;
  text.reserve(kTextLength);
  std::uint32_t pending = 0;
  int pending_bits = 2;
  for (const std::uint8_t byte : bytes_) {
    pending = (pending << 8) | byte;
    pending_bits += 8;
    while (pending_bits >= 5) {
      pending_bits -= 5;
      text.push_back(kAlphabet[(pending >> pending_bits) & 0x1f]);
    }
  }
  return text;
}

UtcMillis Ulid::time() const {
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < kTimeSize; ++i) millis = (millis << 8) | bytes_[i];
  return UtcMillis(std::chrono::milliseconds(millis));
}

}  // namespace heliograph
