#include "server/routes/metrics_route.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <map>
#include <utility>

#include "server/routes/guard.h"
#include "server/routes/ingest_report.h"
#include "server/routes/process_memory.h"

namespace heliograph::server {
namespace {

/// One collection: a registry that lives as long as the answer, for the labels come from rows.
class Sample {
 public:
  void Gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {}) {
    registry_.AddGauge("heliograph_" + name, help, labels).Set(value);
  }
  /// Leaves the series out when nothing is known.
  template <typename T>
  void Gauge(const std::string& name, const std::string& help, const std::optional<T>& value,
             const Labels& labels = {}) {
    if (value) Gauge(name, help, static_cast<double>(*value), labels);
  }
  void Time(const std::string& name, const std::string& help, const std::optional<UtcMillis>& time,
            const Labels& labels = {}) {
    using Seconds = std::chrono::duration<double>;
    if (time) Gauge(name, help, Seconds(time->time_since_epoch()).count(), labels);
  }
  void Count(const std::string& name, const std::string& help, std::int64_t value,
             const Labels& labels = {}) {
    if (value < 0) return;
    registry_.AddCounter("heliograph_" + name, help, labels).Increment(static_cast<std::uint64_t>(value));
  }
  /// Together with what the process counts in `own`; null is nothing.
  std::string Text(const MetricsRegistry* own) const {
    return own == nullptr ? registry_.Text() : own->TextWith(registry_);
  }

 private:
  MetricsRegistry registry_;
};

void SampleView(Sample& sample, const MeshView& view, UtcMillis now) {
  std::map<std::pair<bool, CapabilityStatus>, std::int64_t> nodes;
  for (const auto& node : view.nodes) ++nodes[{node->active, node->capability.status}];
  for (const auto& [kind, count] : nodes) {
    sample.Gauge("nodes", "Nodes by activity and multi-byte capability.", static_cast<double>(count),
                 {{"active", kind.first ? "true" : "false"}, {"multibyte", std::string(Name(kind.second))}});
  }
  sample.Gauge("observers", "Observers, inactive ones too.", static_cast<double>(view.observers.size()));
  sample.Gauge("transmissions", "Transmissions in the database.",
               static_cast<double>(view.totals.transmissions));
  sample.Gauge("observations", "Observations in the database.",
               static_cast<double>(view.totals.observations));
  sample.Gauge("watermark", "Highest observation id that the analytics know.",
               static_cast<double>(view.watermark));
  sample.Gauge("head_commit", "Number of the commit that main stands at.",
               static_cast<double>(view.head_seq));
  sample.Gauge("analytics_complete", "1 when every packet up to the watermark is in the analytics.",
               view.progress == AnalyticsProgress::kComplete ? 1 : 0);
  sample.Time("data_time_seconds", "Newest receipt at the watermark.", view.data_time);
  if (view.data_time) {
    sample.Gauge("data_age_seconds", "Wall clock less the newest receipt.",
                 std::chrono::duration<double>(now - *view.data_time).count());
  }
}

void SampleSource(Sample& sample, const SourceReport& source) {
  const Labels labels = {{"source", source.name}, {"kind", source.kind}};
  sample.Gauge("source_connected", "1 while the source is connected.", source.connected ? 1 : 0, labels);
  sample.Time("source_last_receipt_seconds", "Newest receipt from the source.", source.last_receipt, labels);
  sample.Count("source_received_total", "Messages received since the ingestor's start.", source.received,
               labels);
  sample.Count("source_unreadable_total", "Messages that were none.", source.unreadable, labels);
  sample.Count("source_stalls_total", "Times that the source waited for the writer.", source.stalls, labels);
  sample.Count("source_connects_total", "Connections made.", source.connect_count, labels);
  sample.Count("source_disconnects_total", "Connections lost.", source.disconnect_count, labels);
  sample.Gauge("source_error", "1 while the source's last try failed.", source.last_error ? 1 : 0, labels);
}

void SampleReport(Sample& sample, const IngestReport& report) {
  for (const SourceReport& source : report.sources) SampleSource(sample, source);
  for (const auto& [name, value] : report.counters) {
    sample.Count("ingest_total", "What the ingestor counted in the life of the database.", value,
                 {{"what", name}});
  }
  for (const TaskReport& task : report.tasks) {
    const Labels labels = {{"task", task.name}};
    sample.Count("maintenance_runs_total", "Runs of the task.", task.runs, labels);
    sample.Time("maintenance_last_end_seconds", "End of the task's last run.", task.last_end, labels);
    sample.Gauge("maintenance_error", "1 when the task's last run failed.", task.last_error ? 1 : 0, labels);
  }
  for (const ProcessReport& process : report.processes) {
    sample.Time("process_beat_seconds", "Last sign of life.", process.beat_at, {{"role", process.role}});
  }
}

void SampleAnalytics(Sample& sample, const CycleReport& cycle) {
  if (!cycle.ended_at) return;
  for (const CycleReport::Result result : kCycleResults) {
    sample.Gauge("analytics_cycle_result", "1 for what the last analytics cycle came to.",
                 result == cycle.result ? 1 : 0, {{"result", std::string(Name(result))}});
  }
  sample.Time("analytics_cycle_end_seconds", "End of the last analytics cycle.", cycle.ended_at);
  sample.Gauge("analytics_cycle_duration_seconds", "Time that the last analytics cycle took.",
               std::chrono::duration<double>(cycle.duration).count());
  sample.Gauge("analytics_readiness_duration_seconds",
               "Time that switch readiness took in the last analytics cycle; 0 when nothing was new.",
               std::chrono::duration<double>(cycle.readiness_duration).count());
  // The id of the file is in /api/healthz: as a label it would make a new series each time.
  const bool pending = cycle.result == CycleReport::Result::kPending && cycle.id;
  sample.Gauge("analytics_file_pending", "1 while a file of the analytics waits for the ingestor.",
               pending ? 1 : 0);
  if (!cycle.assessed) return;
  const std::string help = "Nodes by the capability that the last analytics cycle computed.";
  const auto nodes = [&](CapabilityStatus status, std::size_t count) {
    sample.Gauge("analytics_nodes", help, static_cast<double>(count),
                 {{"multibyte", std::string(Name(status))}});
  };
  nodes(CapabilityStatus::kConfirmed, cycle.confirmed);
  nodes(CapabilityStatus::kSuspected, cycle.suspected);
  nodes(CapabilityStatus::kUnknown, cycle.unknown);
}

void SampleHttp(Sample& sample, const HttpStatistics& http) {
  sample.Gauge("http_connections", "Connections now, without streams.",
               static_cast<double>(http.connections_now));
  sample.Gauge("http_streams", "Streams now.", static_cast<double>(http.streams_now));
  sample.Gauge("http_threads", "Threads that serve connections now.", static_cast<double>(http.threads_now));
  sample.Count("http_accepted_total", "Connections accepted.", static_cast<std::int64_t>(http.accepted));
  sample.Count("http_requests_total", "Requests.", static_cast<std::int64_t>(http.requests));
  const std::string refused = "http_refused_total", help = "Connections and requests refused.";
  sample.Count(refused, help, static_cast<std::int64_t>(http.refused_overload), {{"why", "overload"}});
  sample.Count(refused, help, static_cast<std::int64_t>(http.refused_streams), {{"why", "streams"}});
  sample.Count(refused, help, static_cast<std::int64_t>(http.refused_malformed), {{"why", "malformed"}});
}

std::optional<std::uintmax_t> FileSize(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return std::nullopt;
  return size;
}

void SampleVolume(Sample& sample, const Volume& volume) {
  const QueueBacklog backlog = CountQueue(volume);
  const std::string help = "Files of the queue.";
  sample.Gauge("queue_files", help, backlog.waiting, {{"folder", "new"}});
  sample.Gauge("queue_files", help, backlog.failed, {{"folder", "failed"}});
  sample.Gauge("database_bytes", "Size of the database.", FileSize(volume.database()));
  sample.Gauge("wal_bytes", "Size of the write-ahead log.", FileSize(volume.database().string() + "-wal"));
}

std::string Collect(const RouteContext& context) {
  const RouteServices& services = context.services();
  const bool ready = services.readiness->Latest().state == GateState::kReady;
  const UtcMillis now = context.Now();
  Sample sample;
  sample.Gauge("build_info", "1; the version is the label.", 1, {{"version", HELIOGRAPH_VERSION}});
  sample.Gauge("ready", "1 when the database can be served.", ready ? 1 : 0);
  sample.Time("start_time_seconds", "When the server started.", context.started_at());
  sample.Gauge("resident_memory_bytes", "Memory that the server occupies.", ResidentBytes());
  SampleVolume(sample, services.volume);
  if (services.http_statistics) SampleHttp(sample, services.http_statistics());
  if (services.analytics) SampleAnalytics(sample, services.analytics());
  bool is_readable = ready;
  if (ready) {
    if (const auto view = services.views->Current()) SampleView(sample, *view, now);
    try {
      SampleReport(sample, LoadIngestReport(*services.readers));
    } catch (const std::exception&) {
      is_readable = false;  // the gauge tells
    }
  }
  sample.Gauge("database_readable", "1 when the ingestor's figures could be read just now.",
               is_readable ? 1 : 0);
  return sample.Text(services.metrics);
}

}  // namespace

void RegisterMetricsRoute(Router& router, const RouteContext& context) {
  Route route;
  route.path = "/metrics";
  route.tag = "operation";
  route.summary = "Figures of both processes for Prometheus.";
  route.responses = {{200, "Text format 0.0.4.", std::string(MetricsRegistry::kContentType)}};
  route.handler = [context](const Request&) {
    Response response;
    response.content_type = std::string(MetricsRegistry::kContentType);
    response.body = Collect(context);
    return response;
  };
  router.Add(std::move(route));
}

}  // namespace heliograph::server
