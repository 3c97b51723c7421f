#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "server/feed/feed_cursor.h"

namespace heliograph::server {

/// The frames of an event stream as the WHATWG's HTML standard (section 9.2) defines them. Each ends with the
/// empty line that dispatches it, and has data, so that a page sees it.

/// What an EventSource waits before it connects again.
std::string RetryFrame(std::chrono::milliseconds pause);
/// `id` is the cursor to resume from once the event has been handled.
std::string EventFrame(std::string_view event, std::string_view id, std::string_view json);

/// The first event of a stream: where it begins, and what is kept.
std::string HelloFrame(const StreamBounds& bounds, std::int64_t position);
/// The stream could not go on where the client asked, or where it stood; it goes on at the head.
std::string ResetFrame(const StreamBounds& bounds, ResetReason reason, std::string_view requested);
/// A sign of life with the stream's own cursor, which is never ahead of what the client was sent.
std::string HeartbeatFrame(const StreamBounds& bounds, std::int64_t position);

}  // namespace heliograph::server
