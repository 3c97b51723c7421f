#pragma once

#include <array>
#include <span>
#include <string_view>

namespace heliograph::ingestor {

/// A table whose rows hold from one commit to another (columns branch_id, from_seq and to_seq): what is
/// versioned. Retention and the check work on every table that stands here.
struct IntervalTable {
  std::string_view name;
  std::string_view key;     ///< the columns of the primary key, from_seq last
  std::string_view entity;  ///< those of the key that name what is versioned
};

inline constexpr std::array kIntervalTables{
    IntervalTable{"node_capability", "branch_id, node_key, from_seq", "node_key"},
    IntervalTable{"switch_readiness", "branch_id, region, from_seq", "region"},
};

inline std::span<const IntervalTable> IntervalTables() {
  return kIntervalTables;
}

}  // namespace heliograph::ingestor
