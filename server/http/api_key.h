#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "server/http/request.h"

namespace heliograph::server {

/// The configured key cannot be used. The text says why and what to do; it does not contain the key.
class WeakApiKeyError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Decides who may change something. Immutable, thread-safe.
class ApiKeyGuard {
 public:
  static constexpr std::size_t kMinimumLength = 16;

  struct Settings {
    std::optional<std::string> key;
    bool insecure_writes = false;  ///< --insecure-writes: writes without a key, on a loopback listener only
    bool loopback_listener = true;
  };

  /// Throws WeakApiKeyError when the key has fewer than kMinimumLength bytes or is one that everybody knows,
  /// and std::invalid_argument when insecure_writes is asked for on a listener that is not loopback.
  explicit ApiKeyGuard(Settings settings);

  /// Returns when the request may write. Throws ProblemError: 403 when no key is configured, 401 when the
  /// request's X-API-Key is missing or wrong. With insecure_writes and no key: 403 when the Host header is
  /// not loopback, 415 when a body is not application/json, so that no page of the web can write across
  /// sites. The time taken does not depend on where the keys differ.
  void Require(const Request& request) const;

 private:
  Settings settings_;
};

}  // namespace heliograph::server
