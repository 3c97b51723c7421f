#include "ingestor/corescope_source.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/packet.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kBatch = 512;
constexpr int kIdColumn = 10;  // of ObservationsQuery

// CoreScope grew columns over time; a database of an older version lacks some.
constexpr const char* kHasFrame =
    "SELECT count(*) FROM pragma_table_info('observations') WHERE name='raw_hex'";

std::string ObservationsQuery(bool has_frame) {
  return std::string(
             "SELECT o.timestamp, p.id, coalesce(p.iata, ''), p.name, o.direction, o.snr, o.rssi, "
             "o.path_json,"
             " t.raw_hex, ") +
         (has_frame ? "o.raw_hex" : "NULL") + ", o.id" +
         " FROM observations AS o JOIN transmissions AS t ON t.id=o.transmission_id"
         " LEFT JOIN observers AS p ON p.rowid=o.observer_idx ORDER BY o.id";
}

/// The path that CoreScope wrote as a JSON array of hops, or nothing when it is none that fits a frame.
std::optional<std::pair<PathLength, Bytes>> ParsePath(const std::string& json_text) {
  const auto json = nlohmann::json::parse(json_text.empty() ? "[]" : json_text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  Bytes path;
  std::size_t hop_size = 0;
  for (const auto& entry : json) {
    const auto hop = entry.is_string() ? FromHex(entry.get<std::string>()) : std::nullopt;
    if (!hop || (hop_size != 0 && hop->size() != hop_size)) return std::nullopt;
    hop_size = hop->size();
    path.insert(path.end(), hop->begin(), hop->end());
  }
  const auto length = PathLength::Of(hop_size == 0 ? 1 : hop_size, json.size());
  if (!length) return std::nullopt;
  return std::pair(*length, std::move(path));
}

/// The frame of an observation in hex, or nothing when it cannot be told.
std::optional<std::string> FrameOf(const std::string& transmission_hex, const std::string& own_hex,
                                   const std::string& path_json) {
  if (!own_hex.empty()) return own_hex;
  const auto bytes = FromHex(transmission_hex);
  if (!bytes) return std::nullopt;
  auto packet = DecodeFrame(*bytes);
  // What is no packet is refused later, with its reason. The path of a TRACE is in its payload.
  if (!packet || packet->payload_type == PayloadType::kTrace) return transmission_hex;
  auto path = ParsePath(path_json);
  if (!path) return std::nullopt;
  // An empty path keeps the size bits of the frame: they tell what the originator uses.
  if (!path->second.empty() || packet->path_length.hash_count() > 0) {
    packet->path_length =
        path->second.empty() ? *PathLength::Of(packet->path_length.hash_size(), 0) : path->first;
    packet->path = std::move(path->second);
  }
  return ToHexUpper(EncodeFrame(*packet));
}

std::optional<Receipt> ReceiptOf(SQLite::Statement& row, SourceIndex source) {
  if (row.getColumn(1).isNull()) return std::nullopt;
  const auto frame =
      FrameOf(row.getColumn(8).getString(), row.getColumn(9).getString(), row.getColumn(7).getString());
  if (!frame) return std::nullopt;
  const std::string observer = row.getColumn(1).getString(), iata = row.getColumn(2).getString();
  nlohmann::json payload{{"raw", *frame}};
  if (!row.getColumn(3).isNull()) payload["origin"] = row.getColumn(3).getString();
  if (!row.getColumn(4).isNull()) payload["direction"] = row.getColumn(4).getString();
  if (!row.getColumn(5).isNull()) payload["SNR"] = row.getColumn(5).getDouble();
  if (!row.getColumn(6).isNull()) payload["RSSI"] = row.getColumn(6).getDouble();
  Receipt receipt;
  receipt.source = source;
  receipt.received_at =
      std::min(UtcMillis(std::chrono::seconds(row.getColumn(0).getInt64())), WallClockNow());
  receipt.topic = "meshcore/" + (iata.empty() ? "XXX" : iata) + "/" + observer + "/packets";
  receipt.payload = payload.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return receipt;
}

}  // namespace

CoreScopeSource::CoreScopeSource(std::filesystem::path file, SourceIndex index, CoreScopeProgress progress)
    : file_(std::move(file)), index_(index), progress_(std::move(progress)) {
  status_.name = file_.filename().string();
  status_.kind = "capture";
  status_.address = file_.string();
}

CoreScopeSource::~CoreScopeSource() {
  Stop();
}

void CoreScopeSource::Start(MessageSink& sink) {
  thread_ = std::thread([this, &sink] { Run(sink); });
}

void CoreScopeSource::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

SourceStatus CoreScopeSource::Status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void CoreScopeSource::Run(MessageSink& sink) {
  try {
    ReadAll(sink);
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    status_.last_error = "this is no CoreScope database that can be read: " + std::string(error.what());
  }
  at_end_ = true;
}

void CoreScopeSource::ReadAll(MessageSink& sink) {
  SQLite::Database database(file_.string(), SQLite::OPEN_READONLY);
  SQLite::Statement rows(database, ObservationsQuery(database.execAndGet(kHasFrame).getInt() > 0));
  const std::int64_t last = database.execAndGet("SELECT coalesce(max(id), 0) FROM observations").getInt64();
  std::vector<Receipt> batch;
  std::uint64_t unreadable = 0;
  const auto submit = [&] {
    const std::size_t count = batch.size();
    if (count > 0 && !sink.Submit(std::exchange(batch, {}))) return false;
    const std::lock_guard lock(mutex_);
    status_.received += count;
    status_.unreadable = unreadable;
    return true;
  };
  while (!stopping_ && rows.executeStep()) {
    if (auto receipt = ReceiptOf(rows, index_)) {
      batch.push_back(std::move(*receipt));
    } else {
      ++unreadable;
    }
    if (batch.size() == kBatch) {
      if (progress_)
        progress_(static_cast<std::uint64_t>(rows.getColumn(kIdColumn).getInt64()),
                  static_cast<std::uint64_t>(last));
      if (!submit()) return;
    }
  }
  if (progress_ && !stopping_) progress_(static_cast<std::uint64_t>(last), static_cast<std::uint64_t>(last));
  submit();
}

}  // namespace heliograph::ingestor
