#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/cluster_job.h"
#include "common/cluster_snapshot.h"
#include "ingestor/apply/queue_applier.h"
#include "queue/inbox.h"
#include "queue/publisher.h"
#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {

/// The routes over a mesh of 30 nodes, KeyOf({1}) to KeyOf({30}), with an ingestor that applies what is
/// published.
class ClustersTest : public RoutesTest {
 protected:
  ClustersTest() : publisher_(std::move(*queue::Publisher::Open(mesh_.volume(), "boot"))) {
    for (int node = 1; node <= 30; ++node) {
      const std::int64_t number = mesh_.AddNode(KeyOf({node}));
      mesh_.Run("UPDATE nodes SET name='node " + std::to_string(node) + "', revision=" +
                std::to_string(mesh_.NextRevision()) + " WHERE node_key=" + std::to_string(number));
    }
  }

  static std::string Hex(int node) { return KeyOf({node}).ToHex(); }

  static ClusterSnapshot RunOf(const std::vector<std::vector<int>>& clusters,
                               const std::vector<int>& unclustered = {}) {
    ClusterSnapshot snapshot;
    snapshot.algorithm = "test/1";
    for (const std::vector<int>& nodes : clusters) {
      SnapshotCluster cluster;
      for (const int node : nodes) cluster.members.push_back({Hex(node), 1.0 - 0.01 * node});
      cluster.representative = Hex(nodes.front());
      cluster.cohesion = 0.5;
      cluster.label = "Around " + std::to_string(nodes.front());
      snapshot.clusters.push_back(std::move(cluster));
    }
    for (const int node : unclustered) snapshot.unclustered.push_back(Hex(node));
    return snapshot;
  }

  /// Hands a file to the ingestor, which applies it at once. Returns its id.
  std::string Apply(queue::Kind kind, const std::string& stream, const std::string& payload,
                    std::optional<std::int64_t> base = std::nullopt, std::int64_t branch = 1) {
    queue::EnvelopeFields fields;
    fields.kind = kind;
    fields.stream = stream;
    fields.epoch = dbschema::ReadMeta(mesh_.database(), "epoch");
    fields.branch_id = branch;
    fields.base_commit_seq =
        base.value_or(mesh_.Ask("SELECT head_seq FROM branch WHERE branch_id=" + std::to_string(branch)));
    fields.actor = "test";
    fields.created_at = WallClockNow();
    const std::string id = publisher_->Publish(fields, payload)->id.ToText();
    Ingest();
    return id;
  }
  void Apply(const ClusterSnapshot& snapshot, std::int64_t branch = 1) {
    Apply(queue::Kind::kClusterSnapshot, "clusters/mesh", EncodeClusterSnapshot(snapshot), std::nullopt,
          branch);
    Refresh();
  }
  /// A correction, as it is carried out. Returns its id.
  std::string Correct(const std::string& payload) {
    const std::string id = Apply(queue::Kind::kOverride, "overrides", payload);
    Refresh();
    return id;
  }
  /// Begins a branch at main's head. Returns its number.
  std::int64_t AddBranch(const std::string& name) {
    Apply(queue::Kind::kBranchRequest, "branches", R"({"action":"create","name":")" + name + R"("})");
    return mesh_.Ask("SELECT branch_id FROM branch WHERE name='" + name + "' AND state='live'");
  }
  std::int64_t Head(std::int64_t branch = 1) {
    return mesh_.Ask("SELECT head_seq FROM branch WHERE branch_id=" + std::to_string(branch));
  }
  /// Applies what was posted since, as it was published.
  void ApplyPosted() {
    for (; applied_ < queue_.published.size(); ++applied_) {
      const QueuedRequest& posted = queue_.published[applied_];
      Apply(posted.kind, posted.stream, posted.payload, posted.base_commit_seq, posted.branch_id);
    }
    Refresh();
  }

  void Ingest() {
    auto store = std::make_unique<ingestor::MeshStore>(dbschema::OpenForWriting(mesh_.file()),
                                                       ingestor::MeshStore::Options{});
    auto inbox = std::move(*queue::Inbox::Open(mesh_.volume()));
    ingestor::QueueApplier applier(*store, inbox, {std::nullopt, "ingestor", [](const ingestor::Receipt&) {
                                                     return ingestor::Prepared(ingestor::PreparedDrop{});
                                                   }});
    while (applier.Run().unfinished) {
    }
  }

  /// The cluster with this title in the list.
  Json Listed(const std::string& title) {
    const Json answer = GetJson("/api/clusters?status=all");
    for (const Json& cluster : answer.at("clusters"))
      if (cluster.at("title") == title) return cluster;
    return nullptr;
  }

  inline static const std::vector<int> kWest{1, 2, 3, 4, 5, 6}, kEast{11, 12, 13, 14};

  std::unique_ptr<queue::Publisher> publisher_;
  std::size_t applied_ = 0;
};

}  // namespace heliograph::server
