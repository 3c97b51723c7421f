#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/changes: the feed in pages.
void RegisterChangeRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
