#pragma once

#include <string>
#include <vector>

#include "common/cluster_job.h"
#include "common/cluster_override.h"
#include "common/cluster_snapshot.h"
#include "ingestor/apply/queue_applier.h"
#include "queue/publisher.h"
#include "tests/unit/ingestor/store/store_fixture.h"

namespace heliograph::ingestor {

/// A volume of 40 nodes, numbered from 1, with a server that publishes runs of them, and the applier.
class ClusterVolumeTest : public StoreTest {
 protected:
  ClusterVolumeTest();

  /// A run over the nodes of the clusters and those that are in none.
  ClusterSnapshot RunOf(const std::vector<std::vector<int>>& clusters,
                        const std::vector<int>& unclustered = {});
  queue::EnvelopeFields Fields(queue::Kind kind, const std::string& stream);
  std::string Publish(const ClusterSnapshot& snapshot, std::int64_t branch = 1);
  std::string Publish(const ClusterOverride& request, std::optional<std::int64_t> base = std::nullopt);
  std::string Publish(const ClusterJob& job);
  /// Publishes a request to main and applies it; returns its id.
  std::string Requested(queue::Kind kind, const std::string& json);
  /// Begins a branch at main's head; returns its number.
  std::int64_t CreateBranch(const std::string& name);
  /// Publishes and applies a run of the branch; returns the outcome.
  std::string AppliedOn(std::int64_t branch, const ClusterSnapshot& snapshot);
  /// Applies all that waits.
  void Apply();
  /// Publishes and applies; returns the outcome.
  template <class Payload>
  std::string Applied(const Payload& payload) {
    const std::string id = Publish(payload);
    Apply();
    return OutcomeOf(id);
  }

  std::string OutcomeOf(const std::string& id);
  std::string ReasonOf(const std::string& id);
  std::int64_t Head();
  /// The id of the track that the node's cluster belongs to in the active run; of a merged one, where it
  /// went.
  std::string TrackOf(int node);
  std::string StatusOf(const std::string& track_id);
  /// Another process: what the applier remembered is gone.
  void Restart();

  static std::string NodeKey(int node) { return KeyOf(static_cast<std::uint8_t>(node)).ToHex(); }

  Volume volume_;
  std::unique_ptr<queue::Publisher> publisher_;
  queue::Inbox inbox_;
  std::unique_ptr<QueueApplier> applier_;
};

}  // namespace heliograph::ingestor
