#include "server/routes/clusters.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/http/response_cache.h"
#include "server/routes/cluster_explanation.h"
#include "server/routes/cluster_json.h"
#include "server/routes/cluster_report.h"
#include "server/routes/cluster_request.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::int64_t kLargestPage = 500;
constexpr std::int64_t kDefaultMembers = 200;
constexpr std::int64_t kLargestMembers = 5000;
constexpr std::int64_t kRecentDecisions = 20;
constexpr std::int64_t kDefaultOverrides = 50;
constexpr std::int64_t kLargestOverrides = 200;
/// In one answer of the list; 64 bytes each in the mesh, and at most 256 elsewhere.
constexpr std::size_t kMostMemberKeys = 20'000;
constexpr const char* kOverridesLimit = "overrides_limit";
constexpr const char* kOverridesCursor = "overrides_cursor";
constexpr std::string_view kOverridesOrder = "cluster/overrides";

enum class ClusterOrder { kSize, kRecent, kChanged };

ClusterOrder OrderOf(const Request& request) {
  return EnumParameter<ClusterOrder>(request, "sort",
                                     {{"size", ClusterOrder::kSize},
                                      {"recent", ClusterOrder::kRecent},
                                      {"changed", ClusterOrder::kChanged}})
      .value_or(ClusterOrder::kSize);
}

/// What the list is sorted by, the greatest first; the older track comes first among equals.
std::int64_t Rank(const ClusterTrack& track, ClusterOrder order) {
  switch (order) {
    case ClusterOrder::kSize:
      return track.size;
    case ClusterOrder::kRecent:
      return track.born_seq;
    case ClusterOrder::kChanged:
      break;
  }
  return track.changed_seq;
}

std::vector<std::string> StatusesOf(const Request& request) {
  const std::string* text = request.FindQuery("status");
  const std::string wanted = text == nullptr || text->empty() ? "live" : *text;
  if (wanted == "all") return {};
  if (wanted == "live") return {"active", "closed"};
  for (const char* known : {"active", "dormant", "ended", "merged", "closed"})
    if (wanted == known) return {wanted};
  throw ProblemError(
      400, "status=" + wanted +
               ": there are live (active and closed), all, active, dormant, ended, merged and closed");
}

ClusterFilter FilterOf(const Request& request) {
  ClusterFilter filter;
  filter.collection = CollectionParameter(request);
  filter.statuses = StatusesOf(request);
  if (const std::string* search = request.FindQuery("q")) filter.search = *search;
  filter.min_size = IntegerParameter(request, "min_size", 0, 1'000'000).value_or(0);
  return filter;
}

std::string CursorList(ClusterOrder order) {
  return "clusters/" + std::to_string(static_cast<int>(order));
}

/// The first track after the cursor's.
std::vector<ClusterTrack>::const_iterator PageBegin(const Request& request,
                                                    const std::vector<ClusterTrack>& tracks,
                                                    ClusterOrder order) {
  const auto cursor = CursorParameter(request, CursorList(order), 2);
  if (!cursor) return tracks.begin();
  const auto* rank = std::get_if<std::int64_t>(&(*cursor)[0]);
  const auto* key = std::get_if<std::int64_t>(&(*cursor)[1]);
  if (rank == nullptr || key == nullptr)
    throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
  return std::find_if(tracks.begin(), tracks.end(), [&](const ClusterTrack& track) {
    return std::tuple(-Rank(track, order), track.key) > std::tuple(-*rank, *key);
  });
}

/// How many of these lists of members, and at least one, an answer has room for.
std::size_t ListsWithRoom(const std::vector<std::vector<TrackMember>>& members) {
  std::size_t lists = 0, keys = 0;
  while (lists < members.size() && (lists == 0 || keys + members[lists].size() <= kMostMemberKeys))
    keys += members[lists++].size();
  return lists;
}

void WriteMemberKeys(JsonText& out, const std::vector<TrackMember>& members, const MemberNaming& naming) {
  out.Key("members").BeginArray();
  std::size_t written = 0;
  for (const TrackMember& member : members) {
    if (written == kMostMemberKeys) break;
    if (!naming.Shows(member.key)) continue;
    out.Value(member.key);
    ++written;
  }
  out.EndArray();
}

std::string BuildList(const Request& request, const RouteContext& context, const MeshView& view) {
  const ClusterFilter filter = FilterOf(request);
  const ClusterOrder order = OrderOf(request);
  const auto limit = LimitParameter(request, {kDefaultPage, kLargestPage});
  const bool with_members = BooleanParameter(request, "members").value_or(false);
  AskedMoment asked;
  std::optional<std::int64_t> run;
  std::size_t total = 0;
  bool has_more = false;
  std::vector<ClusterTrack> page;
  std::vector<std::vector<TrackMember>> members;
  context.services().readers->Read([&](ReaderConnection& reader) {
    asked = ReadMoment(request, reader);
    run = WholeActiveRun(reader, asked.moment, filter.collection);
    auto tracks = TracksAt(reader, asked.moment, filter);
    std::sort(tracks.begin(), tracks.end(), [&](const ClusterTrack& a, const ClusterTrack& b) {
      return std::tuple(-Rank(a, order), a.key) < std::tuple(-Rank(b, order), b.key);
    });
    const auto begin = PageBegin(request, tracks, order);
    const auto end = begin + std::min(limit, static_cast<std::int64_t>(tracks.end() - begin));
    total = tracks.size();
    has_more = end != tracks.end();
    page.assign(begin, end);
    if (!with_members) return;
    members = MembersOf(reader, asked.moment, filter.collection, page);
    const std::size_t room = ListsWithRoom(members);
    has_more = has_more || room < page.size();
    page.resize(room);
  });

  const MemberNaming naming(context, view, filter.collection, asked.as_of.has_value());
  JsonText out;
  out.BeginObject().Key("clusters").BeginArray();
  for (std::size_t i = 0; i < page.size(); ++i) {
    out.BeginObject();
    WriteTrackFacts(out, page[i], naming);
    if (with_members) WriteMemberKeys(out, members[i], naming);
    out.EndObject();
  }
  out.EndArray().Member("total", total);
  std::optional<std::string> next;
  if (has_more) {
    const ClusterTrack& last = page.back();
    const std::array<CursorField, 2> fields{Rank(last, order), last.key};
    next = EncodeCursor(CursorList(order), fields);
  }
  out.Member("next", next).Member("run", run).Key("as_of");
  WriteMoment(out, asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

/// What the answer about one cluster is made of, all of one moment.
struct ClusterDetail {
  AskedMoment asked;
  ClusterTrack named, root;
  bool settled = true;
  std::optional<std::int64_t> run;
  std::vector<TrackMember> members;
  std::vector<std::string> aliases;
  std::vector<ClusterDecision> decisions;
  std::vector<ClusterOverrideRow> overrides;
  std::optional<std::string> overrides_next;
};

void LoadOverrides(const Request& request, ReaderConnection& reader, ClusterDetail& detail) {
  const auto limit =
      std::min(IntegerParameter(request, kOverridesLimit, 1, std::numeric_limits<std::int64_t>::max() - 1)
                   .value_or(kDefaultOverrides),
               kLargestOverrides);
  OverridePage page;
  page.limit = limit + 1;
  if (const auto cursor = CursorParameter(request, kOverridesOrder, 2, kOverridesCursor)) {
    const auto* seq = std::get_if<std::int64_t>(&(*cursor)[0]);
    const auto* id = std::get_if<std::string>(&(*cursor)[1]);
    if (seq == nullptr || id == nullptr)
      throw ProblemError(400, std::string(kOverridesCursor) +
                                  ": this is no cursor of this list; give overrides_next as it was");
    page.after.emplace(*seq, *id);
  }
  detail.overrides = OverridesOf(reader, detail.asked.moment, detail.root.key, page);
  if (static_cast<std::int64_t>(detail.overrides.size()) <= limit) return;
  detail.overrides.pop_back();
  const ClusterOverrideRow& last = detail.overrides.back();
  const std::array<CursorField, 2> fields{last.commit_seq, last.id};
  detail.overrides_next = EncodeCursor(kOverridesOrder, fields);
}

ClusterDetail LoadDetail(const Request& request, ReaderConnection& reader) {
  ClusterDetail detail;
  detail.asked = ReadMoment(request, reader);
  const ClusterMoment& moment = detail.asked.moment;
  detail.named = TrackInPath(request, reader, moment);
  detail.root = RootOf(reader, moment, detail.named);
  if (detail.named.key != detail.root.key) {
    detail.settled = IsMergeSettled(reader, moment, detail.named);
    return detail;
  }
  detail.run = WholeActiveRun(reader, moment, detail.root.collection);
  MeasureTracks(reader, moment, detail.root.collection, {&detail.root});
  detail.members = std::move(MembersOf(reader, moment, detail.root.collection, {detail.root}).front());
  detail.aliases = AliasesOf(reader, moment, detail.root.key);
  DecisionFilter recent;
  recent.track = detail.root.key;
  recent.limit = kRecentDecisions;
  detail.decisions = DecisionsAt(reader, moment, recent);
  LoadOverrides(request, reader, detail);
  return detail;
}

/// The names of a merged cluster lead to the one that it went into: for ever once that is settled.
Response Redirect(const Request& request, const ClusterDetail& detail) {
  std::string location = "/api/clusters/" + detail.root.id;
  const std::size_t mark = request.canonical_target.find('?');
  if (mark != std::string::npos) location += request.canonical_target.substr(mark);
  JsonText out;
  out.BeginObject()
      .Member("id", detail.named.id)
      .Member("status", detail.named.status)
      .Member("merged_into", detail.root.id)
      .Member("settled", detail.settled)
      .Member("location", location)
      .EndObject();
  Response response = JsonResponse(std::move(out).Take(), detail.settled ? 308 : 307);
  response.SetHeader("Location", location);
  return response;
}

std::string BuildDetail(const Request& request, const RouteContext& context, const MeshView& view,
                        const ClusterDetail& detail) {
  const auto limit = LimitParameter(request, {kDefaultMembers, kLargestMembers});
  const auto offset = OffsetParameter(request);
  const MemberNaming naming(context, view, detail.root.collection, detail.asked.as_of.has_value());
  JsonText out;
  out.BeginObject();
  WriteTrackFacts(out, detail.root, naming);
  out.Key("aliases").BeginArray();
  for (const std::string& alias : detail.aliases) out.Value(alias);
  out.EndArray().Key("members").BeginArray();
  std::int64_t position = 0, total = 0, shown = 0;
  for (const TrackMember& member : detail.members) {
    if (!naming.Shows(member.key)) continue;
    ++total;
    if (position++ < offset || shown >= limit) continue;
    ++shown;
    WriteClusterMember(out, member, naming);
  }
  out.EndArray().Member("members_total", total).Key("decisions").BeginArray();
  for (const ClusterDecision& decision : detail.decisions) WriteDecision(out, decision);
  out.EndArray().Key("overrides").BeginArray();
  for (const ClusterOverrideRow& row : detail.overrides) WriteOverride(out, row, naming);
  out.EndArray()
      .Member("overrides_next", detail.overrides_next)
      .Member("run", detail.run)
      .Member("base", detail.asked.base())
      .Key("as_of");
  WriteMoment(out, detail.asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

Route ListRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters";
  route.tag = "clusters";
  route.summary =
      "The clusters of the active run, with what people corrected; or those that were, by status.";
  route.parameters = MomentDocsAnd(

      {TextDoc("status", "live (active and closed) unless given.",
               {"live", "all", "active", "dormant", "ended", "merged", "closed"}),
       IntegerDoc("min_size", "Only clusters with at least so many members.", 0, 1'000'000),
       TextDoc("q", "Only those with this in their title or slug."),
       TextDoc("sort",
               "size, the largest first, unless given; recent: the youngest first; changed: the one first"
               " of which more than some members changed last.",
               {"size", "recent", "changed"}),
       FlagDoc(
           "members",
           "Each with the keys of its members, the firmest first. A page ends before its limit rather than"
           " have more than 20000 of them; `next` tells whether there is more."),
       LimitDoc(kDefaultPage, kLargestPage), CursorDoc()});
  route.responses = {{200, "clusters, total, next, run and as_of.", "application/json"},
                     ProblemDoc(404, "No such branch or commit."),
                     MomentProblemDoc()};
  auto cache = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 4 * 1024 * 1024});
  route.handler = WhenReady(context, [context, cache](const Request& request, const MeshView& view) {
    // The view is of the present on main, and tells nothing of what else may change.
    if (AsOfText(request) || NamesBranch(request))
      return TaggedJson(request, BuildList(request, context, view));
    Generation generation = NodesGeneration(context, view);
    generation.epoch += '/' + std::to_string(view.head_seq);
    return RespondCached(request, generation, *cache, [&] { return BuildList(request, context, view); });
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters/{id}";
  route.tag = "clusters";
  route.summary =
      "One cluster by id, slug or a name that it had: members, strengths, the newest 20 decisions (all are in"
      " its lineage), corrections, and at most 200 aliases. A merged one redirects to where it went. `base` "
      "is what a correction is based on (null on a branch: corrections "
      "are "
      "made on main). As of a commit, what has no history (names, roles, how often a correction kept a "
      "member "
      "out) is null.";
  route.parameters = MomentDocsAnd(
      {PathDoc("id", "Its id, slug, or an alias."), LimitDoc(kDefaultMembers, kLargestMembers), OffsetDoc(),
       IntegerDoc(kOverridesLimit, "How many corrections; 50 unless given.", 1, kLargestOverrides),
       TextDoc(kOverridesCursor, "Where the corrections go on: overrides_next of an answer.")});
  route.responses = {{200, "The cluster; limit and offset page its members.", "application/json"},
                     {307, "Merged, which the next run or a person may take back.", "application/json"},
                     {308, "Merged for good.", "application/json"},
                     ProblemDoc(404, "No such cluster."),
                     MomentProblemDoc()};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    const auto detail = context.services().readers->Read(
        [&](ReaderConnection& reader) { return LoadDetail(request, reader); });
    if (detail.named.key != detail.root.key) return Redirect(request, detail);
    return TaggedJson(request, BuildDetail(request, context, view, detail));
  });
  return route;
}

Route ExplainRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters/explain";
  route.tag = "clusters";
  route.summary =
      "Why two members are together, or are not (a and b); or why a decision was made (decision).";
  route.parameters = MomentDocsAnd(
      {TextDoc("a", "The key of a member."), TextDoc("b", "The key of another."),
       IntegerDoc("decision", "The id of a decision.", 1, std::numeric_limits<std::int64_t>::max())});
  route.responses = {{200, "The facts, and `words` for a person.", "application/json"},
                     ProblemDoc(400, "Neither a and b, nor decision."),
                     ProblemDoc(404, "No such decision."),
                     MomentProblemDoc()};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return TaggedJson(request, BuildExplanation(request, context, view));
  });
  return route;
}

Route ReportRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/clusters/report.md";
  route.tag = "clusters";
  route.summary = "The clusters and what happened to them lately, as Markdown to be passed on.";
  route.parameters = MomentDocs();
  route.responses = {{200, "The report.", "text/markdown; charset=utf-8"}, MomentProblemDoc()};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    Response response = TaggedJson(request, BuildClusterReport(request, context, view));
    if (response.status == 200) response.content_type = "text/markdown; charset=utf-8";
    return response;
  });
  return route;
}

}  // namespace

void RegisterClusterRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(ExplainRoute(context));
  router.Add(ReportRoute(context));
  router.Add(DetailRoute(context));
}

}  // namespace heliograph::server
