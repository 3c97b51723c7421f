#include "tests/unit/ingestor/store/cluster_volume.h"

namespace heliograph::ingestor {

ClusterVolumeTest::ClusterVolumeTest()
    : volume_(folder_.path()),
      publisher_(std::move(*queue::Publisher::Open(volume_, "server-boot"))),
      inbox_(std::move(*queue::Inbox::Open(volume_))) {
  StoreTransaction transaction(*store_);
  for (int node = 1; node <= 40; ++node)
    store_->Take(Prepared(HeardAdvert(static_cast<std::uint8_t>(node), "node " + std::to_string(node), 100)));
  transaction.Commit();
  Restart();
}

void ClusterVolumeTest::Restart() {
  applier_ = std::make_unique<QueueApplier>(
      *store_, inbox_, QueueApplier::Options{std::nullopt, "ingestor-boot", [](const Receipt&) {
                                               return Prepared(PreparedDrop{});
                                             }});
}

ClusterSnapshot ClusterVolumeTest::RunOf(const std::vector<std::vector<int>>& clusters,
                                         const std::vector<int>& unclustered) {
  ClusterSnapshot snapshot;
  snapshot.algorithm = "test/1";
  snapshot.watermark = store_->packets().watermark();
  snapshot.data_time = store_->data_time(WallClockNow());
  for (const std::vector<int>& nodes : clusters) {
    SnapshotCluster cluster;
    for (const int node : nodes) cluster.members.push_back({NodeKey(node), 0.5});
    cluster.representative = NodeKey(nodes.front());
    cluster.label = "Around " + std::to_string(nodes.front());
    snapshot.clusters.push_back(std::move(cluster));
  }
  for (const int node : unclustered) snapshot.unclustered.push_back(NodeKey(node));
  return snapshot;
}

queue::EnvelopeFields ClusterVolumeTest::Fields(queue::Kind kind, const std::string& stream) {
  queue::EnvelopeFields fields;
  fields.kind = kind;
  fields.stream = stream;
  fields.epoch = store_->epoch();
  fields.watermark = store_->packets().watermark();
  fields.actor = "test";
  fields.base_commit_seq = Head();
  fields.created_at = WallClockNow();
  return fields;
}

std::string ClusterVolumeTest::Publish(const ClusterSnapshot& snapshot, std::int64_t branch) {
  auto fields = Fields(queue::Kind::kClusterSnapshot, "clusters/mesh");
  fields.branch_id = branch;
  return publisher_->Publish(fields, EncodeClusterSnapshot(snapshot))->id.ToText();
}

std::string ClusterVolumeTest::Publish(const ClusterOverride& request, std::optional<std::int64_t> base) {
  auto fields = Fields(queue::Kind::kOverride, "overrides");
  if (base) fields.base_commit_seq = *base;
  return publisher_->Publish(fields, EncodeClusterOverride(request))->id.ToText();
}

std::string ClusterVolumeTest::Publish(const ClusterJob& job) {
  return publisher_->Publish(Fields(queue::Kind::kClusterJob, "cluster-jobs"), EncodeClusterJob(job))
      ->id.ToText();
}

std::string ClusterVolumeTest::Requested(queue::Kind kind, const std::string& json) {
  const std::string id = publisher_->Publish(Fields(kind, "requests"), json)->id.ToText();
  Apply();
  return id;
}

std::int64_t ClusterVolumeTest::CreateBranch(const std::string& name) {
  const std::string id =
      Requested(queue::Kind::kBranchRequest, R"({"action":"create","name":")" + name + "\"}");
  return std::stoll(Text("SELECT json_extract(result, '$.branch_id') FROM ledger WHERE id='" + id + "'"));
}

std::string ClusterVolumeTest::AppliedOn(std::int64_t branch, const ClusterSnapshot& snapshot) {
  const std::string id = Publish(snapshot, branch);
  Apply();
  return OutcomeOf(id);
}

void ClusterVolumeTest::Apply() {
  while (applier_->Run().unfinished) {
  }
}

std::string ClusterVolumeTest::OutcomeOf(const std::string& id) {
  return Text("SELECT outcome FROM ledger WHERE id='" + id + "'");
}

std::string ClusterVolumeTest::ReasonOf(const std::string& id) {
  return Text("SELECT reason FROM ledger WHERE id='" + id + "'");
}

std::int64_t ClusterVolumeTest::Head() {
  return store_->database().execAndGet("SELECT head_seq FROM branch WHERE branch_id=1").getInt64();
}

std::string ClusterVolumeTest::TrackOf(int node) {
  return Text(
      "SELECT t.track_id FROM cluster_state AS s JOIN cluster_members AS m ON m.run_id=s.active_run"
      " JOIN identity AS i ON i.key=m.member_key JOIN cluster_snapshots AS c ON c.run_id=m.run_id AND"
      " c.ordinal=m.ordinal JOIN cluster_track_states AS x ON x.track_key=c.track_key AND x.to_seq IS NULL"
      " JOIN cluster_tracks AS t ON t.track_key=coalesce(x.merged_into, c.track_key)"
      " WHERE s.branch_id=1 AND lower(hex(i.public_key))='" +
      NodeKey(node) + "'");
}

std::string ClusterVolumeTest::StatusOf(const std::string& track_id) {
  return Text(
      "SELECT status FROM cluster_track_states JOIN cluster_tracks USING(track_key) WHERE to_seq IS NULL AND"
      " track_id='" +
      track_id + "'");
}

}  // namespace heliograph::ingestor
