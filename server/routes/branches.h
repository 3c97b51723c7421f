#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/branches: what-if lines of history, compared with main and merged into it.
void RegisterBranchRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
