#pragma once

#include "server/http/request.h"
#include "server/http/response.h"

namespace heliograph::server {

/// Answers a GET outside /api with a file of the web page: `/` is index.html. The page may load nothing from
/// elsewhere and run no script but its own. Throws ProblemError (404) for names that the page does not have.
/// Thread-safe.
Response ServePage(const Request& request);

}  // namespace heliograph::server
