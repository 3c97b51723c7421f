#include "tests/history/applied_history.h"

#include <set>

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

ClusterSnapshot Grouped(const std::vector<std::vector<int>>& clusters, int nodes,
                        ClusterCollection collection) {
  const auto key = [&](int node) {
    return collection == ClusterCollection::kMesh ? NodeOf(static_cast<std::uint8_t>(node)).ToHex()
                                                  : "item-" + std::to_string(node);
  };
  ClusterSnapshot snapshot;
  snapshot.collection = collection;
  snapshot.algorithm = "test/1";
  std::set<int> alone;
  for (int node = 1; node <= nodes; ++node) alone.insert(node);
  for (const std::vector<int>& members : clusters) {
    SnapshotCluster& cluster = snapshot.clusters.emplace_back();
    for (const int node : members) {
      cluster.members.push_back({key(node), 0.5});
      alone.erase(node);
    }
    cluster.representative = key(members.front());
    cluster.label = "Around " + std::to_string(members.front());
  }
  for (const int node : alone) snapshot.unclustered.push_back(key(node));
  return snapshot;
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
  file.envelope.base_commit_seq = head();
  file.envelope.actor = "test";
  const std::function<Prepared(const Receipt&)> nothing;
  std::optional<StagedFile> staged;
  if (MayBringRuns(kind)) {
    staged.emplace("file", file, *store_);
    while (!staged->Step(*store_, books_)) {
    }
  }
  StoreTransaction transaction(*store_);
  Verdict verdict =
      applier({*store_, now_, std::nullopt, nothing, &books_, staged ? &*staged : nullptr}, file);
  store_->ledger().Record(file.envelope.id.ToText(), file.envelope, verdict, now_, "boot");
  transaction.Commit();
  return verdict;
}

Verdict AppliedHistory::Snapshot(std::vector<CapabilityEntry> entries, std::int64_t branch) {
  return Apply(queue::Kind::kMultibyteSnapshot, "multibyte", EncodeMultibyteSnapshot({std::move(entries)}),
               branch, ApplyMultibyteSnapshot);
}

Verdict AppliedHistory::Clusters(ClusterSnapshot snapshot, std::int64_t branch) {
  snapshot.watermark = store_->packets().watermark();
  const std::string stream = "clusters/" + std::string(Name(snapshot.collection));
  return Apply(queue::Kind::kClusterSnapshot, stream, EncodeClusterSnapshot(std::move(snapshot)), branch,
               ApplyClusterSnapshot);
}

Verdict AppliedHistory::Correct(const ClusterOverride& request, std::int64_t branch) {
  return Apply(queue::Kind::kOverride, "overrides", EncodeClusterOverride(request), branch, ApplyOverride);
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

void AppliedHistory::TakeGuardsAway() {
  Run("PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON");
  SQLite::Statement triggers(store_->database(), "SELECT name FROM sqlite_schema WHERE type='trigger'");
  std::vector<std::string> names;
  while (triggers.executeStep()) names.push_back(triggers.getColumn(0).getString());
  triggers.reset();
  for (const std::string& name : names) Run("DROP TRIGGER " + name);
}

}  // namespace heliograph::testing
