#include "server/routes/entities.h"

#include <utility>

#include "server/history/entity_history.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/cluster_json.h"
#include "server/routes/cluster_request.h"
#include "server/routes/entity_visibility.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100, kMaxPage = 1000;
constexpr std::string_view kIntervalOrder = "entity/from_seq";
/// Members of a cluster that are named; /api/clusters/{id} pages through all.
constexpr std::size_t kNamedMembers = 200;

struct AskedEntity {
  const EntityKind* kind = nullptr;
  EntityKey key;
  std::string id;
};

/// What a cluster was made of.
struct ClusterContent {
  std::optional<std::int64_t> run;
  ClusterCollection collection{};
  std::vector<TrackMember> members;
};

struct EntityAnswer {
  AskedEntity entity;
  BranchLine line;
  std::int64_t floor = 0;
  std::optional<CommitMoment> moment;
  std::optional<std::string> state;       ///< with a moment
  std::vector<EntityInterval> intervals;  ///< without one
  std::optional<ClusterContent> content;  ///< of a cluster
};

const EntityKind& KindInPath(const Request& request) {
  const std::string& name = request.PathParameter("kind");
  const EntityKind* kind = FindEntityKind(name);
  if (kind == nullptr)
    throw ProblemError(404, "there are no entities of kind " + name + "; kinds are " + EntityKindNames());
  return *kind;
}

std::int64_t IntervalCursor(const Request& request) {
  const auto fields = CursorParameter(request, kIntervalOrder, 1);
  if (!fields) return 0;
  const auto* number = std::get_if<std::int64_t>(&fields->front());
  if (number == nullptr)
    throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
  return *number;
}

[[noreturn]] void RefuseUnknown(const EntityKind& kind, const std::string& id, const BranchLine& line) {
  throw ProblemError(404,
                     "no " + std::string(kind.name) + " " + id + " is known to the history of " + line.name);
}

/// The entity that the path names by its id, or by a name that it had by the commit `seq`.
AskedEntity EntityInPath(ReaderConnection& reader, const Request& request, const BranchLine& line,
                         std::int64_t seq) {
  const EntityKind& kind = KindInPath(request);
  std::string id = request.PathParameter("id");
  auto key = kind.key_of(id);
  if (!key && kind.id_named != nullptr) {
    const auto named = kind.id_named(reader, line, seq, id);
    if (!named) RefuseUnknown(kind, id, line);
    id = *named;
    key = kind.key_of(id);
  }
  if (!key)
    throw ProblemError(
        400, id + " is no id of a " + std::string(kind.name) + ": it must be " + std::string(kind.id_form));
  return {&kind, *key, kind.canonical_id(id)};
}

std::optional<ClusterContent> ContentOf(ReaderConnection& reader, const EntityAnswer& answer) {
  const ClusterMoment moment =
      ClusterMomentOn(answer.line, answer.moment ? std::optional(answer.moment->seq) : std::nullopt);
  const auto number = TrackNamed(reader, moment, answer.entity.id);
  const auto track = number ? TrackByKey(reader, moment, *number) : std::nullopt;
  if (!track) return std::nullopt;
  ClusterContent content;
  content.run = WholeActiveRun(reader, moment, track->collection);
  content.collection = track->collection;
  content.members = std::move(MembersOf(reader, moment, track->collection, {*track}).front());
  return content;
}

EntityAnswer LoadEntity(const Request& request, const RouteContext& context, const MeshView& view,
                        std::size_t limit) {
  const auto as_of = AsOfText(request);
  const std::int64_t after = IntervalCursor(request);
  const bool with_members = BooleanParameter(request, "members").value_or(true);
  return context.services().readers->Read([&](ReaderConnection& reader) {
    EntityAnswer answer;
    answer.line = BranchParameter(reader, request);
    answer.floor = HistoryFloor(reader);
    if (as_of) answer.moment = ResolveAsOf(reader, *as_of, answer.line);
    const std::int64_t seq = answer.moment ? answer.moment->seq : answer.line.head_seq;
    answer.entity = EntityInPath(reader, request, answer.line, seq);
    const auto& [kind, key, id] = answer.entity;
    if (!ShowsEntity(context.visibility(), view, kind->name, id) || !IsKnown(reader, *kind, key, answer.line))
      RefuseUnknown(*kind, id, answer.line);
    if (answer.moment) {
      answer.state = StateAt(reader, *kind, key, answer.line, answer.moment->seq);
    } else {
      answer.intervals = IntervalsOf(reader, *kind, key, answer.line, after, limit + 1);
    }
    if (kind->name == kClusterEntity && with_members) answer.content = ContentOf(reader, answer);
    return answer;
  });
}

std::string Shown(const RouteContext& context, const MeshView& view,
                  const std::optional<std::string>& state) {
  return state ? ShownState(context.visibility(), view, *state) : "null";
}

void WriteIntervals(JsonText& out, EntityAnswer& answer, std::size_t limit, const RouteContext& context,
                    const MeshView& view) {
  std::optional<std::string> next;
  if (answer.intervals.size() > limit) {
    answer.intervals.resize(limit);
    const CursorField last = answer.intervals.back().from_seq;
    next = EncodeCursor(kIntervalOrder, {&last, 1});
  }
  out.Key("history").BeginArray();
  for (const EntityInterval& interval : answer.intervals) {
    out.BeginObject()
        .Member("from_seq", interval.from_seq)
        .Member("from_commit", interval.from_commit)
        .Member("from_time", interval.from_time)
        .Member("to_seq", interval.to_seq)
        .Member("to_commit", interval.to_commit)
        .Member("to_time", interval.to_time)
        .Key("state")
        .Raw(Shown(context, view, interval.state))
        .EndObject();
  }
  out.EndArray().Member("next", next).Member("floor_seq", answer.floor);
}

void WriteContent(JsonText& out, const std::optional<ClusterContent>& content, const RouteContext& context,
                  const MeshView& view) {
  if (!content) {
    out.Key("run").Null().Key("members").Null().Key("members_total").Null();
    return;
  }
  out.Member("run", content->run).Key("members").BeginArray();
  std::size_t total = 0;
  for (const TrackMember& member : content->members) {
    if (!ShowsMember(context, view, content->collection, member.key)) continue;
    if (total++ < kNamedMembers) out.Value(member.key);
  }
  out.EndArray().Member("members_total", total);
}

Response AnswerEntity(const Request& request, const RouteContext& context, const MeshView& view) {
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kMaxPage}));
  EntityAnswer answer = LoadEntity(request, context, view, limit);
  JsonText out;
  out.BeginObject()
      .Member("kind", answer.entity.kind->name)
      .Member("id", answer.entity.id)
      .Member("branch", answer.line.name)
      .Key("as_of");
  WriteMoment(out, answer.moment);
  if (answer.moment) {
    out.Key("state").Raw(Shown(context, view, answer.state));
  } else {
    WriteIntervals(out, answer, limit, context, view);
  }
  if (answer.entity.kind->name == kClusterEntity) WriteContent(out, answer.content, context, view);
  out.EndObject();
  return TaggedJson(request, std::move(out).Take());
}

}  // namespace

void RegisterEntityRoutes(Router& router, const RouteContext& context) {
  Route route;
  route.path = "/api/entities/{kind}/{id}";
  route.tag = "history";
  route.summary =
      "What is versioned of one entity: as of a commit its state (null: it had none), without as_of its "
      "whole history, oldest first. Of a cluster also the run that was in force, how many members it had in "
      "it, and the 200 firmest; /api/clusters/{id} pages through all.";
  route.parameters = {
      PathDoc("kind", "The kind of entity: " + EntityKindNames() + "."),
      PathDoc(
          "id",
          "Of a node its public key, 64 hexadecimal digits in any case; of readiness mesh, or a region; of "
          "a cluster its id, slug, or a name that it had; of a decision its number; of an alias the alias; "
          "of an override its requestId."),
      BranchDoc(),
      AsOfDoc(),
      FlagDoc("members", "Of a cluster its members too; true unless given."),
      LimitDoc(kDefaultPage, kMaxPage),
      CursorDoc()};
  route.responses = {
      {200, "state, or history and next.", "application/json"},
      ProblemDoc(404, "No such kind, entity, branch or commit."),
      ProblemDoc(409, "The commit is not in the history of the branch."),
      ProblemDoc(410, std::string("The history of that commit is no longer kept, or the members "
                                  "of that run were thinned out: members=false leaves them "
                                  "out."))};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerEntity(request, context, view);
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
