#pragma once

#include "common/public_key.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// What the model of the last analytics cycle says of a node and why, as an object: its probability before it
/// was rounded and met what is stored, the priors of the mesh, and the opportunities that the node had; null
/// until the first cycle. Neighbours that are hidden are left out.
void WriteModel(JsonText& out, const PublicKey& key, const RouteContext& context, const MeshView& view);

}  // namespace heliograph::server
