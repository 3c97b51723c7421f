#pragma once

#include <cstdint>
#include <optional>

#include "server/routes/capability_history.h"
#include "server/routes/capability_proofs.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// One line of /api/multibyte: what is known of a node's capability now, or was at a commit.
struct MultibyteRow {
  PublicKey public_key;
  const NodeView* node = nullptr;  ///< null as of a commit: names, roles and counters have no history
  NodeCapability capability;
};

/// The members of the row, without braces, so that more can follow.
void WriteMultibyteMembers(JsonText& out, const MultibyteRow& row);

/// The commit that was asked for, or null.
void WriteMoment(JsonText& out, const std::optional<CommitMoment>& moment);

/// The intervals as an array, oldest first.
void WriteHistory(JsonText& out, const CapabilityHistory& history);

/// The proofs of the row's node as an array. Each says what it is evidence of by the rule of the analytics,
/// on its own and as of now (null: it decides nothing), and names the shown nodes that its hop can be, each
/// with the probability that it was (null until the first analytics cycle).
void WriteProofs(JsonText& out, const MultibyteRow& row, const CapabilityProofs& proofs,
                 const RouteContext& context, const MeshView& view);

}  // namespace heliograph::server
