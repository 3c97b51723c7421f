#pragma once

#include "server/routes/json_text.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// The node as one object with the members of CoreScope's Node that Heliograph knows, and `active`.
void WriteNode(JsonText& out, const NodeView& node);

/// The nodes of a whole mesh by role, as CoreScope counts them.
struct RoleCounts {
  std::int64_t repeaters = 0, rooms = 0, companions = 0, sensors = 0;
  void Add(std::string_view role);
};
/// `{"repeaters","rooms","companions","sensors"}`
void WriteRoleCounts(JsonText& out, const RoleCounts& counts);

}  // namespace heliograph::server
