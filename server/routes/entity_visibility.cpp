#include "server/routes/entity_visibility.h"

namespace heliograph::server {

bool ShowsEntity(const Visibility& visibility, const MeshView& view, std::string_view kind,
                 std::string_view id) {
  if (kind != "node") return true;
  const auto key = PublicKey::FromHex(id);
  if (!key) return true;
  const NodeView* node = view.FindNode(*key);
  return node == nullptr ? visibility.ShowsKey(*key) : visibility.Shows(*node);
}

}  // namespace heliograph::server
