#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/multibyte/readiness. REQUIRED: as RegisterRoutes.
void RegisterReadinessRoute(Router& router, const RouteContext& context);

}  // namespace heliograph::server
