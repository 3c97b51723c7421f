#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/bytes.h"
#include "common/time.h"

namespace heliograph::server {

/// Columns of a row as the types that the schema means. NULL is nothing.

inline UtcMillis TimeOf(const SQLite::Column& column) {
  return UtcMillis(std::chrono::milliseconds(column.getInt64()));
}
inline std::optional<UtcMillis> OptionalTimeOf(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return TimeOf(column);
}
inline std::optional<std::int64_t> NumberOf(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getInt64();
}
inline std::optional<double> RealOf(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getDouble();
}
inline std::optional<bool> FlagOf(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getInt() != 0;
}
inline std::optional<std::string> TextOf(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getString();
}
/// Empty for NULL.
inline Bytes BytesOf(const SQLite::Column& column) {
  const auto* begin = static_cast<const std::uint8_t*>(column.getBlob());
  return begin == nullptr ? Bytes() : Bytes(begin, begin + column.getBytes());
}

/// `[1,2,3]`, for json_each.
inline std::string JsonList(const std::vector<std::int64_t>& numbers) {
  std::string json = "[";
  for (const std::int64_t number : numbers) {
    if (json.size() > 1) json += ',';
    json += std::to_string(number);
  }
  return json + "]";
}

}  // namespace heliograph::server
