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
  bool is_gapless;          ///< what an entity was is followed by what it is, without an end
  bool outlives_floor;  ///< what is closed stays as long as its branch lives, whatever the floor of history
};

inline constexpr std::array kIntervalTables{
    IntervalTable{"node_capability", "branch_id, node_key, from_seq", "node_key", false, false},
    IntervalTable{"switch_readiness", "branch_id, region, from_seq", "region", true, false},
    IntervalTable{"cluster_track_states", "branch_id, track_key, from_seq", "track_key", true, true},
    IntervalTable{"cluster_decision_states", "branch_id, decision_id, from_seq", "decision_id", true, true},
    IntervalTable{"cluster_aliases", "branch_id, alias, from_seq", "alias", false, true},
    IntervalTable{"cluster_overrides", "branch_id, override_id, from_seq", "override_id", false, true},
};

/// The stream whose snapshots write the tables that do not outlive the floor of history.
inline constexpr const char* kStreamBelowFloor = "multibyte";

inline std::span<const IntervalTable> IntervalTables() {
  return kIntervalTables;
}

}  // namespace heliograph::ingestor
