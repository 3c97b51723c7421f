#pragma once

#include <string>

#include "server/http/request.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// The Markdown of /api/clusters/report.md. Throws ProblemError.
std::string BuildClusterReport(const Request& request, const RouteContext& context, const MeshView& view);

}  // namespace heliograph::server
