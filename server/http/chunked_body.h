#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "server/http/request_head.h"

namespace heliograph::server {

/// Joins the chunks of a body (RFC 9112, 7.1). Strict: CRLF only, at most eight digits of a size, short
/// extensions. Extensions and trailers are read and dropped.
class ChunkedBodyDecoder {
 public:
  explicit ChunkedBodyDecoder(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  /// Consumes bytes from the front of `received` and appends what they carry to `body`; the value is the
  /// number consumed. Refuses with 400, with 413 as soon as a chunk announces too much, and with 431 for long
  /// trailers.
  tl::expected<std::size_t, RequestRefused> Decode(std::string_view received, std::string& body);
  /// True when the last chunk and the trailers have been read.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State {
    kSize,
    kExtension,
    kSizeEnd,
    kData,
    kDataEndCr,
    kDataEndLf,
    kTrailer,
    kTrailerLf,
    kDone
  };

  bool Step(char c);
  bool StepSize(char c);
  bool StepTrailer(char c);
  bool BeginChunk();

  const std::size_t max_body_bytes_;
  State state_ = State::kSize;
  std::uint64_t chunk_left_ = 0;
  std::size_t size_digits_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  RequestRefused refused_{400, "The chunks of the body are malformed."};
};

}  // namespace heliograph::server
