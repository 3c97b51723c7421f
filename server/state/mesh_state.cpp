#include "server/state/mesh_state.h"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>
#include <utility>

#include "dbschema/database.h"
#include "server/state/packet_reader.h"

namespace heliograph::server {
namespace {

// Below this a step is as fast as it can be.
constexpr std::size_t kMinPageRows = 64;

std::int64_t Number(IdentityKey key) {
  return static_cast<std::int64_t>(key);
}

void CopyCounters(const NodeCapability& from, NodeCapability& to) {
  to.advert_proofs = from.advert_proofs;
  to.relay_proofs = from.relay_proofs;
  to.path_hints = from.path_hints;
  to.last_proof_at = from.last_proof_at;
}

}  // namespace

MeshState::MeshState(Limits limits, std::uint64_t generation)
    : limits_(limits),
      page_rows_(limits.page_rows),
      evidence_(limits.max_hops),
      relays_(limits.max_pairs),
      floods_([this](Flood&& flood) {
        if (lane_) {
          lane_->Put(std::move(flood));
        } else {
          TakeFlood(flood);
        }
      }),
      generation_(generation),
      nodes_generation_(generation),
      observers_generation_(generation) {}

void MeshState::LoadWarm(ReaderConnection& connection) {
  epoch_ = dbschema::ReadMeta(connection.database(), "epoch");
  FollowRows(connection);
  FollowBounds(connection);
  bounds_changed_ = false;
  data_time_ = ReadNewestReceipt(connection);
  for (const auto& [key, observer] : observers_) {
    if (data_time_) data_time_ = std::max(data_time_, observer.shown->last_packet_at);
  }
  if (data_time_) data_time_ = std::min(*data_time_, WallClockNow());
}

MeshState::Step MeshState::Follow(ReaderConnection& connection) {
  if (dbschema::ReadMeta(connection.database(), "epoch") != epoch_) return Step::kReplaced;
  read_at_ = WallClockNow();
  if (data_time_) data_time_ = std::min(*data_time_, read_at_);
  FollowRows(connection);
  FollowBounds(connection);
  if (FollowPackets(connection)) return Step::kMore;
  if (!complete_) {
    complete_ = true;
    bounds_changed_ = false;
    floods_.HandOnAll();
    MarkAllNodes();
    anything_changed_ = true;
  }
  return Step::kUpToDate;
}

void MeshState::FollowRows(ReaderConnection& connection) {
  for (auto& [key, public_key] : ReadIdentities(connection, identity_cursor_)) {
    identity_cursor_ = Number(key);
    identities_.emplace(Number(key), public_key);
  }
  for (auto& [revision, observer] : ReadObserverChanges(connection, observer_cursor_)) {
    observer_cursor_ = revision;
    PutObserver(std::move(observer));
  }
  for (NodeChange& change : ReadNodeChanges(connection, node_cursor_)) {
    node_cursor_ = change.revision;
    if (change.row) {
      PutNode(std::move(*change.row));
    } else {
      RemoveNode(change.key);
    }
  }
  FollowCapability(connection);
}

void MeshState::FollowCapability(ReaderConnection& connection) {
  const std::int64_t head = ReadHead(connection);
  if (head != head_seq_) {
    const auto changes =
        head_seq_ < 0 ? ReadCapabilities(connection) : ReadCapabilityChanges(connection, head_seq_);
    for (const auto& [key, capability] : changes) {
      NodeCapability now = capability.value_or(NodeCapability{});
      NodeState* node = FindNode(Number(key));
      NodeCapability& stored = node ? node->stored : stored_[Number(key)];
      CopyCounters(stored, now);
      stored = now;
      stale_nodes_.insert(Number(key));
    }
    FollowReadiness(connection);
    head_seq_ = head;
    anything_changed_ = true;
  }
  const std::int64_t mark = ReadLedgerMark(connection);
  if (mark == ledger_mark_) return;
  const auto all_counters = ReadCapabilityCounters(connection);
  ledger_mark_ = mark;
  for (const auto& [key, counters] : all_counters) {
    NodeState* node = FindNode(Number(key));
    CopyCounters(counters, node ? node->stored : stored_[Number(key)]);
    stale_nodes_.insert(Number(key));
  }
}

void MeshState::FollowReadiness(ReaderConnection& connection) {
  SwitchReadiness readiness = ReadReadiness(connection);
  if (stored_readiness_ && readiness == *stored_readiness_) return;
  stored_readiness_ =
      readiness.scopes.empty() ? nullptr : std::make_shared<const SwitchReadiness>(std::move(readiness));
}

void MeshState::FollowBounds(ReaderConnection& connection) {
  const PacketBounds bounds = ReadPacketBounds(connection);
  if (bounds.first_transmission != bounds_.first_transmission ||
      bounds.first_observation != bounds_.first_observation || bounds.retention_end != bounds_.retention_end)
    bounds_changed_ = true;
  if (!complete_ && bounds.last_observation != bounds_.last_observation) anything_changed_ = true;
  bounds_ = bounds;
}

/// While all packets are being read, their floods are resolved beside the reading, which takes as long.
/// Nothing else reads or changes what a flood is resolved with before the page ends, so the outcome is the
/// same.
bool MeshState::FollowPackets(ReaderConnection& connection) {
  if (complete_) return ReadPackets(connection);
  FloodLane lane([this](const Flood& flood) { TakeFlood(flood); });
  lane_ = &lane;
  bool more = false;
  std::exception_ptr error;
  try {
    more = ReadPackets(connection);
  } catch (...) {
    error = std::current_exception();
  }
  lane_ = nullptr;
  lane.Finish();  // also after an error, for what was read before it is in
  if (error) std::rethrow_exception(error);
  return more;
}

/// Each row is counted and passed by in one, so that a page that is cut short is simply a shorter page.
bool MeshState::ReadPackets(ReaderConnection& connection) {
  const bool more_transmissions = ReadTransmissionTimes(
      connection, transmission_cursor_, page_rows_, [&](std::int64_t id, UtcMillis first_seen) {
        const UtcMillis seen = std::min(first_seen, read_at_);
        transmissions_hour_.Add(seen);
        transmissions_day_.Add(seen);
        transmission_cursor_ = id;
        ++transmissions_;
        anything_changed_ = true;
      });
  const bool more_observations =
      ReadObservations(connection, observation_cursor_, page_rows_, [&](Reception& reception) {
        TakeReception(reception);
        observation_cursor_ = reception.observation;
        ++observations_;
        anything_changed_ = true;
      });
  // Until all is read no conclusion is drawn, and then it is drawn for all nodes.
  if (!complete_) evidence_.TakeChanges();
  return more_transmissions || more_observations;
}

void MeshState::TakeReception(Reception& reception) {
  reception.received_at = std::min(reception.received_at, read_at_);
  if (reception.origin) {
    const auto signer = identities_.find(Number(*reception.origin));
    if (signer != identities_.end()) reception.origin_key = &signer->second;
  }
  if (!data_time_ || reception.received_at > *data_time_) data_time_ = reception.received_at;
  const auto observer = observers_.find(Number(reception.observer));
  if (observer != observers_.end()) observer->second.hour.Add(reception.received_at);
  evidence_.Add(reception);
  floods_.Add(reception);
}

MeshState::NodeState* MeshState::FindNode(std::int64_t key) {
  const auto identity = identities_.find(key);
  if (identity == identities_.end()) return nullptr;
  const auto node = nodes_.find(identity->second);
  return node == nodes_.end() ? nullptr : &node->second;
}

/// One bit for each region; none for those that there is no room for.
std::uint64_t MeshState::RegionBit(const std::string& iata) {
  const auto found = region_bits_.find(iata);
  if (found != region_bits_.end()) return found->second;
  if (region_bits_.size() >= 64) return 0;
  return region_bits_[iata] = std::uint64_t{1} << region_bits_.size();
}

/// Puts together what the rows of a node and of an observer with the same key tell.
void MeshState::PutStation(IdentityKey key, const PublicKey& public_key) {
  Station station;
  station.public_key = public_key;
  station.forwards_by_default = removed_.contains(Number(key));  // it is no longer known whether it did
  const auto heard = [&station](UtcMillis first, UtcMillis last) {
    station.first_heard = std::min(station.first_heard.value_or(first), first);
    station.last_heard = std::max(station.last_heard.value_or(last), last);
  };
  if (const auto node = nodes_.find(public_key); node != nodes_.end() && node->second.shown) {
    const NodeView& row = *node->second.shown;
    station.forwards_by_default = ForwardsByDefault(row.role);
    if (row.lat && row.lon) station.position = GeoPoint{*row.lat, *row.lon};
    heard(row.first_seen, row.last_seen);
    for (const std::string& iata : row.regions) station.regions |= RegionBit(iata);
  }
  if (const auto observer = observers_.find(Number(key)); observer != observers_.end()) {
    const ObserverView& row = *observer->second.shown;
    heard(row.first_seen, row.last_seen);
    station.regions |= RegionBit(row.iata);
  }
  const bool is_new = stations_.Find(key) == nullptr;
  stations_.Put(key, station);
  if (is_new) MarkSharers(public_key);
}

/// Whoever shares a hash with a key that comes or goes is judged anew.
void MeshState::MarkSharers(const PublicKey& public_key) {
  for (const std::size_t size : {2, 3}) MarkCandidates(HopKeyOf(public_key, size));
}

void MeshState::TakeFlood(const Flood& flood) {
  HopResolver(stations_, relays_).Resolve(flood, resolved_);
  relays_.Add(flood, resolved_);
  sample_.Add(flood);
}

void MeshState::MarkCandidates(HopKey hop) {
  const auto& candidates = stations_.Candidates(hop);
  stale_nodes_.insert(candidates.begin(), candidates.end());
}

void MeshState::PutNode(NodeView row) {
  const IdentityKey key = row.key;
  const PublicKey public_key = row.public_key;
  NodeState& node = nodes_[public_key];
  removed_.erase(Number(key));
  if (node.shown) {
    row.capability = node.shown->capability;
    row.hash_size = node.shown->hash_size;
    row.regions = node.shown->regions;
  } else if (const auto stored = stored_.extract(Number(key)); !stored.empty()) {
    node.stored = stored.mapped();
  }
  if (!node.shown || *node.shown != row) {
    node.shown = std::make_shared<const NodeView>(std::move(row));
    nodes_changed_ = true;
  }
  PutStation(key, public_key);
  stale_nodes_.insert(Number(key));
}

/// Who was removed may relay all the same, so that its key can be behind a hop for ever. What its row told is
/// forgotten: a server that starts later, and has never seen the row, must judge alike.
void MeshState::RemoveNode(IdentityKey key) {
  const auto identity = identities_.find(Number(key));
  if (identity == identities_.end()) return;
  removed_.insert(Number(key));
  stored_.erase(Number(key));
  if (nodes_.erase(identity->second) != 0) nodes_changed_ = true;
  PutStation(key, identity->second);
}

void MeshState::PutObserver(ObserverView row) {
  const IdentityKey key = row.key;
  ObserverState& observer = observers_[Number(key)];
  const bool moved = observer.shown && observer.shown->iata != row.iata;
  row.packets_last_hour = observer.hour.sum();
  observer.shown = std::make_shared<const ObserverView>(std::move(row));
  observers_changed_ = true;
  // An observer that never advertised may relay all the same, so its key can be behind a hop.
  if (const auto identity = identities_.find(Number(key)); identity != identities_.end())
    PutStation(key, identity->second);
  if (moved) MarkAllNodes();
}

void MeshState::MarkAllNodes() {
  for (const auto& [public_key, node] : nodes_) stale_nodes_.insert(Number(node.shown->key));
}

void MeshState::MarkChangedByEvidence() {
  if (const std::size_t assumed = std::bit_ceil(std::max<std::size_t>(stations_.size(), 1));
      assumed != assumed_nodes_) {
    assumed_nodes_ = assumed;
    MarkAllNodes();
  }
  const CapabilityEvidenceStore::Changes changes = evidence_.TakeChanges();
  stale_nodes_.insert(changes.origins.begin(), changes.origins.end());
  for (const std::uint32_t hop : changes.hops) MarkCandidates(HopKey{hop});
}

void MeshState::RefreshNodes() {
  if (complete_) MarkChangedByEvidence();
  if (complete_ && !model_) UpdateModel();
  RefreshStale();
}

void MeshState::RefreshStale() {
  for (const std::int64_t key : std::exchange(stale_nodes_, {})) {
    if (NodeState* node = FindNode(key)) Refresh(*node);
  }
}

void MeshState::UpdateModel() {
  const std::pair present(observation_cursor_, stations_.size());
  if (model_ && modelled_ == present) return;
  modelled_ = present;
  floods_.HandOnIdle();
  MarkChangedByEvidence();
  RefreshStale();  // the model builds on what the rules have proven
  auto model = std::make_shared<MeshModel>(MeshModel{stations_, relays_, {}});
  std::vector<ModelFacts> facts;
  facts.reserve(nodes_.size());
  for (const auto& [public_key, node] : nodes_) facts.push_back(FactsOf(node));
  const OpportunityMeter meter(sample_, floods_.OpenFloods(), model->resolver());
  model->capability = RunCapabilityModel(facts, meter);
  model_ = std::move(model);
  MarkAllNodes();
  anything_changed_ = true;
}

ModelFacts MeshState::FactsOf(const NodeState& node) const {
  const NodeView& view = *node.shown;
  ModelFacts facts;
  facts.node = view.key;
  facts.forwards_by_default = ForwardsByDefault(view.role);
  if (view.capability.status == CapabilityStatus::kConfirmed) {
    facts.proven = view.capability.probability.value_or(1);
    facts.proven_by_advert = view.capability.evidence == CapabilityEvidence::kAdvert;
  }
  facts.multibyte_adverts = static_cast<std::uint32_t>(node.computed.advert_proofs);
  std::int64_t flood_adverts = 0;
  if (const AdvertEvidence* adverts = evidence_.AdvertsOf(view.key)) {
    facts.one_byte_adverts = adverts->flood[0].adverts;
    for (const SizeTally& size : adverts->flood) flood_adverts += size.adverts;
  }
  facts.other_adverts =
      static_cast<std::uint32_t>(std::max<std::int64_t>(0, view.advert_count - flood_adverts));
  using Days = std::chrono::duration<double, std::ratio<86'400>>;
  const SenderTally* sender = relays_.Sender(view.key);
  if (sender != nullptr && sender->first_relayed[0])
    facts.relay_days = Days(*sender->last_relayed[0] - *sender->first_relayed[0]).count();
  return facts;
}

void MeshState::Refresh(NodeState& node) {
  NodeView view = *node.shown;
  view.capability = node.stored;
  if (complete_) {
    const AdvertEvidence* adverts = evidence_.AdvertsOf(view.key);
    CapabilityFacts facts;
    facts.role = view.role;
    facts.adverts = adverts;
    facts.hops = SupportsOf(view.key, view.public_key, evidence_, stations_.prefixes());
    facts.known_nodes = stations_.size();
    node.computed = DecideCapability(facts);
    if (const ModelVerdict* verdict = model_ ? model_->capability.Find(view.key) : nullptr)
      ApplyVerdict(*verdict, node.computed);
    node.computed = AgedOut(std::move(node.computed), limits_.capability_age_out_days, data_time_);
    node.computed.public_key = view.public_key;
    view.capability = MergeKnown(node.stored, node.computed);
    view.hash_size = adverts ? SummariseSizes(*adverts) : AdvertisedHashSize{};
    std::set<std::string> regions;
    if (adverts) {
      for (const std::int64_t observer : adverts->observers) {
        const auto found = observers_.find(observer);
        if (found != observers_.end()) regions.insert(found->second.shown->iata);
      }
    }
    view.regions.assign(regions.begin(), regions.end());
  }
  if (view == *node.shown) return;
  node.shown = std::make_shared<const NodeView>(std::move(view));
  nodes_changed_ = true;
}

void MeshState::RefreshObservers() {
  if (!data_time_) return;
  for (auto& [key, observer] : observers_) {
    observer.hour.AdvanceTo(*data_time_);
    if (observer.hour.sum() == observer.shown->packets_last_hour) continue;
    ObserverView view = *observer.shown;
    view.packets_last_hour = observer.hour.sum();
    observer.shown = std::make_shared<const ObserverView>(std::move(view));
    observers_changed_ = true;
  }
  transmissions_hour_.AdvanceTo(*data_time_);
  transmissions_day_.AdvanceTo(*data_time_);
}

MeshTotals MeshState::Totals() const {
  MeshTotals totals;
  totals.transmissions_last_hour = transmissions_hour_.sum();
  totals.transmissions_last_24h = transmissions_day_.sum();
  totals.transmissions = transmissions_;
  totals.observations = observations_;
  if (complete_) return totals;
  // Ids have few gaps, so until all is counted the distance of the ends is a good figure.
  const auto between = [](std::int64_t first, std::int64_t last) { return last == 0 ? 0 : last - first + 1; };
  totals.transmissions = between(bounds_.first_transmission, bounds_.last_transmission);
  totals.observations = between(bounds_.first_observation, bounds_.last_observation);
  return totals;
}

void MeshState::Recount(ReaderConnection& connection) {
  bounds_changed_ = false;
  std::tie(transmissions_, observations_) =
      CountPackets(connection, transmission_cursor_, observation_cursor_);
  anything_changed_ = true;
}

bool MeshState::HalvePage() {
  if (page_rows_ <= kMinPageRows) return false;
  page_rows_ = std::max(page_rows_ / 2, kMinPageRows);
  return true;
}

std::shared_ptr<const MeshView> MeshState::View() {
  RefreshNodes();
  RefreshObservers();
  if (view_ && !nodes_changed_ && !observers_changed_ && !anything_changed_) return view_;
  ++generation_;
  if (nodes_changed_) nodes_generation_ = generation_;
  if (observers_changed_) observers_generation_ = generation_;
  nodes_changed_ = observers_changed_ = anything_changed_ = false;
  view_ = BuildView();
  return view_;
}

std::shared_ptr<const MeshView> MeshState::BuildView() const {
  auto view = std::make_shared<MeshView>();
  view->nodes_generation = nodes_generation_;
  view->observers_generation = observers_generation_;
  view->generation = generation_;
  view->progress = complete_ ? AnalyticsProgress::kComplete : AnalyticsProgress::kWarm;
  view->epoch = epoch_;
  view->watermark = observation_cursor_;
  view->head_seq = head_seq_;
  view->readiness = stored_readiness_;
  view->data_time = data_time_;
  view->totals = Totals();
  view->known_keys = stations_.size();
  view->model = model_;
  view->nodes.reserve(nodes_.size());
  view->node_index.reserve(nodes_.size());
  for (const auto& [public_key, node] : nodes_) {
    view->node_index.emplace(public_key, view->nodes.size());
    view->nodes.push_back(node.shown);
  }
  for (const auto& [key, observer] : observers_) view->observers.push_back(observer.shown);
  std::sort(view->observers.begin(), view->observers.end(), [](const auto& a, const auto& b) {
    return std::pair(b->last_seen, std::string_view(a->id)) <
           std::pair(a->last_seen, std::string_view(b->id));
  });
  for (std::size_t i = 0; i < view->observers.size(); ++i) {
    view->observer_index.emplace(view->observers[i]->id, i);
    view->observer_by_key.emplace(Number(view->observers[i]->key), i);
  }
  return view;
}

std::optional<ReadinessMaterial> MeshState::MaterialForReadiness() const {
  if (!model_) return std::nullopt;
  ReadinessMaterial material;
  material.model = model_;
  bool anybody = false;
  for (const auto& [public_key, node] : nodes_) {
    if (!node.shown->active) continue;
    const AdvertEvidence* adverts = evidence_.AdvertsOf(node.shown->key);
    const bool floods =
        adverts != nullptr && std::any_of(adverts->flood.begin(), adverts->flood.end(),
                                          [](const SizeTally& size) { return size.adverts > 0; });
    anybody = anybody || floods;
    material.nodes.push_back({node.shown, floods});
  }
  if (!anybody) return std::nullopt;
  for (const auto& [key, observer] : observers_) material.observers.push_back(observer.shown);
  return material;
}

CapabilityAssessment MeshState::Assess() const {
  CapabilityAssessment assessment;
  assessment.epoch = epoch_;
  assessment.watermark = observation_cursor_;
  assessment.head_seq = head_seq_;
  assessment.stored_readiness = stored_readiness_;
  assessment.material = MaterialForReadiness();
  assessment.computed.reserve(nodes_.size());
  for (const auto& [public_key, node] : nodes_) {
    assessment.computed.push_back(node.computed);
    if (DiffersForStorage(node.stored, MergeKnown(node.stored, node.computed))) ++assessment.changed;
  }
  return assessment;
}

NeighborGraph MeshState::Neighbors(const NeighborRules& rules) const {
  NeighborGraph graph = CollectNeighbors(relays_, stations_, data_time_, rules);
  graph.epoch = epoch_;
  graph.watermark = observation_cursor_;
  graph.head_seq = head_seq_;
  return graph;
}

}  // namespace heliograph::server
