#include "server/http/api_key.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <openssl/crypto.h>

#include "common/text.h"
#include "server/http/problem.h"

namespace heliograph::server {
namespace {

// Long enough, and still no secret: what example configurations and keyboards offer.
constexpr std::array<std::string_view, 8> kKnownKeys{
    "your-secret-api-key-here", "changemechangeme",   "1234567890123456",  "0123456789abcdef",
    "passwordpassword",         "secretsecretsecret", "your-api-key-here", "qwertyuiopasdfgh"};

void RefuseWeak(const std::string& key) {
  if (key.size() < ApiKeyGuard::kMinimumLength) {
    throw WeakApiKeyError(
        "The API key has " + std::to_string(key.size()) + " characters and must have at least " +
        std::to_string(ApiKeyGuard::kMinimumLength) + "; make one with: openssl rand -hex 24");
  }
  const bool one_character = key.find_first_not_of(key.front()) == std::string::npos;
  bool known = one_character;
  for (const std::string_view candidate : kKnownKeys) {
    known = known || EqualsIgnoringCase(candidate, key);
  }
  if (known) {
    throw WeakApiKeyError("The API key is one that anybody would try; make one with: openssl rand -hex 24");
  }
}

/// The host of a Host header, without its port.
std::string_view HostName(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.find(']'), host.size() - 1) + 1);
  return host.substr(0, host.find(':'));
}

bool IsLoopbackName(std::string_view name) {
  if (EqualsIgnoringCase(name, "localhost") || name == "[::1]") return true;
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(name).c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool IsJson(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return EqualsIgnoringCase(TrimSpace(type), "application/json");
}

// A page of the web may post a form to a loopback address, and by a name of its own may even read the answer;
// it cannot post JSON without asking first, nor choose the Host header.
void RefusePagesOfTheWeb(const Request& request) {
  const std::string* host = request.FindHeader("Host");
  if (host == nullptr || !IsLoopbackName(HostName(*host))) {
    throw ProblemError(403, "Without an API key only requests to localhost or a loopback address may write.");
  }
  const std::string* type = request.FindHeader("Content-Type");
  if (!request.body.empty() && (type == nullptr || !IsJson(*type))) {
    throw ProblemError(415, "Without an API key a body must come with Content-Type: application/json.");
  }
}

bool EqualInConstantTime(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

ApiKeyGuard::ApiKeyGuard(Settings settings) : settings_(std::move(settings)) {
  if (settings_.key && settings_.key->empty()) {
    settings_.key.reset();
  }
  if (settings_.key) {
    RefuseWeak(*settings_.key);
  }
  if (settings_.insecure_writes && !settings_.loopback_listener) {
    throw std::invalid_argument(
        "--insecure-writes would let anyone on the network write; listen on a loopback address, or set an "
        "API key");
  }
}

void ApiKeyGuard::Require(const Request& request) const {
  if (!settings_.key) {
    if (settings_.insecure_writes) {
      RefusePagesOfTheWeb(request);
      return;
    }
    throw ProblemError(403, "Write endpoints are disabled: no API key is configured on this server.");
  }
  const std::string* sent = request.FindHeader("X-API-Key");
  if (sent == nullptr) {
    throw ProblemError(401, "This needs the API key in the header X-API-Key, and the request has none.");
  }
  if (!EqualInConstantTime(*sent, *settings_.key)) {
    throw ProblemError(401, "The API key in the header X-API-Key is not the one of this server.");
  }
}

}  // namespace heliograph::server
