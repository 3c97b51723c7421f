#pragma once

#include <unordered_set>

#include "server/clusters/cluster_reader.h"
#include "server/routes/json_text.h"
#include "server/routes/route_context.h"

namespace heliograph::server {

/// False for a node that is hidden from the public.
bool ShowsMember(const RouteContext& context, const MeshView& view, ClusterCollection collection,
                 const std::string& key);

/// The numbers of the nodes that are hidden from the public, as far as they have any.
std::unordered_set<std::int64_t> HiddenMembers(ReaderConnection& reader, const RouteContext& context,
                                               const MeshView& view);

/// How an answer names members. As of a commit that is their keys alone: names and roles have no history.
class MemberNaming {
 public:
  /// The references outlive it.
  MemberNaming(const RouteContext& context, const MeshView& view, ClusterCollection collection,
               bool of_the_past)
      : context_(context), view_(view), collection_(collection), of_the_past_(of_the_past) {}

  bool of_the_past() const { return of_the_past_; }
  bool Shows(const std::string& key) const { return ShowsMember(context_, view_, collection_, key); }
  /// Null for what is no node, and for all of the past.
  const NodeView* NodeOf(const std::string& key) const;

 private:
  const RouteContext& context_;
  const MeshView& view_;
  ClusterCollection collection_;
  bool of_the_past_;
};

/// The members of a cluster that every answer has, into an object that is open.
void WriteTrackFacts(JsonText& out, const ClusterTrack& track, const MemberNaming& naming);
/// `{"key","name","role","strength","state"}`; of an item just the key is known.
void WriteClusterMember(JsonText& out, const TrackMember& member, const MemberNaming& naming);
void WriteDecision(JsonText& out, const ClusterDecision& decision);
/// Of the past without how often it kept members out, which is only counted in the present.
void WriteOverride(JsonText& out, const ClusterOverrideRow& row, const MemberNaming& naming);

/// Names the cluster of a node: `{"id","slug","title","strength"}`, or null when it belongs to none.
void WriteClusterOfNode(JsonText& out, const RouteContext& context, const PublicKey& key);

}  // namespace heliograph::server
