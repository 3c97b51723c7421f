#pragma once

#include <string>
#include <utility>

#include "queue/envelope.h"
#include "server/http/response.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// Hands a request to the ingestor and answers 202 with requestId and statusUrl. Throws as
/// RequestPublisher::Publish.
inline Response AnswerQueued(const RouteContext& context, queue::Kind kind, std::string stream,
                             std::string payload) {
  QueuedRequest queued;
  queued.kind = kind;
  queued.stream = std::move(stream);
  queued.payload = std::move(payload);
  const std::string id = context.services().requests->Publish(queued).ToText();
  JsonText out;
  out.BeginObject().Member("requestId", id).Member("statusUrl", "/api/requests/" + id).EndObject();
  return JsonResponse(std::move(out).Take(), 202);
}

}  // namespace heliograph::server
