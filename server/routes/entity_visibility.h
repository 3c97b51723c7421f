#pragma once

#include <string>
#include <string_view>

#include "server/routes/visibility.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// Whether the operator wants the entity shown, in commits, entities and the feed: nodes that are hidden are
/// not. `id` is spelled as answers spell it.
bool ShowsEntity(const Visibility& visibility, const MeshView& view, std::string_view kind,
                 std::string_view id);

/// The state of an entity, a JSON value, without what it tells of hidden nodes: objects in arrays whose
/// `public_key` is theirs, and a `representative` that is one.
std::string ShownState(const Visibility& visibility, const MeshView& view, const std::string& json);

}  // namespace heliograph::server
