#include "server/routes/observers.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "server/http/problem.h"
#include "server/http/response_cache.h"
#include "server/routes/guard.h"
#include "server/routes/json_text.h"
#include "server/routes/page_window.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

/// How long a clock without a time zone taints an observer's figures. CoreScope's.
constexpr std::chrono::hours kNaiveClockMemory{24};
/// `server_time` moves in these steps, so that answers within one are the same to the byte.
constexpr std::chrono::seconds kServerTimeStep{10};
constexpr std::string_view kListName = "observers";
/// Also what a request without a limit gets: CoreScope's clients take the list to be whole.
constexpr std::int64_t kMaxPage = 5000;

/// What is left of the observations of an observer's clock at the view's data time.
struct ClockFigures {
  bool naive = false;
  std::optional<std::int64_t> skew_seconds;
  std::int64_t skew_count_24h = 0;
};

ClockFigures ClockOf(const ObserverView& observer, const MeshView& view) {
  if (!observer.clock_last_naive_at || !view.data_time ||
      *view.data_time - *observer.clock_last_naive_at > kNaiveClockMemory) {
    return {};
  }
  return {true, observer.clock_skew_seconds, observer.clock_skew_count_24h};
}

void WriteObserver(JsonText& out, const ObserverView& observer, const MeshView& view,
                   const Visibility& visibility) {
  const ClockFigures clock = ClockOf(observer, view);
  const auto key = PublicKey::FromHex(observer.id);
  const NodeView* node = key ? view.FindNode(*key) : nullptr;
  if (node != nullptr && !visibility.Shows(*node)) node = nullptr;
  out.BeginObject()
      .Member("id", observer.id)
      .Member("name", observer.name)
      .Member("iata", observer.iata)
      .Member("last_seen", observer.last_seen)
      .Member("first_seen", observer.first_seen)
      .Member("packet_count", observer.packet_count)
      .Member("packetsLastHour", observer.packets_last_hour)
      .Member("model", observer.model)
      .Member("firmware", observer.firmware)
      .Member("client_version", observer.client_version)
      .Member("radio", observer.radio)
      .Member("battery_mv", observer.battery_mv)
      .Member("uptime_secs", observer.uptime_secs)
      .Member("noise_floor", observer.noise_floor)
      .Member("last_packet_at", observer.last_packet_at)
      .Member("last_status_at", observer.last_status_at)
      .Member("online", observer.online)
      .Member("lat", node == nullptr ? std::nullopt : node->lat)
      .Member("lon", node == nullptr ? std::nullopt : node->lon)
      .Member("nodeRole", node == nullptr ? std::nullopt : std::optional(node->role))
      .Member("clock_naive", clock.naive)
      .Member("clock_skew_seconds", clock.skew_seconds)
      .Member("clock_skew_count_24h", clock.skew_count_24h)
      .Member("clock_last_naive_at", clock.naive ? observer.clock_last_naive_at : std::nullopt)
      .Member("can_relay", observer.can_relay)
      .Member("inactive", observer.inactive)
      .EndObject();
}

std::string BuildList(const MeshView& view, const Visibility& visibility, const PageWindow& window,
                      UtcMillis server_time) {
  const auto end = window.offset + window.limit;
  std::int64_t total = 0;
  std::size_t shown = 0;
  JsonText out;
  out.BeginObject().Key("observers").BeginArray();
  for (const auto& observer : view.observers) {
    if (observer->inactive || !visibility.Shows(*observer)) continue;
    const std::int64_t place = total++;
    if (place < window.offset || place >= end) continue;
    WriteObserver(out, *observer, view, visibility);
    ++shown;
  }
  out.EndArray()
      .Member("total", total)
      .Member("next", NextPage(kListName, window, shown, total))
      .Member("server_time", server_time)
      .EndObject();
  return std::move(out).Take();
}

Generation ListGeneration(const RouteContext& context, const MeshView& view, UtcMillis server_time) {
  Generation generation = ViewGeneration(context, view);
  generation.epoch += '/' + std::to_string(server_time.time_since_epoch().count());
  return generation;
}

Route ListRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/observers";
  route.tag = "observers";
  route.summary = "Observers that are not inactive, newest heard first. server_time moves in steps of 10 s.";
  route.parameters = {LimitDoc(kMaxPage, kMaxPage), OffsetDoc(), CursorDoc()};
  auto cache =
      std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 2 * 1024 * 1024, .max_entries = 4});
  route.handler = WhenReady(context, [context, cache](const Request& request, const MeshView& view) {
    const UtcMillis now = context.Now();
    const UtcMillis server_time = now - now.time_since_epoch() % std::chrono::milliseconds(kServerTimeStep);
    return RespondCached(request, ListGeneration(context, view, server_time), *cache, [&] {
      return BuildList(view, context.visibility(), ReadPageWindow(request, kListName, {kMaxPage, kMaxPage}),
                       server_time);
    });
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/observers/{id}";
  route.tag = "observers";
  route.summary = "One observer, inactive or not.";
  route.parameters = {PathDoc("id", "Its public key in hexadecimal, in any case.")};
  route.responses = {{200, "The observer.", "application/json"}, ProblemDoc(404, "No such observer.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    const std::string& text = request.PathParameter("id");
    const auto key = PublicKey::FromHex(text);
    const ObserverView* observer = key ? view.FindObserver(key->ToObserverId()) : nullptr;
    if (observer == nullptr || !context.visibility().Shows(*observer)) {
      throw ProblemError(404, "Observer not found: no observer has the id " + text);
    }
    JsonText out;
    WriteObserver(out, *observer, view, context.visibility());
    return WithETag(request, JsonResponse(std::move(out).Take()),
                    ETagOf(request.canonical_target, ViewGeneration(context, view)));
  });
  return route;
}

}  // namespace

void RegisterObserverRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(DetailRoute(context));
}

}  // namespace heliograph::server
