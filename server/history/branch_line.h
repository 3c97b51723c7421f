#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace heliograph::server {

/// A line of history: the commits of a live branch and, below them, those of main up to its base.
struct BranchLine {
  std::int64_t branch_id = 1;
  std::string name = "main";
  std::optional<std::int64_t> base_seq;  ///< the commit of main that it began at; nothing for main itself
  std::int64_t head_seq = 0;             ///< its newest commit; its base while it has none of its own
};

}  // namespace heliograph::server
