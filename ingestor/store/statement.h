#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/bytes.h"
#include "common/identity_key.h"
#include "common/time.h"

namespace heliograph::ingestor {

/// Binds the values of one row in order, so that a statement's text and its values are read side by side.
/// Text and blobs are not copied: they must live until the statement has run.
class RowBinder {
 public:
  explicit RowBinder(SQLite::Statement& statement) : statement_(statement) {
    // A statement that failed tells so once more when it is reset, which is no news.
    statement_.tryReset();
  }

  RowBinder& Null() {
    statement_.bind(++index_);
    return *this;
  }
  RowBinder& Integer(std::int64_t value) {
    statement_.bind(++index_, value);
    return *this;
  }
  RowBinder& Real(double value) {
    statement_.bind(++index_, value);
    return *this;
  }
  RowBinder& Text(const std::string& value) {
    statement_.bindNoCopy(++index_, value);
    return *this;
  }
  /// NULL when `value` is empty.
  RowBinder& BlobOrNull(ByteView value) { return value.empty() ? Null() : Blob(value); }
  RowBinder& Blob(ByteView value) {
    // A null pointer would bind NULL, and an empty blob is not NULL.
    statement_.bindNoCopy(++index_, value.empty() ? "" : static_cast<const void*>(value.data()),
                          static_cast<int>(value.size()));
    return *this;
  }
  RowBinder& Key(IdentityKey value) { return Integer(static_cast<std::int64_t>(value)); }
  RowBinder& Time(UtcMillis value) { return Integer(value.time_since_epoch().count()); }

  RowBinder& Integer(const std::optional<std::int64_t>& value) { return value ? Integer(*value) : Null(); }
  RowBinder& Real(const std::optional<double>& value) { return value ? Real(*value) : Null(); }
  RowBinder& Text(const std::optional<std::string>& value) { return value ? Text(*value) : Null(); }
  RowBinder& Key(const std::optional<IdentityKey>& value) { return value ? Key(*value) : Null(); }
  RowBinder& Time(const std::optional<UtcMillis>& value) { return value ? Time(*value) : Null(); }

  /// Runs the statement to its end; returns the number of changed rows.
  int Run() { return statement_.exec(); }
  /// Steps to the next row; false at the end.
  bool Step() { return statement_.executeStep(); }

 private:
  SQLite::Statement& statement_;
  int index_ = 0;
};

inline UtcMillis TimeColumn(const SQLite::Column& column) {
  return UtcMillis(std::chrono::milliseconds(column.getInt64()));
}
inline std::optional<UtcMillis> OptionalTime(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(TimeColumn(column));
}
inline std::optional<std::int64_t> OptionalInteger(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional<std::int64_t>(column.getInt64());
}
inline std::optional<double> OptionalReal(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getDouble());
}
inline std::optional<std::string> OptionalText(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getString());
}

}  // namespace heliograph::ingestor
