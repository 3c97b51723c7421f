#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/commits, one commit with its changes, and the history of single entities.
void RegisterHistoryRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
