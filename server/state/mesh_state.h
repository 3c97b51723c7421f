#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/multibyte_snapshot.h"
#include "server/analytics/capability_evidence.h"
#include "server/analytics/capability_rules.h"
#include "server/analytics/flood_sample.h"
#include "server/analytics/flood_window.h"
#include "server/analytics/hop_resolver.h"
#include "server/analytics/mesh_model.h"
#include "server/analytics/neighbors/neighbor_graph.h"
#include "server/analytics/readiness_material.h"
#include "server/analytics/relay_evidence.h"
#include "server/analytics/station_directory.h"
#include "server/state/flood_lane.h"
#include "server/state/mesh_view.h"
#include "server/state/minute_window.h"
#include "server/state/reader_pool.h"
#include "server/state/row_reader.h"

namespace heliograph::server {

/// What the server concluded about every node, beside what the database holds.
struct CapabilityAssessment {
  std::string epoch;
  std::int64_t watermark = 0;
  std::int64_t head_seq = 0;
  std::vector<CapabilityEntry> computed;  ///< sorted by key
  std::size_t changed = 0;                ///< nodes whose stored state the computed one would change
  std::shared_ptr<const SwitchReadiness> stored_readiness;  ///< as the database has it; null: it has none
  std::optional<ReadinessMaterial> material;                ///< to assess it anew; nothing: nobody advertises
};

/// All that is known about the mesh, followed step by step. Costs memory for nodes, observers and distinct
/// hops, never for packets. Not thread-safe; its views are.
class MeshState {
 public:
  struct Limits {
    std::size_t page_rows = 20'000;  ///< packets of one step
    std::size_t max_hops = CapabilityEvidenceStore::kDefaultMaxHops;
    std::size_t max_pairs = RelayEvidence::kDefaultMaxPairs;
    /// As the ingestor ages out; never when absent.
    std::optional<int> capability_age_out_days = std::nullopt;
  };

  /// Views get generations above `generation`.
  MeshState(Limits limits, std::uint64_t generation);
  MeshState(const MeshState&) = delete;
  MeshState& operator=(const MeshState&) = delete;

  /// Reads all but the packets: enough for a first view with the last-known capability. REQUIRED: called
  /// once, first, inside a read transaction. Throws SQLite::Exception.
  void LoadWarm(ReaderConnection& connection);

  enum class Step {
    kMore,      ///< a page was full: step again
    kUpToDate,  ///< all that this read transaction can see is in
    kReplaced,  ///< the database has another epoch: begin with a new MeshState
  };
  /// Takes in what is new: the rows of the small tables and one page of packets, as of one moment. REQUIRED:
  /// LoadWarm was called, and a read transaction is open. After an SQLite::Exception the state is whole: what
  /// was read before it is in, and the next call goes on from there.
  Step Follow(ReaderConnection& connection);
  /// Makes the pages of further steps half as long: for when a step took too long. False when they are some
  /// tens of rows already, so that it is not their length that takes the time.
  bool HalvePage();

  /// Counts both packet tables again, which retention may have shortened. Inside a read transaction, best one
  /// of its own. After an SQLite::Exception the old count stands until retention runs again.
  void Recount(ReaderConnection& connection);
  /// True when rows may have been deleted since the last count.
  bool NeedsRecount() const { return complete_ && bounds_changed_; }

  /// Runs the models of the whole mesh anew if there are new packets or nodes, which takes up to half a
  /// second: for once in an analytics cycle. Until the next run, nodes are shown with the probabilities of
  /// this one. REQUIRED: complete().
  void UpdateModel();

  /// The present view; the same object as before when nothing changed. The first complete one runs the
  /// models.
  std::shared_ptr<const MeshView> View();

  bool complete() const { return complete_; }
  const std::string& epoch() const { return epoch_; }
  std::uint64_t generation() const { return generation_; }
  const CapabilityEvidenceStore& evidence() const { return evidence_; }
  /// Who was heard after whom, in all floods but those of the last one and a half minutes of data time, whose
  /// observations may not all be there.
  const RelayEvidence& relays() const { return relays_; }
  const StationDirectory& stations() const { return stations_; }
  const FloodSample& sample() const { return sample_; }

  /// REQUIRED: complete(), and View() was called since the last step.
  CapabilityAssessment Assess() const;
  /// REQUIRED: complete().
  NeighborGraph Neighbors(const NeighborRules& rules) const;

 private:
  struct NodeState {
    std::shared_ptr<const NodeView> shown;
    NodeCapability stored;     ///< as the database has it
    CapabilityEntry computed;  ///< from the packets alone; empty until complete
  };
  struct ObserverState {
    std::shared_ptr<const ObserverView> shown;
    MinuteWindow hour{60};
  };

  void FollowRows(ReaderConnection& connection);
  void FollowCapability(ReaderConnection& connection);
  void FollowReadiness(ReaderConnection& connection);
  void FollowBounds(ReaderConnection& connection);
  bool FollowPackets(ReaderConnection& connection);
  bool ReadPackets(ReaderConnection& connection);
  void TakeReception(Reception& reception);

  void PutNode(NodeView row);
  void RemoveNode(IdentityKey key);
  void PutObserver(ObserverView row);
  void PutStation(IdentityKey key, const PublicKey& public_key);
  void MarkSharers(const PublicKey& public_key);
  std::uint64_t RegionBit(const std::string& iata);
  void TakeFlood(const Flood& flood);
  ModelFacts FactsOf(const NodeState& node) const;
  void RefreshStale();
  void MarkAllNodes();
  void MarkCandidates(HopKey hop);

  NodeState* FindNode(std::int64_t key);
  void MarkChangedByEvidence();
  void RefreshNodes();
  void Refresh(NodeState& node);
  void RefreshObservers();
  std::optional<ReadinessMaterial> MaterialForReadiness() const;
  MeshTotals Totals() const;
  std::shared_ptr<const MeshView> BuildView() const;

  const Limits limits_;
  std::size_t page_rows_;
  std::string epoch_;
  bool complete_ = false;

  std::int64_t identity_cursor_ = 0;
  std::int64_t node_cursor_ = -1;
  std::int64_t observer_cursor_ = -1;
  std::int64_t head_seq_ = -1;
  std::int64_t ledger_mark_ = -1;
  std::int64_t transmission_cursor_ = 0;
  std::int64_t observation_cursor_ = 0;

  std::unordered_map<std::int64_t, PublicKey> identities_;
  std::map<PublicKey, NodeState> nodes_;
  std::unordered_map<std::int64_t, ObserverState> observers_;
  /// Capability of nodes whose row has not been seen; the two come from different tables.
  std::unordered_map<std::int64_t, NodeCapability> stored_;
  std::shared_ptr<const SwitchReadiness> stored_readiness_;
  std::unordered_set<std::int64_t> removed_;
  StationDirectory stations_;
  std::map<std::string, std::uint64_t> region_bits_;
  std::size_t assumed_nodes_ = 0;  ///< what the probabilities were computed with
  CapabilityEvidenceStore evidence_;
  RelayEvidence relays_;
  FloodSample sample_;
  FloodWindow floods_;
  ResolvedSteps resolved_;     ///< of the flood in hand
  FloodLane* lane_ = nullptr;  ///< while a page of the first reading is read
  std::shared_ptr<const MeshModel> model_;
  std::pair<std::int64_t, std::size_t> modelled_;  ///< the last observation and the nodes that are in it

  PacketBounds bounds_;
  bool bounds_changed_ = false;
  std::int64_t transmissions_ = 0, observations_ = 0;
  MinuteWindow transmissions_hour_{60}, transmissions_day_{24 * 60};
  /// The wall clock at this step. What was stored while the clock was ahead counts as heard now, for it must
  /// not age everything else for good.
  UtcMillis read_at_{};
  std::optional<UtcMillis> data_time_;

  std::unordered_set<std::int64_t> stale_nodes_;
  bool nodes_changed_ = true, observers_changed_ = true, anything_changed_ = true;
  std::uint64_t generation_, nodes_generation_, observers_generation_;
  std::shared_ptr<const MeshView> view_;
};

}  // namespace heliograph::server
