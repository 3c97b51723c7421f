#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/healthz and /api/readyz, which answer also while the database is not ready. REQUIRED: as
/// RegisterRoutes.
void RegisterHealthRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
