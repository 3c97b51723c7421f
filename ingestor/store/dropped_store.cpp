#include "ingestor/store/dropped_store.h"

#include <algorithm>

#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kKeptFrameBytes = 512;

bool IsAboutAPacket(DropReason reason) {
  switch (reason) {
    case DropReason::kInvalidHex:
    case DropReason::kInvalidFrame:
    case DropReason::kInvalidAdvert:
    case DropReason::kInvalidSignature:
    case DropReason::kOutsideGeoFilter:
    case DropReason::kOriginMismatch:
    case DropReason::kOversized:
    case DropReason::kMalformedJson:
      return true;
    case DropReason::kUnsupportedTopic:
    case DropReason::kBlacklistedObserver:
    case DropReason::kIataNotAllowed:
    case DropReason::kFilteredBySource:
    case DropReason::kMissingRaw:
      return false;
  }
  return false;
}

}  // namespace

DroppedStore::DroppedStore(SQLite::Database& database, std::size_t cap)
    : insert_(database,
              "INSERT INTO dropped_packets(dropped_at, reason, detail, source, observer_id, observer_name, "
              "content_hash,"
              " raw, node_public_key, node_name) VALUES (?,?,?,?,?,?,?,?,?,?)"),
      trim_(database, "DELETE FROM dropped_packets WHERE id <= (SELECT max(id) FROM dropped_packets) - ?"),
      cap_(cap) {}

void DroppedStore::Add(const PreparedDrop& drop, const std::string& source_name) {
  if (!IsAboutAPacket(drop.reason)) return;
  const std::string reason(Name(drop.reason));
  std::optional<std::string> observer_id, observer_name, node, node_name;
  if (drop.observer) {
    observer_id = drop.observer->key.ToObserverId();
    observer_name = drop.observer->name;
  }
  if (drop.node) {
    node = drop.node->ToHex();
    node_name = drop.node_name;
  }
  RowBinder row(insert_);
  row.Time(drop.received_at)
      .Text(reason)
      .Text(drop.detail)
      .Text(source_name)
      .Text(observer_id)
      .Text(observer_name);
  if (drop.hash) {
    row.Blob(drop.hash->bytes());
  } else {
    row.Null();
  }
  row.BlobOrNull(ByteView(drop.raw).first(std::min(drop.raw.size(), kKeptFrameBytes)));
  row.Text(node).Text(node_name).Run();
  added_ = true;
}

void DroppedStore::Flush() {
  if (!added_) return;
  RowBinder(trim_).Integer(static_cast<std::int64_t>(cap_)).Run();
  added_ = false;
}

}  // namespace heliograph::ingestor
