#include "server/routes/history.h"

#include <utility>

#include "server/history/commit_reader.h"
#include "server/history/entity_history.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/entity_visibility.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100, kMaxPage = 1000;
constexpr std::string_view kCommitOrder = "commits/seq";
constexpr std::string_view kChangeOrder = "commit/entity";

std::optional<std::string> TextParameter(const Request& request, std::string_view name) {
  const std::string* text = request.FindQuery(name);
  if (text == nullptr || text->empty()) return std::nullopt;
  return *text;
}

std::size_t PageSize(const Request& request) {
  return static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kMaxPage}));
}

[[noreturn]] void RefuseCursor() {
  throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
}

/// A cursor that is one number.
std::optional<std::int64_t> NumberCursor(const Request& request, std::string_view list) {
  const auto fields = CursorParameter(request, list, 1);
  if (!fields) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(&fields->front());
  if (number == nullptr) RefuseCursor();
  return *number;
}

std::string NumberCursorText(std::string_view list, std::int64_t number) {
  const CursorField field = number;
  return EncodeCursor(list, {&field, 1});
}

void WriteCommit(JsonText& out, const Commit& commit, std::int64_t floor) {
  out.Member("id", commit.id)
      .Member("seq", commit.seq)
      .Member("branch", commit.branch)
      .Member("parent", commit.parent_id)
      .Member("parent_seq", commit.parent_seq)
      .Member("merged_parent", commit.merged_parent_id)
      .Member("merged_parent_seq", commit.merged_parent_seq)
      .Member("kind", commit.kind)
      .Member("stream", commit.stream)
      .Member("actor", commit.actor)
      .Member("authored_at", commit.authored_at)
      .Member("committed_at", commit.committed_at)
      .Member("request_id", commit.request_id)
      .Member("watermark", commit.watermark)
      .Member("digest", commit.digest)
      .Member("inserted", commit.inserted)
      .Member("updated", commit.updated)
      .Member("removed", commit.removed)
      .Member("readable", commit.seq >= floor);
}

// The list of commits --------------------------------------------------------------------------------------

struct CommitPage {
  std::vector<Commit> commits;
  std::int64_t total = 0, floor = 0;
};

Response AnswerCommits(const Request& request, const RouteContext& context) {
  const CommitFilter filter{TextParameter(request, "kind"), TextParameter(request, "stream"),
                            TextParameter(request, "actor")};
  const std::size_t limit = PageSize(request);
  const auto before = NumberCursor(request, kCommitOrder);
  CommitPage page = context.services().readers->Read([&](ReaderConnection& reader) {
    const BranchLine line = BranchParameter(reader, request);
    return CommitPage{CommitsOf(reader, line, filter, before, limit + 1), CountCommits(reader, line, filter),
                      HistoryFloor(reader)};
  });
  const bool has_more = page.commits.size() > limit;
  if (has_more) page.commits.resize(limit);
  JsonText out;
  out.BeginObject().Key("commits").BeginArray();
  for (const Commit& commit : page.commits) {
    out.BeginObject();
    WriteCommit(out, commit, page.floor);
    out.EndObject();
  }
  out.EndArray().Member("total", page.total);
  out.Member("next",
             has_more ? std::optional(NumberCursorText(kCommitOrder, page.commits.back().seq)) : std::nullopt)
      .Member("floor_seq", page.floor)
      .EndObject();
  return TaggedJson(request, std::move(out).Take());
}

// One commit -----------------------------------------------------------------------------------------------

struct CommitWithChanges {
  Commit commit;
  std::int64_t floor = 0;
  std::optional<std::vector<EntityChange>> changes;  ///< nothing: what was before is no longer kept
};

std::optional<ChangeCursor> ReadChangeCursor(const Request& request) {
  const auto fields = CursorParameter(request, kChangeOrder, 2);
  if (!fields) return std::nullopt;
  const auto* kind = std::get_if<std::string>(&(*fields)[0]);
  const auto* id = std::get_if<std::string>(&(*fields)[1]);
  if (kind == nullptr || id == nullptr || FindEntityKind(*kind) == nullptr) RefuseCursor();
  return ChangeCursor{*kind, *id};
}

CommitWithChanges LoadCommit(const Request& request, const RouteContext& context, std::size_t limit) {
  const std::string id = request.PathParameter("id");
  const auto cursor = ReadChangeCursor(request);
  return context.services().readers->Read([&](ReaderConnection& reader) {
    auto commit = FindCommit(reader, id);
    if (!commit) throw ProblemError(404, "there is no commit " + id + "; /api/commits lists those that are");
    CommitWithChanges found{std::move(*commit), HistoryFloor(reader), std::nullopt};
    // The state before the oldest kept commit is gone, and with it what that commit changed.
    const bool is_genesis = !found.commit.parent_seq;
    if (is_genesis || found.commit.seq > found.floor)
      found.changes = ChangesOf(reader, LineOf(reader, found.commit), found.commit.seq, cursor, limit + 1);
    return found;
  });
}

std::string Shown(const RouteContext& context, const MeshView& view,
                  const std::optional<std::string>& state) {
  return state ? ShownState(context.visibility(), view, *state) : "null";
}

void WriteChange(JsonText& out, const EntityChange& change, const RouteContext& context,
                 const MeshView& view) {
  const char* what = !change.before ? "inserted" : !change.after ? "removed" : "updated";
  out.BeginObject()
      .Member("entity_kind", change.kind->name)
      .Member("entity_id", change.id)
      .Member("change", what)
      .Key("before")
      .Raw(Shown(context, view, change.before))
      .Key("after")
      .Raw(Shown(context, view, change.after))
      .EndObject();
}

Response AnswerCommit(const Request& request, const RouteContext& context, const MeshView& view) {
  const std::size_t limit = PageSize(request);
  CommitWithChanges found = LoadCommit(request, context, limit);
  JsonText out;
  out.BeginObject();
  WriteCommit(out, found.commit, found.floor);
  std::optional<std::string> next;
  out.Key("changes");
  if (found.changes) {
    if (found.changes->size() > limit) {
      found.changes->resize(limit);
      const EntityChange& last = found.changes->back();
      const std::vector<CursorField> key{std::string(last.kind->name), last.id};
      next = EncodeCursor(kChangeOrder, key);
    }
    out.BeginArray();
    for (const EntityChange& change : *found.changes) {
      if (ShowsEntity(context.visibility(), view, change.kind->name, change.id))
        WriteChange(out, change, context, view);
    }
    out.EndArray();
  } else {
    out.Null();
  }
  out.Member("next", next).Member("floor_seq", found.floor).EndObject();
  return TaggedJson(request, std::move(out).Take());
}

// Routes ---------------------------------------------------------------------------------------------------

Route CommitsRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/commits";
  route.tag = "history";
  route.summary =
      "The commits of a branch, newest first: one for each applied snapshot that changed something, merge, "
      "revert, "
      "edit by a person, and maintenance. `readable` says that as_of still answers for it.";
  route.parameters = {BranchDoc(),
                      TextDoc("kind", "Only this kind: snapshot, merge, revert, edit, maintenance."),
                      TextDoc("stream", "Only of this stream, such as multibyte."),
                      TextDoc("actor", "Only by this actor."),
                      LimitDoc(kDefaultPage, kMaxPage),
                      CursorDoc()};
  route.responses = {{200, "commits, total, next and floor_seq.", "application/json"},
                     ProblemDoc(404, "No such branch.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return AnswerCommits(request, context);
  });
  return route;
}

Route CommitRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/commits/{id}";
  route.tag = "history";
  route.summary =
      "One commit, with what it changed: each entity's state before and after it. changes is null for a "
      "commit at or "
      "below the floor of history.";
  route.parameters = {PathDoc("id", "The commit's id, or seq:<number>."), LimitDoc(kDefaultPage, kMaxPage),
                      CursorDoc()};
  route.responses = {{200, "The commit, changes, next and floor_seq.", "application/json"},
                     ProblemDoc(404, "No such commit.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerCommit(request, context, view);
  });
  return route;
}

}  // namespace

void RegisterHistoryRoutes(Router& router, const RouteContext& context) {
  router.Add(CommitsRoute(context));
  router.Add(CommitRoute(context));
}

}  // namespace heliograph::server
