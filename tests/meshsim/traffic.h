#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tests/meshsim/channel.h"
#include "tests/meshsim/flood.h"
#include "tests/meshsim/node_state.h"
#include "tests/meshsim/route.h"
#include "tests/meshsim/transmission.h"

namespace heliograph::meshsim {

/// Decides who sends what next, and lets it travel.
class Traffic {
 public:
  /// Keeps references to its arguments, which must outlive it. `advert_share` is the share of adverts among
  /// the transmissions that are heard, which the choice aims at.
  Traffic(const World& world, const ObserverSet& observers, const NodeStates& states, double advert_share,
          Random random);

  /// Appends what goes on the air at `now`: one broadcast, or one for each hop of a TRACE. Nothing when the
  /// node that was to send cannot.
  void Next(UtcMillis now, std::vector<Broadcast>& out);

  /// Tells that a new transmission was heard.
  void NoteHeard(bool advert);

  const std::vector<Channel>& channels() const { return channels_; }

 private:
  enum class Kind : std::uint8_t;
  /// What changes of a node as it sends.
  struct Voice {
    std::uint32_t last_timestamp = 0;
    std::shared_ptr<Transmission> last_advert;
    UtcMillis last_advert_at;
    std::vector<std::optional<Route>> routes;  ///< to each contact
    std::size_t routes_hash_size = 0;
  };

  Kind ChooseKind();
  std::optional<NodeIndex> ChooseSpeaker(Kind kind);
  Bytes PrivateContent(Kind kind, NodeIndex from, NodeIndex to);
  void SendAdvert(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);
  void SendShared(NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);
  void SendToChannel(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);
  void SendPrivate(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);
  void SendTrace(NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);
  void SendNearby(Kind kind, NodeIndex node, UtcMillis now, std::vector<Broadcast>& out);

  std::shared_ptr<Transmission> MakeContent(NodeIndex origin, RouteType route, PayloadType type,
                                            Bytes payload);
  void FloodOut(std::shared_ptr<Transmission> content, UtcMillis now, std::vector<Broadcast>& out);
  void DirectOut(std::shared_ptr<Transmission> content, Route route, UtcMillis now,
                 std::vector<Broadcast>& out);
  const std::optional<Route>& RouteTo(NodeIndex node, std::size_t contact);
  std::uint32_t NextTimestamp(NodeIndex node, UtcMillis now);
  std::uint32_t NextTag();

  const World& world_;
  const ObserverSet& observers_;
  const NodeStates& states_;
  double advert_share_;
  Random random_;
  Flood flood_;
  std::vector<Channel> channels_;
  std::vector<double> channel_weights_;
  std::vector<std::array<std::uint8_t, 16>> scope_keys_;
  std::vector<NodeIndex> advertisers_;  ///< nodes, as often as they advertise
  std::vector<NodeIndex> talkers_;      ///< companions and rooms
  std::vector<NodeIndex> relays_;
  std::vector<Voice> voices_;
  std::uint32_t tags_ = 0;
  double heard_ = 0;
  double heard_adverts_ = 0;
};

}  // namespace heliograph::meshsim
