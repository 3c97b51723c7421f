#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/parameters.h"

namespace heliograph::server {

/// Which rows of a list a request wants.
struct PageWindow {
  std::int64_t limit = 0;
  std::int64_t offset = 0;
};

/// From `limit` and `offset`, or from `cursor`, which stands in the place of `offset` and is the `next` of
/// the page before. `list` names the list, for the cursor of another is refused. Throws ProblemError(400)
/// when the cursor is malformed.
PageWindow ReadPageWindow(const Request& request, std::string_view list, LimitRange limits);

/// The `next` of a page that shows `shown` rows; nothing when it was the last. Without a `total` a full page
/// is taken to have a successor.
std::optional<std::string> NextPage(std::string_view list, const PageWindow& window, std::size_t shown,
                                    std::optional<std::int64_t> total);

}  // namespace heliograph::server
