#include "server/routes/cluster_report.h"

#include <algorithm>

#include "server/routes/cluster_json.h"
#include "server/routes/cluster_request.h"

namespace heliograph::server {
namespace {

constexpr std::size_t kMostClusters = 100;
constexpr std::size_t kFirstMembers = 8;
constexpr std::int64_t kMostEvents = 40;
constexpr std::int64_t kRunsLookedBack = 200;

/// Text from outside, so that it stays one cell and means nothing to Markdown or HTML.
std::string Cell(const std::string& text) {
  std::string safe;
  for (const char character : text) {
    if (static_cast<unsigned char>(character) < 0x20) {
      safe += ' ';
    } else if (character == '<') {
      safe += "&lt;";
    } else {
      if (std::string_view("\\`*_{}[]()#+!|>~").find(character) != std::string_view::npos) safe += '\\';
      safe += character;
    }
  }
  return safe;
}

std::string Called(const TrackMember& member, ClusterCollection collection, const MemberNaming& naming) {
  constexpr std::size_t kShortKey = 8;
  const NodeView* node = naming.NodeOf(member.key);
  if (node != nullptr && node->name) return Cell(*node->name);
  return Cell(collection == ClusterCollection::kMesh ? member.key.substr(0, kShortKey) : member.key);
}

struct ReportMaterial {
  AskedMoment asked;
  std::optional<std::int64_t> run;
  std::vector<ClusterTrack> tracks;
  std::vector<std::vector<TrackMember>> members;
  std::vector<ClusterDecision> events;
};

ReportMaterial Load(const Request& request, ReaderConnection& reader) {
  ReportMaterial material;
  const ClusterCollection collection = CollectionParameter(request);
  material.asked = ReadMoment(request, reader);
  material.run = WholeActiveRun(reader, material.asked.moment, collection);
  if (!material.run) return material;
  ClusterFilter filter;
  filter.collection = collection;
  filter.statuses = {"active", "closed"};
  filter.min_size = 1;
  material.tracks = TracksAt(reader, material.asked.moment, filter);
  std::sort(material.tracks.begin(), material.tracks.end(), [](const ClusterTrack& a, const ClusterTrack& b) {
    return a.size != b.size ? a.size > b.size : a.key < b.key;
  });
  if (material.tracks.size() > kMostClusters) material.tracks.resize(kMostClusters);
  material.members = MembersOf(reader, material.asked.moment, collection, material.tracks);
  DecisionFilter events;
  events.collection = collection;
  events.since_run = *material.run - kRunsLookedBack;
  events.events_only = true;
  events.limit = kMostEvents;
  material.events = DecisionsAt(reader, material.asked.moment, events);
  return material;
}

std::string EventLine(const ClusterDecision& event) {
  std::string line = "- " + FormatTime(event.at) + " **" + event.kind + "** of " + Cell(event.title) + " (" +
                     event.state + "): " + Cell(event.reason);
  for (const DecisionTrack& other : event.others) line += " " + other.role + ": " + Cell(other.title) + ".";
  return line + "\n";
}

}  // namespace

std::string BuildClusterReport(const Request& request, const RouteContext& context, const MeshView& view) {
  const auto material =
      context.services().readers->Read([&](ReaderConnection& reader) { return Load(request, reader); });
  const ClusterCollection collection = CollectionParameter(request);
  const MemberNaming naming(context, view, collection, material.asked.as_of.has_value());
  std::string text = "# Clusters of " + std::string(Name(collection)) + "\n\n";
  if (!material.run) return text + "There has been no run yet.\n";
  text +=
      "Run " + std::to_string(*material.run) + ", " + std::to_string(material.tracks.size()) + " clusters";
  if (const auto& as_of = material.asked.as_of)
    text += ", as of commit " + as_of->commit_id + " of " + FormatTime(as_of->committed_at);
  text += ".\n\n";
  text += "| Cluster | Members | Status | Firmest members |\n|---|---:|---|---|\n";
  for (std::size_t i = 0; i < material.tracks.size(); ++i) {
    const ClusterTrack& track = material.tracks[i];
    text += "| " + Cell(track.title) + " | " + std::to_string(track.size) + " | " + track.status + " | ";
    std::size_t shown = 0;
    for (const TrackMember& member : material.members[i]) {
      if (shown == kFirstMembers) break;
      if (!naming.Shows(member.key)) continue;
      text += (shown++ == 0 ? "" : ", ") + Called(member, collection, naming);
    }
    text += " |\n";
  }
  text += "\n## What happened\n\n";
  if (material.events.empty()) text += "Nothing but small changes.\n";
  for (const ClusterDecision& event : material.events) text += EventLine(event);
  return text;
}

}  // namespace heliograph::server
