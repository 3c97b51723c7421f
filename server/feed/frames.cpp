#include "server/feed/frames.h"

#include "server/http/problem.h"

namespace heliograph::server {

std::string RetryFrame(std::chrono::milliseconds pause) {
  return "retry: " + std::to_string(pause.count()) + "\n\n";
}

std::string EventFrame(std::string_view event, std::string_view id, std::string_view json) {
  std::string frame;
  frame.reserve(event.size() + id.size() + json.size() + 24);
  frame.append("id: ").append(id).append("\nevent: ").append(event).append("\ndata: ").append(json);
  return frame.append("\n\n");
}

std::string HelloFrame(const StreamBounds& bounds, std::int64_t position) {
  const std::string cursor = CursorText(bounds.epoch, position);
  return EventFrame("hello", cursor,
                    "{\"cursor\":" + JsonQuoted(cursor) +
                        ",\"head\":" + JsonQuoted(CursorText(bounds.epoch, bounds.head)) +
                        ",\"floor\":" + JsonQuoted(CursorText(bounds.epoch, bounds.floor)) + "}");
}

std::string ResetFrame(const StreamBounds& bounds, ResetReason reason, std::string_view requested) {
  const std::string cursor = CursorText(bounds.epoch, bounds.head);
  return EventFrame(
      "reset", cursor,
      "{\"reason\":" + JsonQuoted(Name(reason)) + ",\"detail\":" + JsonQuoted(Describe(reason)) +
          ",\"requested\":" + JsonQuoted(requested) + ",\"cursor\":" + JsonQuoted(cursor) + "}");
}

std::string HeartbeatFrame(const StreamBounds& bounds, std::int64_t position) {
  return EventFrame("hb", CursorText(bounds.epoch, position), "{}");
}

}  // namespace heliograph::server
