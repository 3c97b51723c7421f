#pragma once

#include "server/clusters/cluster_reader.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// The members of a cluster that every answer has, into an object that is open.
void WriteTrackFacts(JsonText& out, const ClusterTrack& track, const MeshView& view);
/// `{"key","name","role","strength","state"}`; of an item just the key is known.
void WriteClusterMember(JsonText& out, const TrackMember& member, ClusterCollection collection,
                        const MeshView& view);
void WriteDecision(JsonText& out, const ClusterDecision& decision);
void WriteOverride(JsonText& out, const ClusterOverrideRow& row);

/// False for a node that is hidden from the public.
bool ShowsMember(const RouteContext& context, const MeshView& view, ClusterCollection collection,
                 const std::string& key);

/// Names the cluster of a node: `{"id","slug","title","strength"}`, or null when it belongs to none.
void WriteClusterOfNode(JsonText& out, const RouteContext& context, const PublicKey& key);

}  // namespace heliograph::server
