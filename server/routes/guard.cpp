#include "server/routes/guard.h"

#include <utility>

#include "server/http/problem.h"
#include "server/routes/json_text.h"

namespace heliograph::server {
namespace {

constexpr std::string_view kRetrySoon = "1";
constexpr std::string_view kRetryWhenStarted = "5";

Response Unavailable(std::string_view detail, std::string_view path, std::string_view retry_after) {
  Response response = ProblemResponse(503, detail, path);
  response.SetHeader("Retry-After", std::string(retry_after));
  return response;
}

Response Serve(const MeshHandler& handler, const Request& request, const MeshView& view) {
  try {
    return handler(request, view);
  } catch (const DatabaseUnavailable& error) {
    return Unavailable(error.what(), request.path, kRetrySoon);
  } catch (const QueryDeadline& error) {
    return Unavailable(
        std::string(error.what()) + "; ask for less: a shorter time, fewer filters, a smaller page",
        request.path, kRetryWhenStarted);
  }
}

std::string EpochOfBoot(const RouteContext& context, const MeshView& view) {
  return view.epoch + '/' + context.services().boot_id;
}

}  // namespace

Handler WhenReady(const RouteContext& context, MeshHandler handler) {
  return [context, handler = std::move(handler)](const Request& request) {
    const GateReport report = context.services().readiness->Latest();
    if (report.state != GateState::kReady) return NotReadyResponse(report, request.path);
    const std::shared_ptr<const MeshView> view = context.services().views->Current();
    if (view == nullptr) {
      return Unavailable("the server has just started and is still reading the database", request.path,
                         kRetrySoon);
    }
    return Serve(handler, request, *view);
  };
}

Response NotReadyResponse(const GateReport& report, std::string_view path) {
  JsonText missing;
  missing.BeginArray();
  for (const std::string& item : report.missing) missing.Value(item);
  missing.EndArray();
  const std::string_view detail =
      report.state == GateState::kRefused
          ? "the database cannot be served by this program: see `missing` for the reason"
          : "the database is not ready; `missing` lists what the ingestor has yet to make, and the server "
            "looks again by "
            "itself";
  Response response = ProblemResponse(503, detail, path, "\"missing\":" + std::move(missing).Take());
  response.SetHeader("Retry-After", std::string(kRetryWhenStarted));
  return response;
}

Generation NodesGeneration(const RouteContext& context, const MeshView& view) {
  return {EpochOfBoot(context, view), view.nodes_generation};
}

Generation ViewGeneration(const RouteContext& context, const MeshView& view) {
  return {EpochOfBoot(context, view), view.generation};
}

}  // namespace heliograph::server
