#include "server/routes/changes.h"

#include <utility>

#include "server/feed/change_kinds.h"
#include "server/feed/change_reader.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/entity_visibility.h"
#include "server/routes/guard.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100, kMaxPage = 1000;
/// Rows that one answer looks at, whatever its filter: some tens of milliseconds.
constexpr std::size_t kMaxLookedAt = 10'000;
constexpr std::size_t kReadAtATime = 500;

enum class Start { kNow, kBeginning };

struct ChangePage {
  StreamBounds bounds;
  std::vector<ChangeEntry> entries;
  std::int64_t position = 0;  ///< everything up to here was looked at
};

std::optional<StreamCursor> ReadCursor(const Request& request) {
  const std::string* text = request.FindQuery("cursor");
  if (text == nullptr || text->empty()) return std::nullopt;
  const auto cursor = ParseCursor(*text);
  if (!cursor)
    throw ProblemError(400,
                       "cursor: " + *text + " is no cursor of the feed; give the one of an answer as it was");
  return cursor;
}

[[noreturn]] void Reset(const std::string& requested, ResetReason reason, const StreamBounds& bounds) {
  throw ProblemError(
      410,
      std::string(Describe(reason)) + "; read the present state again, and go on from the cursor in `reset`",
      "\"code\":\"feed_reset\",\"reset\":{\"reason\":" + JsonQuoted(Name(reason)) + ",\"requested\":" +
          JsonQuoted(requested) + ",\"cursor\":" + JsonQuoted(CursorText(bounds.epoch, bounds.head)) +
          ",\"floor\":" + JsonQuoted(CursorText(bounds.epoch, bounds.floor)) + "}");
}

ChangePage LoadPage(const Request& request, const RouteContext& context, const MeshView& view) {
  const auto cursor = ReadCursor(request);
  const Start start =
      EnumParameter<Start>(request, "start", {{"now", Start::kNow}, {"beginning", Start::kBeginning}})
          .value_or(Start::kNow);
  const ChangeFilter filter = ReadChangeFilter(request);
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kMaxPage}));
  return context.services().readers->Read([&](ReaderConnection& reader) {
    ChangePage page;
    page.bounds = ReadChangeBounds(reader);
    page.position = start == Start::kNow ? page.bounds.head : page.bounds.floor;
    if (cursor) {
      if (const auto reset = FindReset(*cursor, page.bounds))
        Reset(*request.FindQuery("cursor"), *reset, page.bounds);
      page.position = cursor->position;
    }
    for (std::size_t seen = 0; seen < kMaxLookedAt && page.position < page.bounds.head;) {
      auto rows = ReadChanges(reader, page.position, kReadAtATime);
      seen += kReadAtATime;
      for (ChangeEntry& row : rows) {
        if (page.entries.size() == limit) return page;
        page.position = row.seq;
        if (!filter.Passes(row) || !ShowsEntity(context.visibility(), view, row.entity_kind, row.entity_id))
          continue;
        row.payload = ShownState(context.visibility(), view, row.payload);
        page.entries.push_back(std::move(row));
      }
      if (rows.size() < kReadAtATime) page.position = page.bounds.head;
    }
    return page;
  });
}

Response AnswerChanges(const Request& request, const RouteContext& context, const MeshView& view) {
  const ChangePage page = LoadPage(request, context, view);
  const bool caught_up = page.position >= page.bounds.head;
  const std::string cursor = CursorText(page.bounds.epoch, page.position);
  JsonText out;
  out.BeginObject().Key("changes").BeginArray();
  for (const ChangeEntry& entry : page.entries) out.Raw(ChangeJson(entry, page.bounds.epoch));
  out.EndArray()
      .Member("cursor", cursor)
      .Member("next", caught_up ? std::nullopt : std::optional(cursor))
      .Member("caught_up", caught_up)
      .Member("floor", CursorText(page.bounds.epoch, page.bounds.floor))
      .Member("head", CursorText(page.bounds.epoch, page.bounds.head))
      .EndObject();
  return JsonResponse(std::move(out).Take());
}

}  // namespace

void RegisterChangeRoutes(Router& router, const RouteContext& context) {
  Route route;
  route.path = "/api/changes";
  route.tag = "feed";
  route.summary =
      "What has changed, in order: the feed of /api/events in pages, with the same cursors. `cursor` is "
      "where to go on "
      "in any case, `next` is null once everything has been told.";
  route.parameters = {
      TextDoc("cursor", "Where to go on: the cursor of an answer, of an entry, or of /api/events."),
      TextDoc("start",
              "Where to begin without a cursor: now (the default), or the beginning of what is kept.",
              {"now", "beginning"}),
      TextDoc("kind", "Only these kinds of change, joined by commas, of: " + ListChangeKinds() + "."),
      TextDoc("entity_kind", "Only changes of these kinds of entity, joined by commas, of: " +
                                 ListChangedEntityKinds() + "."),
      TextDoc("entity", "Only changes of these entities: ids, joined by commas."),
      TextDoc("branch", "Only changes on this branch; without it, on all."),
      LimitDoc(kDefaultPage, kMaxPage)};
  route.responses = {
      {200, "changes, cursor, next, caught_up, floor and head. " + DescribeChangeKinds(), "application/json"},
      ProblemDoc(400, "No cursor of this feed."),
      ProblemDoc(410,
                 "The feed cannot go on there: `reset` has the reason (behind_retention, "
                 "ahead_of_head, other_epoch) and "
                 "the cursor to go on from.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerChanges(request, context, view);
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
