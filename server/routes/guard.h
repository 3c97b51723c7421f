#pragma once

#include <functional>

#include "server/http/etag.h"
#include "server/http/route.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// A handler that is given the mesh of one moment, valid until it returns.
using MeshHandler = std::function<Response(const Request&, const MeshView&)>;

/// A handler that answers 503 with the list of what is missing until the database is ready, and 503 with
/// Retry-After when the database cannot be read just now or the question takes too long.
Handler WhenReady(const RouteContext& context, MeshHandler handler);

/// 503 with the member `missing`.
Response NotReadyResponse(const GateReport& report, std::string_view path);

/// What answers about nodes alone are computed from. Not for those that depend on the data time.
Generation NodesGeneration(const RouteContext& context, const MeshView& view);
/// What answers about anything in the view are computed from.
Generation ViewGeneration(const RouteContext& context, const MeshView& view);

}  // namespace heliograph::server
