#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/requests/{id}. REQUIRED: as RegisterRoutes.
void RegisterRequestRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
