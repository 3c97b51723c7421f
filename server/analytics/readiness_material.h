#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/identity_key.h"
#include "server/analytics/readiness.h"
#include "server/analytics/relay_evidence.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// All of the mesh that the readiness is assessed from: a copy, so that the assessment holds up nobody.
struct ReadinessMaterial {
  struct Node {
    std::shared_ptr<const NodeView> view;
    bool floods_adverts = false;
  };
  struct Sender {
    IdentityKey node{};
    std::array<float, 2> relayed{}, originated{}, reported{};  ///< as in SenderTally
  };
  struct Pair {
    IdentityKey from{}, to{};
    std::array<float, 2> forwarded{}, reported{};  ///< as in PairTally
  };
  std::vector<Node> nodes;  ///< active ones, sorted by key
  std::vector<std::shared_ptr<const ObserverView>> observers;
  std::vector<Sender> senders;
  std::vector<Pair> pairs;
  std::array<std::uint64_t, 2> floods{};  ///< by FloodClass
};

/// Adds what the evidence holds. Pairs that were seen less than half a time are left out: such are what is
/// left of hops that were most probably others.
void CopyEvidence(const RelayEvidence& evidence, ReadinessMaterial& material);

/// What the forecast needs. Pure; the order of senders, pairs and observers makes no difference.
ReadinessInput BuildReadinessInput(const ReadinessMaterial& material);

}  // namespace heliograph::server
