#include "common/config_input.h"

#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "common/text.h"

namespace heliograph::config_input {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 << 10;

}  // namespace

void Refuse(std::string message) {
  throw InvalidConfig{{std::move(message), 0, 0}};
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  std::istringstream stream{std::string(text)};
  for (std::string item; std::getline(stream, item, ',');) {
    const std::string_view trimmed = TrimSpace(item);
    if (!trimmed.empty()) items.emplace_back(trimmed);
  }
  return items;
}

std::string ReadWhole(const std::filesystem::path& file, std::size_t limit, const std::string& purpose) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(file, ignored)) {
    Refuse(purpose + ": can't read " + file.string() + "; make it readable or name another file");
  }
  std::string text(limit + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limit) {
    Refuse(purpose + ": " + file.string() + " is longer than " + std::to_string(limit) + " bytes");
  }
  return text;
}

std::string ReadSecret(const std::filesystem::path& file, const std::string& purpose) {
  std::string secret = ReadWhole(file, kMaxSecretBytes, purpose);
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) Refuse(purpose + ": " + file.string() + " is empty; put the secret into it");
  return secret;
}

}  // namespace heliograph::config_input
