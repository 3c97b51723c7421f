#include "server/routes/events.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/feed/change_kinds.h"
#include "server/feed/change_reader.h"
#include "server/feed/log_stream.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/entity_visibility.h"
#include "server/routes/packet_text.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::size_t kChangesAtATime = 256;
constexpr std::size_t kReceptionsAtATime = 64;
/// An import brings packets faster than a page can draw them; what is old is read from /api/packets.
constexpr std::int64_t kMostReceptionsBehind = 20'000;

/// The last id that an EventSource got is newer than the cursor that its URL was made with.
StreamStart ReadStart(const Request& request) {
  const std::string* text = request.FindHeader("Last-Event-ID");
  if (text == nullptr || text->empty()) text = request.FindQuery("cursor");
  StreamStart start;
  if (text != nullptr && !text->empty()) {
    const auto cursor = ParseCursor(*text);
    if (!cursor) throw ProblemError(400, "cursor: " + *text + " is no cursor of this stream");
    start.at = StreamStart::At::kCursor;
    start.cursor = *cursor;
    start.requested = *text;
    return start;
  }
  start.at =
      EnumParameter<StreamStart::At>(
          request, "start", {{"now", StreamStart::At::kNow}, {"beginning", StreamStart::At::kBeginning}})
          .value_or(StreamStart::At::kNow);
  return start;
}

/// The view that decides what is shown. Throws DatabaseUnavailable before the first.
std::shared_ptr<const MeshView> ShownView(const RouteContext& context) {
  auto view = context.services().views->Current();
  if (view == nullptr) throw DatabaseUnavailable("the server has just started");
  return view;
}

// Changes --------------------------------------------------------------------------------------------------

using ChangeLog = LiveLog<ChangeEntry>;

std::shared_ptr<ChangeLog> MakeChangeLog(const RouteContext& context) {
  ChangeLog::Table table;
  table.bounds = ReadChangeBounds;
  table.page = [context](ReaderConnection& reader, std::int64_t after, const StreamBounds& bounds) {
    const auto view = ShownView(context);
    ChangeLog::Page page;
    page.end = bounds.head;
    auto entries = ReadChanges(reader, after, kChangesAtATime);
    if (entries.size() == kChangesAtATime) page.end = entries.back().seq;
    for (ChangeEntry& entry : entries) {
      if (!ShowsEntity(context.visibility(), *view, entry.entity_kind, entry.entity_id)) continue;
      entry.payload = ShownState(context.visibility(), *view, entry.payload);
      std::string frame =
          EventFrame("change", CursorText(bounds.epoch, entry.seq), ChangeJson(entry, bounds.epoch));
      const std::int64_t seq = entry.seq;
      page.rows.push_back({seq, std::move(entry), std::move(frame)});
    }
    return page;
  };
  return std::make_shared<ChangeLog>(*context.services().readers, std::move(table));
}

Route ChangeStreamRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/events";
  route.tag = "feed";
  route.summary =
      "What changes, as it happens: an event stream. Events are `hello`, `change` (an entry of "
      "/api/changes), `hb` (a "
      "sign of life every 15 s) and `reset` (with a reason: the stream goes on at the head, so read the "
      "present state "
      "again). Each id is a cursor; one that resumes from the last misses nothing and sees nothing twice. "
      "Streams end "
      "after 15 minutes at most, to be opened again.";
  route.parameters = {
      TextDoc("cursor", "Where to go on; the header Last-Event-ID goes before it."),
      TextDoc("start",
              "Where to begin without a cursor: now (the default), or the beginning of what is kept.",
              {"now", "beginning"}),
      TextDoc("kind", "Only these kinds of change, joined by commas, of: " + ListChangeKinds() + "."),
      TextDoc("entity_kind", "Only changes of these kinds of entity, joined by commas, of: " +
                                 ListChangedEntityKinds() + "."),
      TextDoc("entity", "Only changes of these entities: ids, joined by commas."),
      TextDoc("branch", "Only changes on this branch; without it, on all.")};
  route.responses = {
      {200, "The stream. Over the cap on streams: `retry: 15000`, and the end.", "text/event-stream"},
      ProblemDoc(400, "No cursor of this stream.")};
  route.handler = [log = MakeChangeLog(context)](const Request& request) {
    const ChangeFilter filter = ReadChangeFilter(request);
    return EventStreamResponse(std::make_shared<LogStream<ChangeEntry>>(
        log, ReadStart(request), [filter](const ChangeEntry& entry) { return filter.Passes(entry); },
        LogStreamSettings()));
  };
  return route;
}

// Packets --------------------------------------------------------------------------------------------------

/// What a stream of packets can be filtered by.
struct HeardPacket {
  std::int64_t payload_type = 0;
  std::string observer_id, region;  ///< empty when the observer is not shown
};
using PacketLog = LiveLog<HeardPacket>;

StreamBounds ReadReceptionBounds(ReaderConnection& reader) {
  SQLite::Statement& row = reader.Prepared(
      "SELECT (SELECT value FROM meta WHERE key = 'epoch'), coalesce((SELECT min(id) - 1 FROM observations), "
      "0), "
      "max(coalesce((SELECT max(id) FROM observations), 0), (SELECT CAST(value AS INTEGER) FROM meta WHERE "
      "key = "
      "'observation_high_water'))");
  row.executeStep();
  return {row.getColumn(0).getString(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

std::string ReceptionJson(const RouteContext& context, const MeshView& view, const StoredReception& reception,
                          std::string_view epoch) {
  const StoredObservation& observation = *reception.transmission.display;
  JsonText out;
  out.BeginObject()
      .Member("cursor", CursorText(epoch, observation.id))
      .Member("observation_id", observation.id)
      .Member("received_at", observation.received_at)
      .Key("packet");
  PacketWriter(context, view).WriteTransmission(out, reception.transmission, false);
  out.EndObject();
  return std::move(out).Take();
}

std::shared_ptr<PacketLog> MakePacketLog(const RouteContext& context) {
  PacketLog::Table table;
  table.bounds = ReadReceptionBounds;
  table.page = [context](ReaderConnection& reader, std::int64_t after, const StreamBounds& bounds) {
    const auto view = ShownView(context);
    PacketLog::Page page;
    page.end = after;
    for (const StoredReception& reception : LoadReceptions(reader, after, kReceptionsAtATime, page.end)) {
      if (reception.origin && !ShowsEntity(context.visibility(), *view, "node", reception.origin->ToHex()))
        continue;
      const StoredObservation& observation = *reception.transmission.display;
      const ObserverView* observer = context.visibility().ShownObserver(*view, observation.observer_key);
      HeardPacket heard;
      heard.payload_type = static_cast<std::int64_t>(reception.transmission.payload_type);
      if (observer != nullptr) {
        heard.observer_id = observer->id;
        heard.region = observer->iata;
      }
      page.rows.push_back({observation.id, std::move(heard),
                           EventFrame("packet", CursorText(bounds.epoch, observation.id),
                                      ReceptionJson(context, *view, reception, bounds.epoch))});
    }
    if (page.end == after) page.end = bounds.head;
    return page;
  };
  return std::make_shared<PacketLog>(*context.services().readers, std::move(table));
}

struct PacketStreamFilter {
  std::optional<std::int64_t> type;
  std::optional<std::string> observer_id;
  RegionFilter region;

  bool Passes(const HeardPacket& heard) const {
    return (!type || *type == heard.payload_type) && (!observer_id || *observer_id == heard.observer_id) &&
           (region.all() || std::binary_search(region.codes.begin(), region.codes.end(), heard.region));
  }
};

PacketStreamFilter ReadPacketFilter(const Request& request) {
  PacketStreamFilter filter;
  filter.type = IntegerParameter(request, "type", 0, 15);
  if (const auto observer = PublicKeyParameter(request, "observer"))
    filter.observer_id = observer->ToObserverId();
  filter.region = RegionParameter(request);
  return filter;
}

Route PacketStreamRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/events/packets";
  route.tag = "feed";
  route.summary =
      "What is heard, as it is stored: an event stream with an event `packet` for each reception, whose "
      "packet has the "
      "fields of /api/packets as that observer heard it. Otherwise as /api/events; a stream that is more "
      "than 20000 "
      "receptions behind is reset to the newest.";
  route.parameters = {
      TextDoc("cursor", "Where to go on; the header Last-Event-ID goes before it."),
      TextDoc("start",
              "Where to begin without a cursor: now (the default), or the beginning of what is kept.",
              {"now", "beginning"}),
      IntegerDoc("type", "Only this payload type.", 0, 15),
      TextDoc("observer", "Only what this observer heard: its id."), RegionDoc()};
  route.responses = {
      {200, "The stream. Over the cap on streams: `retry: 15000`, and the end.", "text/event-stream"},
      ProblemDoc(400, "No cursor of this stream.")};
  route.handler = [log = MakePacketLog(context)](const Request& request) {
    LogStreamSettings settings;
    settings.max_behind = kMostReceptionsBehind;
    const PacketStreamFilter filter = ReadPacketFilter(request);
    return EventStreamResponse(std::make_shared<LogStream<HeardPacket>>(
        log, ReadStart(request), [filter](const HeardPacket& heard) { return filter.Passes(heard); },
        settings));
  };
  return route;
}

}  // namespace

void RegisterEventRoutes(Router& router, const RouteContext& context) {
  router.Add(ChangeStreamRoute(context));
  router.Add(PacketStreamRoute(context));
}

}  // namespace heliograph::server
