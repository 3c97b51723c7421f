#pragma once

#include <string>

#include "server/http/router.h"

namespace heliograph::server {

/// The OpenAPI 3.0 document of every route below /api that `router` has, as JSON with keys in a fixed order.
std::string OpenApiDocument(const Router& router, const std::string& title, const std::string& version);

}  // namespace heliograph::server
