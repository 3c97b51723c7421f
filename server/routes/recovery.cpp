#include "server/routes/recovery.h"

#include <limits>
#include <utility>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100, kMaxPage = 1000;
constexpr std::string_view kOrder = "recovery/id";

struct Audit {
  std::int64_t id = 0;
  std::string boot_id, action;
  UtcMillis at{};
  std::optional<std::string> request_id, commit, for_actor, detail;
};

struct AuditPage {
  std::vector<Audit> rows;
  std::int64_t total = 0;
};

AuditPage LoadPage(ReaderConnection& reader, std::int64_t before, std::size_t limit) {
  AuditPage page;
  SQLite::Statement& count = reader.Prepared("SELECT count(*) FROM recovery_audit");
  count.executeStep();
  page.total = count.getColumn(0).getInt64();
  SQLite::Statement& rows = reader.Prepared(
      "SELECT r.id, r.boot_id, r.at, r.action, r.ledger_id, c.commit_id, r.for_actor, r.detail FROM "
      "recovery_audit AS r "
      "LEFT JOIN ledger AS l ON l.id = r.ledger_id LEFT JOIN commit_log AS c ON c.commit_seq = "
      "coalesce(r.commit_seq, l.commit_seq) WHERE r.id < ? ORDER BY r.id DESC LIMIT ?");
  rows.bind(1, before);
  rows.bind(2, static_cast<std::int64_t>(limit));
  while (rows.executeStep()) {
    page.rows.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString(),
                         rows.getColumn(3).getString(), TimeOf(rows.getColumn(2)), TextOf(rows.getColumn(4)),
                         TextOf(rows.getColumn(5)), TextOf(rows.getColumn(6)), TextOf(rows.getColumn(7))});
  }
  return page;
}

std::int64_t ReadBefore(const Request& request) {
  const auto fields = CursorParameter(request, kOrder, 1);
  if (!fields) return std::numeric_limits<std::int64_t>::max();
  const auto* id = std::get_if<std::int64_t>(&fields->front());
  if (id == nullptr)
    throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
  return *id;
}

Response AnswerRecovery(const Request& request, const RouteContext& context) {
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, kMaxPage}));
  const std::int64_t before = ReadBefore(request);
  AuditPage page = context.services().readers->Read(
      [&](ReaderConnection& reader) { return LoadPage(reader, before, limit + 1); });
  std::optional<std::string> next;
  if (page.rows.size() > limit) {
    page.rows.resize(limit);
    const CursorField last = page.rows.back().id;
    next = EncodeCursor(kOrder, {&last, 1});
  }
  JsonText out;
  out.BeginObject().Key("recovery").BeginArray();
  for (const Audit& row : page.rows) {
    out.BeginObject()
        .Member("id", row.id)
        .Member("at", row.at)
        .Member("action", row.action)
        .Member("request_id", row.request_id)
        .Member("commit", row.commit)
        .Member("for_actor", row.for_actor)
        .Member("detail", row.detail)
        .Member("boot_id", row.boot_id)
        .EndObject();
  }
  out.EndArray().Member("total", page.total).Member("next", next).EndObject();
  return TaggedJson(request, std::move(out).Take());
}

}  // namespace

void RegisterRecoveryRoute(Router& router, const RouteContext& context) {
  Route route;
  route.path = "/api/recovery";
  route.tag = "history";
  route.summary =
      "What the ingestor went on with, or set aside, after it or the server had been cut off, newest first: "
      "rolled_forward "
      "(a queue file that waited was dealt with), cleaned_marker (one that had been dealt with was removed), "
      "quarantined, "
      "swept.";
  route.parameters = {LimitDoc(kDefaultPage, kMaxPage), CursorDoc()};
  route.responses = {{200, "recovery, total and next.", "application/json"}};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return AnswerRecovery(request, context);
  });
  router.Add(std::move(route));
}

}  // namespace heliograph::server
