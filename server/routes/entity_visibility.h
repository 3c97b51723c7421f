#pragma once

#include <string_view>

#include "server/routes/visibility.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// Whether the operator wants the entity shown, in commits, entities and the feed: nodes that are hidden are
/// not. `id` is spelled as answers spell it.
bool ShowsEntity(const Visibility& visibility, const MeshView& view, std::string_view kind,
                 std::string_view id);

}  // namespace heliograph::server
