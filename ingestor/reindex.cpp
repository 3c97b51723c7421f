#include "ingestor/reindex.h"

#include <set>

#include "common/packet.h"
#include "common/public_key.h"
#include "ingestor/store/node_removal.h"
#include "ingestor/store/statement.h"

namespace heliograph::ingestor {
namespace {

constexpr std::int64_t kCodeBits = 16;
constexpr std::int64_t kCodeMask = 0xFFFF;

constexpr std::int64_t kChunk = 500;

constexpr const char* kReceptions = R"sql(
  SELECT o.route, o.path_len, o.path, o.transport_codes, i.public_key, o.received_after
  FROM observations AS o JOIN identity AS i ON i.key = o.observer_key
  WHERE o.transmission_id = ? ORDER BY o.id)sql";

constexpr const char* kCorrection = R"sql(
  UPDATE transmissions SET origin_key = ?1, channel = ?2, scope = ?3, observation_count = ?4
  WHERE id = ?5 AND (origin_key IS NOT ?1 OR channel IS NOT ?2 OR scope IS NOT ?3 OR observation_count IS NOT ?4))sql";

ByteView BlobOf(const SQLite::Column& column) {
  return {static_cast<const std::uint8_t*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

class Reindexer {
 public:
  Reindexer(MeshStore& store, const Interpreter& interpret, const ReindexProgress& progress)
      : store_(store),
        interpret_(interpret),
        progress_(progress),
        transmission_(store.database(),
                      "SELECT payload_type, payload, base_time, origin_key FROM transmissions WHERE id=?"),
        receptions_(store.database(), kReceptions),
        correct_(store.database(), kCorrection) {}

  ReindexReport Run() {
    const std::int64_t all = store_.database().execAndGet("SELECT count(*) FROM transmissions").getInt64();
    InChunks("SELECT id FROM transmissions WHERE id > ? ORDER BY id LIMIT ?", [&](std::int64_t id) {
      Correct(id);
      if (progress_ && (report_.transmissions % kChunk == 0 || report_.transmissions == all))
        progress_(report_.transmissions, all);
    });
    InChunks("SELECT DISTINCT origin_key FROM transmissions WHERE origin_key > ? ORDER BY origin_key LIMIT ?",
             [this](std::int64_t key) { RebuildNode(IdentityKey{key}); });
    RemoveDisowned();
    report_.nodes =
        store_.database()
            .execAndGet("SELECT (SELECT count(*) FROM nodes) + (SELECT count(*) FROM inactive_nodes)")
            .getInt64();
    return report_;
  }

 private:
  /// Calls `visit` with each number that `query` gives, some hundred in each transaction.
  template <class Visit>
  void InChunks(const char* query, Visit visit) {
    std::vector<std::int64_t> numbers;
    std::int64_t after = 0;
    do {
      {
        SQLite::Statement rows(store_.database(), query);
        RowBinder row(rows);
        row.Integer(after).Integer(kChunk);
        numbers.clear();
        while (row.Step()) numbers.push_back(rows.getColumn(0).getInt64());
      }
      StoreTransaction transaction(store_);
      for (const std::int64_t number : numbers) visit(number);
      transaction.Commit();
      if (!numbers.empty()) after = numbers.back();
    } while (!numbers.empty());
  }

  void Correct(std::int64_t id) {
    ++report_.transmissions;
    const auto receptions = ReceptionsOf(id);
    std::optional<IdentityKey> origin;
    std::optional<std::string> channel, scope;
    bool refused = false;
    for (const PreparedPacket& reception : receptions) {
      const Prepared message = interpret_(reception);
      const auto* packet = std::get_if<PreparedPacket>(&message);
      refused = packet == nullptr;
      if (refused) break;
      channel = packet->channel;
      if (packet->scope && (!scope || scope->empty())) scope = packet->scope;
      if (packet->advert) origin = store_.identities().KeyOf(packet->advert->public_key);
    }
    if (refused) ++report_.refused;
    if (former_origin_ && former_origin_ != origin) disowned_.insert(*former_origin_);
    report_.corrected += RowBinder(correct_)
                             .Key(origin)
                             .Text(channel)
                             .Text(scope)
                             .Integer(static_cast<std::int64_t>(receptions.size()))
                             .Integer(id)
                             .Run();
  }

  void RebuildNode(IdentityKey key) {
    disowned_.erase(key);
    // Who was pruned comes back by an advert that is still to come, not by an old one.
    if (Exists("SELECT 1 FROM removed_nodes WHERE node_key=?", key)) return;
    std::vector<NodeStore::HeardAdvert> adverts;
    for (const std::int64_t id : AdvertsOf(key)) {
      bool first = true;
      for (const PreparedPacket& reception : ReceptionsOf(id)) {
        Prepared message = interpret_(reception);
        auto* packet = std::get_if<PreparedPacket>(&message);
        if (packet == nullptr || !packet->advert) break;
        adverts.push_back({std::move(*packet), first});
        first = false;
      }
    }
    if (!adverts.empty()) store_.nodes().Rebuild(key, adverts);
  }

  /// Nodes whose every advert the present decoder refuses.
  void RemoveDisowned() {
    if (disowned_.empty()) return;
    StoreTransaction transaction(store_);
    CommitFacts author;
    author.actor = "ingestor:reindex";
    author.authored_at = WallClockNow();
    const std::vector<IdentityKey> nodes(disowned_.begin(), disowned_.end());
    RemoveNodes(store_, nodes, "none of its adverts is valid", std::move(author), WallClockNow());
    transaction.Commit();
  }

  bool Exists(const char* query, IdentityKey key) {
    SQLite::Statement row(store_.database(), query);
    return RowBinder(row).Key(key).Step();
  }

  std::vector<std::int64_t> AdvertsOf(IdentityKey key) {
    SQLite::Statement rows(store_.database(), "SELECT id FROM transmissions WHERE origin_key=? ORDER BY id");
    RowBinder row(rows);
    row.Key(key);
    std::vector<std::int64_t> ids;
    while (row.Step()) ids.push_back(rows.getColumn(0).getInt64());
    return ids;
  }

  /// The frames of a transmission as they were heard, in the order of their storing.
  std::vector<PreparedPacket> ReceptionsOf(std::int64_t id) {
    RowBinder head(transmission_);
    if (!head.Integer(id).Step()) return {};
    PreparedPacket pattern;
    pattern.packet.payload_type = static_cast<PayloadType>(transmission_.getColumn(0).getInt());
    const ByteView payload = BlobOf(transmission_.getColumn(1));
    pattern.packet.payload.assign(payload.begin(), payload.end());
    const std::int64_t base_ms = transmission_.getColumn(2).getInt64();
    former_origin_.reset();
    if (!transmission_.getColumn(3).isNull())
      former_origin_ = IdentityKey{transmission_.getColumn(3).getInt64()};
    transmission_.tryReset();

    std::vector<PreparedPacket> receptions;
    RowBinder row(receptions_);
    row.Integer(id);
    while (row.Step()) {
      PreparedPacket& reception = receptions.emplace_back(pattern);
      Packet& frame = reception.packet;
      frame.route = static_cast<RouteType>(receptions_.getColumn(0).getInt());
      frame.path_length =
          PathLength::FromByte(static_cast<std::uint8_t>(receptions_.getColumn(1).getInt())).value();
      const ByteView path = BlobOf(receptions_.getColumn(2));
      frame.path.assign(path.begin(), path.end());
      if (HasTransportCodes(frame.route)) {
        const std::int64_t codes = receptions_.getColumn(3).getInt64();
        frame.transport_codes = TransportCodes{static_cast<std::uint16_t>(codes & kCodeMask),
                                               static_cast<std::uint16_t>(codes >> kCodeBits & kCodeMask)};
      }
      reception.observer.key = PublicKey::FromBytes(BlobOf(receptions_.getColumn(4))).value();
      reception.received_at =
          UtcMillis(std::chrono::milliseconds(base_ms + receptions_.getColumn(5).getInt64()));
    }
    receptions_.tryReset();
    return receptions;
  }

  MeshStore& store_;
  const Interpreter& interpret_;
  const ReindexProgress& progress_;
  SQLite::Statement transmission_, receptions_, correct_;
  std::optional<IdentityKey> former_origin_;  ///< of the transmission that ReceptionsOf read last
  std::set<IdentityKey> disowned_;            ///< lost an advert, and have none yet
  ReindexReport report_;
};

}  // namespace

ReindexReport Reindex(MeshStore& store, const Interpreter& interpret, const ReindexProgress& progress) {
  return Reindexer(store, interpret, progress).Run();
}

}  // namespace heliograph::ingestor
