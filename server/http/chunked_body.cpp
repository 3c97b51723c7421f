#include "server/http/chunked_body.h"

#include <algorithm>

namespace heliograph::server {
namespace {

constexpr std::size_t kMaxSizeDigits = 8;
constexpr std::size_t kMaxExtensionBytes = 256;
constexpr std::size_t kMaxTrailerBytes = 4096;

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

}  // namespace

tl::expected<std::size_t, RequestRefused> ChunkedBodyDecoder::Decode(std::string_view received,
                                                                     std::string& body) {
  std::size_t position = 0;
  while (position < received.size() && !done()) {
    if (state_ == State::kData) {
      const auto length =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, received.size() - position));
      body.append(received.substr(position, length));
      position += length;
      chunk_left_ -= length;
      state_ = chunk_left_ == 0 ? State::kDataEndCr : State::kData;
      continue;
    }
    if (!Step(received[position++])) {
      return tl::unexpected(refused_);
    }
  }
  return position;
}

// False when `c` is not allowed here; refused_ says why.
bool ChunkedBodyDecoder::Step(char c) {
  switch (state_) {
    case State::kSize:
      return StepSize(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeEnd;
        return true;
      }
      return !IsControl(c) && ++line_bytes_ <= kMaxExtensionBytes;
    case State::kSizeEnd:
      return c == '\n' && BeginChunk();
    case State::kDataEndCr:
      state_ = State::kDataEndLf;
      return c == '\r';
    case State::kDataEndLf:
      state_ = State::kSize;
      size_digits_ = 0;
      chunk_left_ = 0;
      return c == '\n';
    case State::kTrailer:
    case State::kTrailerLf:
      return StepTrailer(c);
    case State::kData:
    case State::kDone:
      break;
  }
  return false;
}

bool ChunkedBodyDecoder::StepSize(char c) {
  const int digit = HexValue(c);
  if (digit >= 0) {
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(digit);
    return ++size_digits_ <= kMaxSizeDigits;
  }
  line_bytes_ = 0;
  state_ = c == '\r' ? State::kSizeEnd : State::kExtension;
  return size_digits_ > 0 && (c == '\r' || c == ';');
}

bool ChunkedBodyDecoder::BeginChunk() {
  if (chunk_left_ == 0) {
    line_bytes_ = 0;
    state_ = State::kTrailer;
    return true;
  }
  if (chunk_left_ > max_body_bytes_ - body_bytes_) {
    refused_ = {413, "The body is longer than " + std::to_string(max_body_bytes_) + " bytes."};
    return false;
  }
  body_bytes_ += static_cast<std::size_t>(chunk_left_);
  state_ = State::kData;
  return true;
}

bool ChunkedBodyDecoder::StepTrailer(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) {
    refused_ = {431,
                "The trailers of the body are longer than " + std::to_string(kMaxTrailerBytes) + " bytes."};
    return false;
  }
  if (state_ == State::kTrailerLf) {
    state_ = line_bytes_ == 0 ? State::kDone : State::kTrailer;
    line_bytes_ = 0;
    return c == '\n';
  }
  if (c == '\r') {
    state_ = State::kTrailerLf;
    return true;
  }
  ++line_bytes_;
  return !IsControl(c);
}

}  // namespace heliograph::server
