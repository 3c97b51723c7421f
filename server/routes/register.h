#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// Adds every route of this folder, and /api/spec, which documents all routes that `router` has when it is
/// asked. Until the database is ready all answer 503 with the list of what is missing, but for healthz,
/// readyz, metrics, spec and decode. REQUIRED: `router` outlives its handlers, and what `context` points to
/// outlives `router`.
void RegisterRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
