#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// POST /api/decode, which answers also while the database is not ready, and POST /api/packets. REQUIRED: as
/// RegisterRoutes.
void RegisterPostedPacketRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
