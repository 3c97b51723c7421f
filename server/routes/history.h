#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/commits, and one commit with its changes.
void RegisterHistoryRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
