#include "server/routes/health.h"

#include <chrono>
#include <exception>
#include <utility>

#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/ingest_report.h"
#include "server/routes/json_response.h"
#include "server/routes/json_text.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

/// The ingestor writes its row at most every 5 s; three missed beats are silence.
constexpr seconds kSilentIngestor{15};

std::int64_t SecondsBetween(UtcMillis earlier, UtcMillis later) {
  return duration_cast<seconds>(later - earlier).count();
}

std::optional<std::int64_t> UnixSeconds(const std::optional<UtcMillis>& time) {
  if (!time) return std::nullopt;
  return duration_cast<seconds>(time->time_since_epoch()).count();
}

std::string_view StatusOf(GateState state) {
  switch (state) {
    case GateState::kReady:
      return "ok";
    case GateState::kWaiting:
      return "waiting";
    case GateState::kRefused:
      break;
  }
  return "refused";
}

void WriteView(JsonText& out, const MeshView* view, UtcMillis now) {
  const bool known = view != nullptr;
  out.Member("loadedTx", known ? std::optional(view->totals.transmissions) : std::nullopt)
      .Member("loadedObs", known ? std::optional(view->totals.observations) : std::nullopt)
      .Member("watermark", known ? std::optional(view->watermark) : std::nullopt)
      .Member("data_time", known ? view->data_time : std::nullopt);
  out.Key("data_age_seconds");
  if (known && view->data_time) {
    out.Value(SecondsBetween(*view->data_time, now));
  } else {
    out.Null();
  }
  out.Key("progress");
  if (known) {
    out.Value(view->progress == AnalyticsProgress::kComplete ? "complete" : "warm");
  } else {
    out.Null();
  }
}

void WriteIngestor(JsonText& out, const IngestReport& report, UtcMillis now) {
  out.Key("ingestor");
  const ProcessReport* process = report.Process("ingestor");
  if (process == nullptr) {
    out.Null();
    return;
  }
  out.BeginObject()
      // A beat from the future is of a clock that was wrong, and tells nothing about now.
      .Member("alive", !process->stopped_at && std::chrono::abs(now - process->beat_at) <= kSilentIngestor)
      .Member("version", process->version)
      .Member("started_at", process->started_at)
      .Member("stopped_at", process->stopped_at)
      .Member("beat_at", process->beat_at)
      .EndObject();
}

void WriteSources(JsonText& out, const IngestReport& report) {
  out.Key("sources").BeginArray();
  for (const SourceReport& source : report.sources) {
    out.BeginObject()
        .Member("name", source.name)
        .Member("kind", source.kind)
        .Member("connected", source.connected)
        .Member("last_receipt", source.last_receipt)
        .Member("received", source.received)
        .Member("received_5m", source.received_5m)
        .Member("unreadable", source.unreadable)
        .Member("last_error", source.last_error)
        .EndObject();
  }
  out.EndArray().Key("ingest_liveness").BeginObject();
  for (const SourceReport& source : report.sources) {
    const auto last_receipt = UnixSeconds(source.last_receipt);
    out.Key(source.name)
        .BeginObject()
        .Member("lastReceiptUnix", last_receipt)
        .Member("lastMessageUnix", last_receipt)
        .EndObject();
  }
  out.EndObject();
}

void WriteFailure(JsonText& out, const std::optional<FailureReport>& failure) {
  out.Key("last_failure");
  if (!failure) {
    out.Null();
    return;
  }
  out.BeginObject()
      .Member("id", failure->id)
      .Member("kind", failure->kind)
      .Member("outcome", failure->outcome)
      .Member("reason", failure->reason)
      .Member("at", failure->at)
      .EndObject();
}

void WriteQueue(JsonText& out, const Volume& volume) {
  const QueueBacklog backlog = CountQueue(volume);
  out.Key("queue")
      .BeginObject()
      .Member("waiting", backlog.waiting)
      .Member("failed", backlog.failed)
      .EndObject();
}

void WriteAnalytics(JsonText& out, const CycleReport& cycle) {
  out.Key("analytics");
  if (!cycle.ended_at) {
    out.Null();
    return;
  }
  const auto of_assessment = [&](auto value) { return cycle.assessed ? std::optional(value) : std::nullopt; };
  const bool pending = cycle.result == CycleReport::Result::kPending && cycle.id;
  out.BeginObject()
      .Member("result", Name(cycle.result))
      .Member("text", cycle.text)
      .Member("ended_at", cycle.ended_at)
      .Member("duration_ms", cycle.duration.count())
      .Member("pending_file", pending ? std::optional(cycle.id->ToText()) : std::nullopt)
      .Member("changed", of_assessment(cycle.changed))
      .Member("watermark", of_assessment(cycle.watermark));
  out.Key("nodes")
      .BeginObject()
      .Member("confirmed", of_assessment(cycle.confirmed))
      .Member("suspected", of_assessment(cycle.suspected))
      .Member("unknown", of_assessment(cycle.unknown))
      .EndObject()
      .EndObject();
}

/// What the ingestor says of itself; when it cannot be read, the reason stands in its place.
void WriteReport(JsonText& out, const RouteContext& context, bool ready, UtcMillis now) {
  IngestReport report;
  std::optional<std::string> error;
  if (ready) {
    try {
      report = LoadIngestReport(*context.services().readers);
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  }
  WriteIngestor(out, report, now);
  WriteSources(out, report);
  WriteFailure(out, report.last_failure);
  out.Member("database_error", error);
}

std::string BuildHealth(const RouteContext& context, const GateReport& gate, const MeshView* view) {
  const bool ready = gate.state == GateState::kReady;
  const UtcMillis now = context.Now();

  JsonText out;
  out.BeginObject()
      .Member("status", StatusOf(gate.state))
      .Member("ready", ready && view != nullptr)
      .Member("reason", ready && view != nullptr ? std::nullopt : std::optional<std::string>("loading"));
  out.Key("missing").BeginArray();
  for (const std::string& item : gate.missing) out.Value(item);
  out.EndArray()
      .Member("version", HELIOGRAPH_VERSION)
      .Member("started_at", context.started_at())
      .Member("uptime_seconds", SecondsBetween(context.started_at(), now));
  WriteView(out, view, now);
  WriteReport(out, context, ready, now);
  WriteQueue(out, context.services().volume);
  const auto& analytics = context.services().analytics;
  WriteAnalytics(out, analytics ? analytics() : CycleReport());
  out.EndObject();
  return std::move(out).Take();
}

/// 503 until there is something to serve, as CoreScope answers: monitors wait for the 200.
Response AnswerHealth(const Request& request, const RouteContext& context) {
  const GateReport gate = context.services().readiness->Latest();
  const auto view = gate.state == GateState::kReady ? context.services().views->Current() : nullptr;
  std::string health = BuildHealth(context, gate, view.get());
  if (view != nullptr) return TaggedJson(request, std::move(health));
  Response response = JsonResponse(std::move(health), 503);
  response.SetHeader("Retry-After", "5");
  return response;
}

Response AnswerReady(const Request& request, const RouteContext& context) {
  const GateReport gate = context.services().readiness->Assess();
  if (gate.state != GateState::kReady) return NotReadyResponse(gate, request.path);
  JsonText out;
  out.BeginObject()
      .Member("ready", true)
      .Member("schema_version", gate.version)
      .Key("missing")
      .BeginArray()
      .EndArray();
  out.EndObject();
  return TaggedJson(request, std::move(out).Take());
}

}  // namespace

void RegisterHealthRoutes(Router& router, const RouteContext& context) {
  Route health;
  health.path = "/api/healthz";
  health.tag = "operation";
  health.summary =
      "What is served, the sources, the queue, and the last failure. 503 with the same document until there "
      "is something to serve.";
  health.responses = {{200, "ready is true.", "application/json"},
                      {503, "ready is false, and reason, status and missing say why.", "application/json"}};
  health.handler = [context](const Request& request) { return AnswerHealth(request, context); };
  router.Add(std::move(health));

  Route ready;
  ready.path = "/api/readyz";
  ready.tag = "operation";
  ready.summary =
      "200 when the database has everything that this server needs, else 503 with what is missing.";
  ready.responses = {{200, "Ready.", "application/json"}, ProblemDoc(503, "Not ready; `missing` says why.")};
  ready.handler = [context](const Request& request) { return AnswerReady(request, context); };
  router.Add(std::move(ready));
}

}  // namespace heliograph::server
