#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/parameters.h"
#include "server/routes/visibility.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

enum class NodeOrder {
  kLastSeen,     ///< newest first
  kName,         ///< ascending, nameless nodes last
  kPacketCount,  ///< most adverts first
};

/// Which nodes a list wants. Members that are nothing filter nothing.
struct NodeFilter {
  std::optional<std::string> role;       ///< exactly
  std::string search;                    ///< part of the name, ASCII letters in any case
  std::optional<UtcMillis> before;       ///< first seen then or earlier
  std::optional<UtcMillis> heard_since;  ///< last seen then or later
  RegionFilter region;                   ///< heard by an observer of one of these
};

using NodeList = std::vector<const NodeView*>;

/// The active nodes that are shown and pass, in key order. The pointers live as long as the view.
NodeList SelectNodes(const MeshView& view, const Visibility& visibility, const NodeFilter& filter);

/// Puts the first `count` nodes of the order to the front, in order; the rest is left in any. Ties go by key,
/// so that pages neither repeat nor miss a node.
void SortFront(NodeList& nodes, NodeOrder order, std::size_t count);

/// True when the node with this key is shown; one that is not in the view may have been long ago.
bool IsShown(const PublicKey& key, const MeshView& view, const Visibility& visibility);

/// True when one of the node's regions is asked for, or none is.
bool IsInRegion(const NodeView& node, const RegionFilter& region);

/// True when `part` is in `text`; ASCII letters in any case, as SQLite's LIKE compares.
bool ContainsIgnoringCase(std::string_view text, std::string_view part);

/// Shown nodes, active or not, whose key begins with these hexadecimal digits, in key order, at most `limit`.
/// REQUIRED: `digits` are lower-case hexadecimal, 1 to 64.
NodeList NodesWithPrefix(const MeshView& view, const Visibility& visibility, std::string_view digits,
                         std::size_t limit);

}  // namespace heliograph::server
