#include "server/state/mesh_view.h"

namespace heliograph::server {

const NodeView* MeshView::FindNode(const PublicKey& public_key) const {
  const auto found = node_index.find(public_key);
  return found == node_index.end() ? nullptr : nodes[found->second].get();
}

const ObserverView* MeshView::FindObserver(std::string_view id) const {
  const auto found = observer_index.find(std::string(id));
  return found == observer_index.end() ? nullptr : observers[found->second].get();
}

}  // namespace heliograph::server
