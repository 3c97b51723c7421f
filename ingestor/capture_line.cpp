#include "ingestor/capture_line.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <simdjson.h>

namespace heliograph::ingestor {
namespace {

namespace ondemand = simdjson::ondemand;

/// False when the value is neither an object nor a string.
bool ReadPayload(ondemand::value value, std::string& payload) {
  ondemand::json_type type{};
  if (value.type().get(type)) return false;
  std::string_view text;
  if (type == ondemand::json_type::string) {
    if (value.get_string().get(text)) return false;
  } else if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (value.get_object().get(object) || object.raw_json().get(text)) return false;
  } else {
    return false;
  }
  payload.assign(text);
  return true;
}

bool ReadText(ondemand::value value, std::string_view& text) {
  ondemand::json_type type{};
  return !value.type().get(type) && type == ondemand::json_type::string && !value.get_string().get(text);
}

}  // namespace

struct CaptureLineReader::Buffers {
  ondemand::parser parser;
  std::vector<char> padded;
};

CaptureLineReader::CaptureLineReader() : buffers_(std::make_unique<Buffers>()) {}
CaptureLineReader::~CaptureLineReader() = default;

std::optional<Receipt> CaptureLineReader::Read(std::string_view line, UtcMillis now) {
  std::vector<char>& padded = buffers_->padded;
  if (padded.size() < line.size() + simdjson::SIMDJSON_PADDING) {
    padded.resize(2 * line.size() + simdjson::SIMDJSON_PADDING);
  }
  std::memcpy(padded.data(), line.data(), line.size());
  std::memset(padded.data() + line.size(), ' ', simdjson::SIMDJSON_PADDING);

  ondemand::document document;
  ondemand::object object;
  if (buffers_->parser.iterate(padded.data(), line.size(), padded.size()).get(document)) return std::nullopt;
  if (document.get_object().get(object)) return std::nullopt;
  Receipt receipt;
  std::optional<ParsedTime> received_at;
  bool has_topic = false, has_payload = false;
  for (auto field_result : object) {
    ondemand::field field;
    std::string_view key, text;
    if (std::move(field_result).get(field) || field.unescaped_key().get(key)) return std::nullopt;
    if (key == "received_at") {
      if (!ReadText(field.value(), text)) return std::nullopt;
      received_at = ParseTime(text);
    } else if (key == "topic") {
      if (!ReadText(field.value(), text)) return std::nullopt;
      receipt.topic.assign(text);
      has_topic = true;
    } else if (key == "payload") {
      if (!ReadPayload(field.value(), receipt.payload)) return std::nullopt;
      has_payload = true;
    } else if (key == "retained") {
      bool retained = false;
      if (!field.value().get_bool().get(retained)) receipt.retained = retained;
    }
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return std::nullopt;
  if (!received_at || !has_topic || !has_payload) return std::nullopt;
  receipt.received_at = std::min(received_at->time, now);
  return receipt;
}

}  // namespace heliograph::ingestor
