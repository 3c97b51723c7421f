#include "server/http/response.h"

#include <utility>

namespace heliograph::server {

void Response::SetHeader(std::string_view name, std::string value) {
  std::erase_if(headers, [name](const Header& header) { return EqualsIgnoringCase(header.name, name); });
  headers.push_back({std::string(name), std::move(value)});
}

const std::string* Response::FindHeader(std::string_view name) const {
  for (const Header& header : headers) {
    if (EqualsIgnoringCase(header.name, name)) {
      return &header.value;
    }
  }
  return nullptr;
}

const std::string& Response::Text() const {
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    return **shared;
  }
  return std::get<std::string>(body);
}

Response JsonResponse(std::string json, int status) {
  Response response;
  response.status = status;
  response.body = std::move(json);
  return response;
}

Response EventStreamResponse(std::shared_ptr<EventSource> source) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
  response.body = std::move(source);
  return response;
}

}  // namespace heliograph::server
