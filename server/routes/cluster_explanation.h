#pragma once

#include <string>

#include "server/http/request.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// The JSON of /api/clusters/explain. Throws ProblemError.
std::string BuildExplanation(const Request& request, const RouteContext& context, const MeshView& view);

}  // namespace heliograph::server
