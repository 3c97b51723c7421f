#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/pins: commits that are kept under a name; and the revert of a commit.
void RegisterPinRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
