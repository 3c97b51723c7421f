#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "ingestor/apply/applier.h"

namespace heliograph::ingestor {

/// Takes over into main what the branch of that name changed since both were last one: the capability of
/// nodes, and for each collection of clusters its active run, matched to main's tracks under main's
/// corrections. All of it is one commit, or nothing happens. `request` may say whose `side` counts where both
/// have changed the same; without one that is a conflict. With the side of main, what the branch has is
/// recorded as considered, by a merge commit that may hold no change, so that it is no conflict again.
///
/// Corrections of people are made on main alone, so that a merge has none to take over.
///
/// What the outcome holds, as JSON; `runs` and `kept` have one entry for each collection:
///   conflict {"stream": of what is in conflict, null for several, "conflicts": how many nodes and
///   collections,
///             "entities": [{"kind": "node", "id"}], at most 100 of them,
///             "runs": [{"stream", "collection", "base_run", "main_run", "branch_run"}],
///             "ancestor_seq", "main_seq", "branch_seq"}
///             base_run is main's at the common ancestor; base_run and main_run are null when there is none
///   applied  {"changed": how many nodes, "conflicts": how many the side settled,
///             "runs": [{"collection", "run": main's new one, "copy_of": the branch's, and what else the
///                       outcome of a cluster-snapshot holds}],
///             "kept": [{as runs of a conflict}]: collections for which the side of main was chosen}
Verdict MergeBranch(const ApplyContext& context, const queue::QueueFile& file, const nlohmann::json& request,
                    const std::string& name);

}  // namespace heliograph::ingestor
