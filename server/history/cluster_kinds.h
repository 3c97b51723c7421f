#pragma once

#include <array>

#include "server/history/entity_kind.h"

namespace heliograph::server {

/// What is versioned of clusters: the tracks, the states of their decisions, the names that they once had,
/// and what people corrected.
extern const std::array<EntityKind, 4> kClusterKinds;

}  // namespace heliograph::server
