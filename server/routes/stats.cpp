#include "server/routes/stats.h"

#include <chrono>
#include <utility>

#include "server/routes/guard.h"
#include "server/routes/ingest_report.h"
#include "server/routes/json_response.h"
#include "server/routes/node_json.h"
#include "server/routes/process_memory.h"

namespace heliograph::server {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

/// What CoreScope calls active.
constexpr std::chrono::hours kActiveWindow{7 * 24};
constexpr double kBytesPerMegabyte = 1024.0 * 1024.0;

struct NodeTotals {
  std::int64_t all = 0, recent = 0;
  RoleCounts recent_roles;
};

NodeTotals CountNodes(const MeshView& view, const Visibility& visibility) {
  NodeTotals totals;
  for (const auto& node : view.nodes) {
    if (!visibility.Shows(*node)) continue;
    ++totals.all;
    if (!view.data_time || node->last_seen < *view.data_time - kActiveWindow) continue;
    ++totals.recent;
    totals.recent_roles.Add(node->role);
  }
  return totals;
}

std::int64_t CountObservers(const MeshView& view, const Visibility& visibility) {
  std::int64_t shown = 0;
  for (const auto& observer : view.observers) {
    if (!observer->inactive && visibility.Shows(*observer)) ++shown;
  }
  return shown;
}

std::string BuildStats(const RouteContext& context, const MeshView& view) {
  const NodeTotals nodes = CountNodes(view, context.visibility());
  const IngestReport report = LoadIngestReport(*context.services().readers);
  const auto drops = report.counters.find("dropped_invalid_signature");
  const auto resident = ResidentBytes();

  JsonText out;
  out.BeginObject()
      .Member("totalPackets", view.totals.transmissions)
      .Member("totalTransmissions", view.totals.transmissions)
      .Member("totalObservations", view.totals.observations)
      .Member("totalNodes", nodes.recent)
      .Member("totalNodesAllTime", nodes.all)
      .Member("totalObservers", CountObservers(view, context.visibility()))
      .Member("packetsLastHour", view.totals.transmissions_last_hour)
      .Member("packetsLast24h", view.totals.transmissions_last_24h)
      .Member("engine", "heliograph")
      .Member("version", HELIOGRAPH_VERSION);
  for (const char* name : {"commit", "buildTime"}) out.Key(name).Null();
  out.Key("counts");
  WriteRoleCounts(out, nodes.recent_roles);
  out.Member("signatureDrops", drops == report.counters.end() ? 0 : drops->second)
      .Member("hashMigrationComplete", true)
      .Member("processRSSMB",
              resident ? std::optional(static_cast<double>(*resident) / kBytesPerMegabyte) : std::nullopt);
  for (const char* name :
       {"trackedMB", "storeDataMB", "goHeapInuseMB", "goSysMB", "neighborGraphCacheRebuildFailures"}) {
    out.Key(name).Null();
  }
  out.EndObject();
  return std::move(out).Take();
}

std::optional<std::int64_t> UnixSeconds(const std::optional<UtcMillis>& time) {
  if (!time) return std::nullopt;
  return duration_cast<seconds>(time->time_since_epoch()).count();
}

/// The task that looks for silent sources, or null.
const TaskReport* Watchdog(const IngestReport& report) {
  for (const TaskReport& task : report.tasks) {
    if (task.name.find("watchdog") != std::string::npos) return &task;
  }
  return nullptr;
}

std::string BuildMqttStatus(const IngestReport& report) {
  JsonText out;
  out.BeginObject().Key("sources").BeginArray();
  std::optional<UtcMillis> sampled_at;
  for (const SourceReport& source : report.sources) {
    if (!sampled_at || source.updated_at > *sampled_at) sampled_at = source.updated_at;
    out.BeginObject()
        .Member("name", source.name)
        .Member("kind", source.kind)
        .Member("broker", source.address)
        .Member("connected", source.connected)
        .Member("lastConnectUnix", UnixSeconds(source.last_connect))
        .Member("lastDisconnectUnix", UnixSeconds(source.last_disconnect))
        .Member("lastPacketUnix", UnixSeconds(source.last_receipt))
        .Member("connectCount", source.connect_count)
        .Member("disconnectCount", source.disconnect_count)
        .Member("packetsTotal", source.received)
        .Member("packetsLast5m", source.received_5m)
        .Member("unreadable", source.unreadable)
        .Member("stalls", source.stalls)
        .Member("lastError", source.last_error)
        .EndObject();
  }
  const ProcessReport* ingestor = report.Process("ingestor");
  if (ingestor != nullptr) sampled_at = ingestor->beat_at;
  const TaskReport* watchdog = Watchdog(report);
  std::optional<UtcMillis> last_tick;
  if (ingestor != nullptr) last_tick = ingestor->beat_at;
  if (watchdog != nullptr) last_tick = watchdog->last_end;
  out.EndArray()
      .Member("sampleAt", sampled_at)
      .Member("watchdogLastTickUnix", UnixSeconds(last_tick))
      .Member("watchdogPanicCount", 0)
      .EndObject();
  return std::move(out).Take();
}

}  // namespace

void RegisterStatsRoutes(Router& router, const RouteContext& context) {
  Route stats;
  stats.path = "/api/stats";
  stats.tag = "operation";
  stats.summary =
      "Totals of the mesh; active means heard in the 7 days before the newest packet. Without a meaning "
      "here, and "
      "therefore null: commit, buildTime, trackedMB, storeDataMB, goHeapInuseMB, goSysMB and "
      "neighborGraphCacheRebuildFailures.";
  stats.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return TaggedJson(request, BuildStats(context, view));
  });
  router.Add(std::move(stats));

  Route mqtt;
  mqtt.path = "/api/mqtt/status";
  mqtt.tag = "operation";
  mqtt.summary =
      "The sources of packets as the ingestor last wrote them down; addresses are without secrets.";
  mqtt.handler = WhenReady(context, [context](const Request& request, const MeshView&) {
    return TaggedJson(request, BuildMqttStatus(LoadIngestReport(*context.services().readers)));
  });
  router.Add(std::move(mqtt));
}

}  // namespace heliograph::server
