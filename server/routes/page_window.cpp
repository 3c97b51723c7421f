#include "server/routes/page_window.h"

#include <algorithm>
#include <variant>

#include "server/http/problem.h"

namespace heliograph::server {
namespace {

/// Far beyond any list, and small enough that a limit can be added to it.
constexpr std::int64_t kMaxOffset = std::int64_t{1} << 40;

std::optional<std::int64_t> CursorOffset(const Request& request, std::string_view list) {
  const auto fields = CursorParameter(request, list, 1);
  if (!fields) return std::nullopt;
  const auto* offset = std::get_if<std::int64_t>(&fields->front());
  if (offset == nullptr || *offset < 0) throw ProblemError(400, "cursor is no `next` of this list");
  return *offset;
}

}  // namespace

PageWindow ReadPageWindow(const Request& request, std::string_view list, LimitRange limits) {
  PageWindow window;
  window.limit = LimitParameter(request, limits);
  const auto cursor = CursorOffset(request, list);
  window.offset = std::min(cursor ? *cursor : OffsetParameter(request), kMaxOffset);
  return window;
}

std::optional<std::string> NextPage(std::string_view list, const PageWindow& window, std::size_t shown,
                                    std::optional<std::int64_t> total) {
  const auto rows = static_cast<std::int64_t>(shown);
  const std::int64_t end = window.offset + rows;
  if (rows == 0 || (total ? end >= *total : rows < window.limit)) return std::nullopt;
  const CursorField field = end;
  return EncodeCursor(list, {&field, 1});
}

}  // namespace heliograph::server
