#pragma once

#include <memory>
#include <vector>

#include "server/analytics/mesh_model.h"
#include "server/analytics/readiness.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// All of the mesh that the readiness is assessed from. Shared and immutable, so that the assessment holds up
/// nobody.
struct ReadinessMaterial {
  struct Node {
    std::shared_ptr<const NodeView> view;
    bool floods_adverts = false;
  };
  std::vector<Node> nodes;  ///< active ones, sorted by key
  std::vector<std::shared_ptr<const ObserverView>> observers;
  std::shared_ptr<const MeshModel> model;  ///< never null
};

/// What the forecast needs. Pure; the order of the observers makes no difference.
ReadinessInput BuildReadinessInput(const ReadinessMaterial& material);

}  // namespace heliograph::server
