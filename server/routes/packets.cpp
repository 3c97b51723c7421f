#include "server/routes/packets.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <semaphore>
#include <utility>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/packet_text.h"
#include "server/routes/page_window.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
/// A page of more rows may take tens of megabytes: one at a time is made.
constexpr std::int64_t kLargePage = 2000;
/// A transmission with all its observations takes as much as about so many without.
constexpr std::int64_t kExpandedRows = 10;
constexpr std::chrono::seconds kWaitForLargePage{3};
constexpr std::string_view kListName = "packets";
constexpr std::int64_t kMaxPayloadType = 15;
constexpr std::int64_t kMaxRoute = 3;
constexpr std::size_t kEncryptedPrefix = 4;  // "enc_"

const std::string& TextParameter(const Request& request, std::string_view name) {
  static const std::string kNone;
  const std::string* text = request.FindQuery(name);
  return text == nullptr ? kNone : *text;
}

std::vector<std::string> CommaList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(text.size(), comma + 1));
  }
  return parts;
}

/// The shown observers that the request names by `observer` and `region`; nothing when it names none.
std::optional<std::vector<std::int64_t>> ReadObservers(const Request& request, const MeshView& view,
                                                       const Visibility& visibility) {
  const RegionFilter region = RegionParameter(request);
  const std::string& observer_list = TextParameter(request, "observer");
  if (region.all() && observer_list.empty()) return std::nullopt;
  std::vector<std::string> ids = CommaList(observer_list);
  for (std::string& id : ids) {
    std::transform(id.begin(), id.end(), id.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  std::vector<std::int64_t> keys;
  for (const auto& observer : view.observers) {
    const bool is_named =
        observer_list.empty() || std::find(ids.begin(), ids.end(), observer->id) != ids.end();
    const bool is_inside = region.all() || std::find(region.codes.begin(), region.codes.end(),
                                                     observer->iata) != region.codes.end();
    if (is_named && is_inside && visibility.Shows(*observer))
      keys.push_back(static_cast<std::int64_t>(observer->key));
  }
  return keys;
}

/// The node of the parameter `node`: a public key, or the exact name of a shown node. Nothing when there is
/// none.
const NodeView* FindNode(const std::string& text, const MeshView& view, const Visibility& visibility) {
  const NodeView* node = nullptr;
  if (const auto key = PublicKey::FromHex(text)) {
    node = view.FindNode(*key);
  } else {
    const auto found = std::find_if(view.nodes.begin(), view.nodes.end(),
                                    [&](const auto& candidate) { return candidate->name == text; });
    if (found != view.nodes.end()) node = found->get();
  }
  return node != nullptr && visibility.Shows(*node) ? node : nullptr;
}

/// The shown nodes that the request names by `node` and `nodes`, by both when it has both; nothing when it
/// names none.
std::optional<std::vector<IdentityKey>> ReadOrigins(const Request& request, const MeshView& view,
                                                    const Visibility& visibility) {
  const std::string& one = TextParameter(request, "node");
  const std::string& list = TextParameter(request, "nodes");
  if (one.empty() && list.empty()) return std::nullopt;
  const NodeView* only = one.empty() ? nullptr : FindNode(one, view, visibility);
  std::vector<IdentityKey> keys;
  if (list.empty() && only != nullptr) keys.push_back(only->key);
  for (const std::string& text : CommaList(list)) {
    const NodeView* node = FindNode(text, view, visibility);
    if (node != nullptr && (one.empty() || node == only)) keys.push_back(node->key);
  }
  return keys;
}

/// The channel's name as it is stored: that of an unreadable one ends in upper-case hexadecimal.
std::string StoredChannel(std::string text) {
  if (text.starts_with("enc_")) {
    std::transform(text.begin() + kEncryptedPrefix, text.end(), text.begin() + kEncryptedPrefix,
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  return text;
}

/// What the request asks for; nothing when nothing can pass.
std::optional<PacketFilter> ReadFilter(const Request& request, const RouteContext& context,
                                       const MeshView& view) {
  RefuseArea(request);
  PacketFilter filter;
  if (const auto type = IntegerParameter(request, "type", 0, kMaxPayloadType)) {
    filter.type = static_cast<PayloadType>(*type);
  }
  if (const auto route = IntegerParameter(request, "route", 0, kMaxRoute))
    filter.route = static_cast<RouteType>(*route);
  filter.since = TimeParameter(request, "since");
  filter.until = TimeParameter(request, "until");
  filter.observers = ReadObservers(request, view, context.visibility());
  filter.hidden_origins = context.visibility().HiddenNodes(view);
  const auto& hidden = context.visibility().hidden_keys();
  filter.hidden_keys.assign(hidden.begin(), hidden.end());
  if (const std::string& hash = TextParameter(request, "hash"); !hash.empty()) {
    filter.hash = ContentHash::FromHex(hash);
    if (!filter.hash) return std::nullopt;
  }
  filter.origins = ReadOrigins(request, view, context.visibility());
  if (const std::string& channel = TextParameter(request, "channel"); !channel.empty()) {
    filter.channel = StoredChannel(channel);
  }
  if (filter.observers && filter.observers->empty()) return std::nullopt;
  if (filter.origins && filter.origins->empty()) return std::nullopt;
  return filter;
}

/// The right to make a large page, held while it is made.
class LargePageSlot {
 public:
  /// Throws ProblemError(503) when others keep it for too long.
  explicit LargePageSlot(std::binary_semaphore& free) : free_(free) {
    if (!free_.try_acquire_for(kWaitForLargePage)) {
      throw ProblemError(503,
                         "other large pages of packets are being made; try again, or ask for at most " +
                             std::to_string(kLargePage) + " rows",
                         1);
    }
  }
  ~LargePageSlot() { free_.release(); }
  LargePageSlot(const LargePageSlot&) = delete;
  LargePageSlot& operator=(const LargePageSlot&) = delete;

 private:
  std::binary_semaphore& free_;
};

std::string BuildList(const Request& request, const RouteContext& context, const MeshView& view) {
  const bool grouped = BooleanParameter(request, "groupByHash").value_or(false);
  const bool is_ascending =
      EnumParameter<bool>(request, "order", {{"asc", true}, {"desc", false}}).value_or(false);
  PacketWindow window;
  const PageWindow rows =
      ReadPageWindow(request, kListName, {kDefaultPage, context.config().list_limits.packets});
  window.limit = rows.limit;
  window.offset = rows.offset;
  window.order = grouped ? PacketOrder::kLatestFirst
                         : (is_ascending ? PacketOrder::kOldestFirst : PacketOrder::kNewestFirst);
  window.with_observations =
      !grouped && EnumParameter<bool>(request, "expand", {{"observations", true}}).value_or(false);

  window.transmissions = view.totals.transmissions;

  PacketPage page;
  page.total = 0;
  if (const auto filter = ReadFilter(request, context, view)) {
    std::optional<ScanSlots::Lease> slot;
    if (IsScan(*filter, window)) slot.emplace(context.scans());
    page = LoadPacketPage(*context.services().readers, *filter, window);
  }
  const PacketWriter writer(context, view);
  JsonText out;
  out.BeginObject().Key("packets").BeginArray();
  for (const StoredTransmission& packet : page.packets) {
    if (grouped) {
      writer.WriteGroup(out, packet);
    } else {
      writer.WriteTransmission(out, packet, window.with_observations);
    }
  }
  out.EndArray()
      .Member("total", page.total)
      .Member("next", NextPage(kListName, rows, page.packets.size(), page.total))
      .Member("limit", window.limit)
      .Member("offset", window.offset)
      .EndObject();
  return std::move(out).Take();
}

std::optional<StoredTransmission> FindPacket(ReaderPool& readers, const std::string& text) {
  if (const auto hash = ContentHash::FromHex(text)) {
    auto found = LoadPacket(readers, *hash);
    if (found) return found;
  }
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0) return std::nullopt;
  return LoadPacket(readers, id);
}

bool IsHidden(const StoredTransmission& packet, const RouteContext& context, const MeshView& view) {
  if (packet.payload_type != PayloadType::kAdvert || packet.payload.size() < PublicKey::kSize) return false;
  const PublicKey origin = *PublicKey::FromBytes(ByteView(packet.payload).first(PublicKey::kSize));
  const NodeView* node = view.FindNode(origin);
  return node == nullptr ? !context.visibility().ShowsKey(origin) : !context.visibility().Shows(*node);
}

std::string BuildDetail(const StoredTransmission& packet, const RouteContext& context, const MeshView& view) {
  const PacketWriter writer(context, view);
  JsonText out;
  out.BeginObject().Key("packet");
  writer.WriteTransmission(out, packet, false);
  out.Key("path");
  writer.WritePath(out, packet);
  out.Member("observation_count", std::max<std::int64_t>(1, packet.observation_count))
      .Key("observations")
      .BeginArray();
  for (const StoredObservation& observation : packet.observations) {
    writer.WriteObservation(out, packet, observation, true);
  }
  out.EndArray().EndObject();
  return std::move(out).Take();
}

Route ListRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/packets";
  route.tag = "packets";
  route.summary =
      "Transmissions, newest first. The observation shown with each is the one with the longest path. total "
      "is null when "
      "counting what passes the filters takes too long.";
  route.parameters = {
      LimitDoc(kDefaultPage, context.config().list_limits.packets),
      OffsetDoc(),
      CursorDoc(),
      IntegerDoc("type", "Payload type.", 0, kMaxPayloadType),
      IntegerDoc("route", "Route type.", 0, kMaxRoute),
      TextDoc("observer", "Heard by one of these: ids separated by commas, in any case."),
      TextDoc("hash", "Content hash, 16 hexadecimal digits."),
      TimeDoc("since", "First seen then or later."),
      TimeDoc("until", "First seen then or earlier."),
      RegionDoc(),
      AreaDoc(),
      TextDoc("node", "Adverts of this node: its public key or its exact name."),
      TextDoc("nodes", "Adverts of these nodes: their public keys or exact names, separated by commas."),
      TextDoc("channel", "Group messages of this channel: its name, or enc_ and its hash when no key fits."),
      TextDoc("order", "By the order of ingest; desc unless given.", {"asc", "desc"}),
      TextDoc("expand", "With all observations of each.", {"observations"}),
      FlagDoc("groupByHash", "One summary for each content hash, the latest heard first.")};
  const std::int64_t maximum = context.config().list_limits.packets;
  auto large_page = std::make_shared<std::binary_semaphore>(1);
  route.handler =
      WhenReady(context, [context, maximum, large_page](const Request& request, const MeshView& view) {
        std::optional<LargePageSlot> slot;
        const std::int64_t weight = request.FindQuery("expand") == nullptr ? 1 : kExpandedRows;
        if (LimitParameter(request, {kDefaultPage, maximum}) * weight > kLargePage) slot.emplace(*large_page);
        return TaggedJson(request, BuildList(request, context, view));
      });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/packets/{id}";
  route.tag = "packets";
  route.summary = "One transmission with all its observations.";
  route.parameters = {
      PathDoc("id",
              "A content hash of 16 hexadecimal digits, else the id of a transmission, else that of an "
              "observation.")};
  route.responses = {{200, "The packet, its displayed path and its observations.", "application/json"},
                     ProblemDoc(404, "No such packet.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    const std::string& text = request.PathParameter("id");
    const auto packet = FindPacket(*context.services().readers, text);
    if (!packet || IsHidden(*packet, context, view)) {
      throw ProblemError(404, "Not found: no packet has the hash or the id " + text);
    }
    return TaggedJson(request, BuildDetail(*packet, context, view));
  });
  return route;
}

}  // namespace

void RegisterPacketRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(DetailRoute(context));
}

}  // namespace heliograph::server
