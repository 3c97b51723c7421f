#pragma once

#include <string>

#include "server/http/etag.h"
#include "server/http/request.h"
#include "server/http/response.h"

namespace heliograph::server {

/// 200 with the entity tag of these very bytes, or 304: for answers that no generation number covers.
inline Response TaggedJson(const Request& request, std::string json) {
  std::string etag = ETagOfBody(json);
  return WithETag(request, JsonResponse(std::move(json)), std::move(etag));
}

}  // namespace heliograph::server
