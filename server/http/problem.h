#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/response.h"

namespace heliograph::server {

/// What a handler throws to answer with an error. The router turns it into ProblemResponse.
class ProblemError : public std::runtime_error {
 public:
  /// `detail` is for the person who sent the request: what was wrong, with what, and what would be right.
  ProblemError(int status, const std::string& detail) : std::runtime_error(detail), status_(status) {}
  /// The same with a Retry-After of `retry_after_seconds`.
  ProblemError(int status, const std::string& detail, int retry_after_seconds)
      : std::runtime_error(detail), status_(status), retry_after_seconds_(retry_after_seconds) {}
  /// The same with further members for programs: JSON without braces, as ProblemResponse takes it.
  ProblemError(int status, const std::string& detail, std::string members)
      : std::runtime_error(detail), status_(status), members_(std::move(members)) {}

  int status() const { return status_; }
  /// 0 when the response carries no Retry-After.
  int retry_after_seconds() const { return retry_after_seconds_; }
  const std::string& members() const { return members_; }

 private:
  int status_;
  int retry_after_seconds_ = 0;
  std::string members_;
};

/// An error as every route answers it: application/problem+json with the members of RFC 9457 and `error`,
/// which repeats `detail` for clients of CoreScope. `instance` is the path of the request and may be empty.
/// Any bytes may be passed in: what is not UTF-8 becomes U+FFFD. `extra` is empty, or JSON members without
/// braces, such as
/// `"missing":["nodes"]`.
Response ProblemResponse(int status, std::string_view detail, std::string_view instance = {},
                         std::string_view extra = {});

/// The reason phrase that RFC 9110 gives to a status; "Unknown" for others.
std::string_view ReasonPhrase(int status);

/// `text` as a JSON string with its quotes; `<`, `>`, `&` and control characters are escaped, what is not
/// UTF-8 becomes U+FFFD.
std::string JsonQuoted(std::string_view text);

}  // namespace heliograph::server
