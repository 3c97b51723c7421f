#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/events and /api/events/packets: what changes, and what is heard, as it happens.
void RegisterEventRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
