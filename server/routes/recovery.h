#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// /api/recovery: what the ingestor went on with, or set aside, after a crash.
void RegisterRecoveryRoute(Router& router, const RouteContext& context);

}  // namespace heliograph::server
