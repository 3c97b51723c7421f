#pragma once

#include "server/http/router.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// GET /api/multibyte and /api/multibyte/{pubkey}. REQUIRED: as RegisterRoutes.
void RegisterMultibyteRoutes(Router& router, const RouteContext& context);

}  // namespace heliograph::server
