#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/entities/{kind}/{id}.
void RegisterEntityRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
