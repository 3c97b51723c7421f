#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/packets and /api/packets/{id}. REQUIRED: as RegisterRoutes.
void RegisterPacketRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
