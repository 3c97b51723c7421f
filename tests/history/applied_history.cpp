#include "tests/history/applied_history.h"

#include "common/advert.h"
#include "dbschema/database.h"
#include "dbschema/migrate.h"
#include "ingestor/check_rules.h"

namespace heliograph::testing {
namespace {

using namespace ingestor;

PreparedPacket AdvertOf(std::uint8_t node, UtcMillis at) {
  Advert advert;
  advert.public_key = NodeOf(node);
  advert.timestamp = 100;
  advert.type = NodeType::kRepeater;
  advert.app_data = EncodeAdvertAppData(NodeType::kRepeater, std::nullopt, "node");
  PreparedPacket packet;
  packet.packet.payload_type = PayloadType::kAdvert;
  packet.packet.payload = EncodeAdvert(advert);
  packet.hash = packet.packet.Hash();
  packet.advert = advert;
  packet.observer.key = NodeOf(0xEE);
  packet.observer.iata = "SJC";
  packet.received_at = at;
  packet.direction = Direction::kReceived;
  return packet;
}

}  // namespace

PublicKey NodeOf(std::uint8_t fill) {
  std::array<std::uint8_t, PublicKey::kSize> bytes{};
  bytes.fill(fill);
  return PublicKey(bytes);
}

CapabilityEntry Said(std::uint8_t node, CapabilityStatus status, std::optional<CapabilityEvidence> evidence,
                     double probability) {
  CapabilityEntry entry;
  entry.public_key = NodeOf(node);
  entry.status = status;
  entry.evidence = evidence;
  if (evidence) {
    entry.max_hash_size = 2;
    entry.probability = probability;
  }
  return entry;
}

AppliedHistory::AppliedHistory(int nodes) {
  const auto file = folder_ / "h.db";
  auto database = dbschema::OpenForWriting(file);
  dbschema::Migrate(database);
  // Nothing here is about power cuts.
  database.exec("PRAGMA synchronous=OFF");
  store_ = std::make_unique<MeshStore>(std::move(database), MeshStore::Options{});
  StoreTransaction transaction(*store_);
  for (int node = 1; node <= nodes; ++node)
    store_->Take(Prepared(AdvertOf(static_cast<std::uint8_t>(node), now_)));
  transaction.Commit();
  reader_ = std::make_unique<server::ReaderConnection>(file);
}

Verdict AppliedHistory::Apply(queue::Kind kind, const std::string& stream, const std::string& payload,
                              std::int64_t branch,
                              Verdict (*applier)(const ApplyContext&, const queue::QueueFile&)) {
  now_ += std::chrono::seconds(1);
  queue::QueueFile file;
  file.payload = payload;
  file.envelope.kind = kind;
  file.envelope.stream = stream;
  file.envelope.id = Ulid::Generate(now_);
  file.envelope.epoch = store_->epoch();
  file.envelope.branch_id = branch;
  file.envelope.created_at = now_;
  file.envelope.instance = "test";
  file.envelope.producer_seq = ++producer_seq_;
  file.envelope.watermark = store_->packets().watermark();
  file.envelope.actor = "test";
  const std::function<Prepared(const Receipt&)> nothing;
  StoreTransaction transaction(*store_);
  Verdict verdict = applier({*store_, now_, std::nullopt, nothing}, file);
  store_->ledger().Record(file.envelope.id.ToText(), file.envelope, verdict, now_, "boot");
  transaction.Commit();
  return verdict;
}

Verdict AppliedHistory::Snapshot(std::vector<CapabilityEntry> entries, std::int64_t branch) {
  return Apply(queue::Kind::kMultibyteSnapshot, "multibyte", EncodeMultibyteSnapshot({std::move(entries)}),
               branch, ApplyMultibyteSnapshot);
}

Verdict AppliedHistory::Branch(const std::string& json) {
  return Apply(queue::Kind::kBranchRequest, "branches", json, 1, ApplyBranchRequest);
}

Verdict AppliedHistory::Pin(const std::string& json) {
  return Apply(queue::Kind::kPin, "pins", json, 1, ApplyPin);
}

Verdict AppliedHistory::Revert(const std::string& commit) {
  return Apply(queue::Kind::kRevert, "reverts", "{\"commit\":\"" + commit + "\"}", 1, ApplyRevert);
}

std::vector<std::string> AppliedHistory::BrokenRules() {
  return ingestor::BrokenRules(store_->database());
}

}  // namespace heliograph::testing
