#include "server/routes/nodes.h"

#include <algorithm>
#include <utility>

#include "server/http/etag.h"
#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/http/response_cache.h"
#include "server/routes/cluster_json.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/node_json.h"
#include "server/routes/node_selection.h"
#include "server/routes/packet_text.h"
#include "server/routes/page_window.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 50;
constexpr std::size_t kMaxSearchHits = 10;
constexpr std::int64_t kMaxRecentAdverts = 20;
constexpr std::size_t kMinPrefixDigits = 8;  // CoreScope's

constexpr std::string_view kListName = "nodes";

struct NodePage {
  NodeFilter filter;
  NodeOrder order = NodeOrder::kLastSeen;
  PageWindow window;
};

/// The data time as `lastHeard` counts from it: in whole minutes, so that answers do not change with every
/// packet.
std::optional<UtcMillis> ListTime(const MeshView& view) {
  if (!view.data_time) return std::nullopt;
  return std::chrono::floor<std::chrono::minutes>(*view.data_time);
}

NodePage ReadPage(const Request& request, const MeshView& view, std::int64_t maximum) {
  using std::chrono::hours;
  NodePage page;
  if (const std::string* role = request.FindQuery("role"); role != nullptr && !role->empty()) {
    page.filter.role = *role;
  }
  if (const std::string* search = request.FindQuery("search")) page.filter.search = *search;
  page.filter.before = TimeParameter(request, "before");
  const auto heard_within = EnumParameter<hours>(request, "lastHeard",
                                                 {{"1h", hours(1)},
                                                  {"6h", hours(6)},
                                                  {"24h", hours(24)},
                                                  {"7d", hours(7 * 24)},
                                                  {"30d", hours(30 * 24)}});
  if (const auto now = ListTime(view); heard_within && now) page.filter.heard_since = *now - *heard_within;
  page.filter.region = RegionParameter(request);
  page.order = EnumParameter<NodeOrder>(request, "sortBy",
                                        {{"lastSeen", NodeOrder::kLastSeen},
                                         {"name", NodeOrder::kName},
                                         {"packetCount", NodeOrder::kPacketCount}})
                   .value_or(NodeOrder::kLastSeen);
  page.window = ReadPageWindow(request, kListName, {kDefaultPage, maximum});
  RefuseArea(request);
  return page;
}

RoleCounts CountRoles(const MeshView& view, const Visibility& visibility) {
  RoleCounts counts;
  for (const auto& node : view.nodes) {
    if (node->active && visibility.Shows(*node)) counts.Add(node->role);
  }
  return counts;
}

std::string BuildNodePage(const MeshView& view, const Visibility& visibility, const NodePage& page) {
  NodeList nodes = SelectNodes(view, visibility, page.filter);
  const std::size_t begin = std::min(nodes.size(), static_cast<std::size_t>(page.window.offset));
  const std::size_t end = begin + std::min(nodes.size() - begin, static_cast<std::size_t>(page.window.limit));
  SortFront(nodes, page.order, end);

  JsonText out;
  out.BeginObject().Key("nodes").BeginArray();
  for (std::size_t i = begin; i < end; ++i) WriteNode(out, *nodes[i]);
  out.EndArray()
      .Member("total", nodes.size())
      .Member("next", NextPage(kListName, page.window, end - begin, static_cast<std::int64_t>(nodes.size())))
      .Key("counts");
  WriteRoleCounts(out, CountRoles(view, visibility));
  out.EndObject();
  return std::move(out).Take();
}

bool MatchesText(const NodeView& node, std::string_view text) {
  return (node.name && ContainsIgnoringCase(*node.name, text)) ||
         (text.size() <= 2 * PublicKey::kSize &&
          ContainsIgnoringCase(node.public_key.ToHex().substr(0, text.size()), text));
}

std::string BuildSearch(const MeshView& view, const Visibility& visibility, std::string_view text) {
  NodeList hits;
  if (!text.empty()) {
    hits = SelectNodes(view, visibility, {});
    std::erase_if(hits, [&](const NodeView* node) { return !MatchesText(*node, text); });
  }
  const std::size_t shown = std::min(hits.size(), kMaxSearchHits);
  SortFront(hits, NodeOrder::kLastSeen, shown);

  JsonText out;
  out.BeginObject().Key("nodes").BeginArray();
  for (std::size_t i = 0; i < shown; ++i) WriteNode(out, *hits[i]);
  out.EndArray().Member("total", hits.size()).EndObject();
  return std::move(out).Take();
}

/// The node that a whole key or the beginning of one names.
const NodeView& FindNamedNode(const MeshView& view, const Visibility& visibility, std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hex || text.size() < kMinPrefixDigits || text.size() > 2 * PublicKey::kSize) {
    throw ProblemError(
        400,
        "a node is named by its public key of 64 hexadecimal digits, or by the first 8 or more of "
        "them; '" +
            text + "' is neither");
  }
  const NodeList found = NodesWithPrefix(view, visibility, text, 2);
  if (found.empty()) throw ProblemError(404, "no node's key is or begins with " + text);
  if (found.size() > 1) {
    throw ProblemError(
        409, "Ambiguous prefix: more than one node's key begins with " + text + "; give more digits");
  }
  return *found.front();
}

std::string BuildNode(const RouteContext& context, const MeshView& view, const NodeView& node) {
  PacketFilter own_adverts;
  own_adverts.origins = {node.key};
  PacketWindow newest;
  newest.limit = kMaxRecentAdverts;
  newest.with_observations = true;
  newest.with_total = false;
  const PacketPage adverts = LoadPacketPage(*context.services().readers, own_adverts, newest);

  const PacketWriter writer(context, view);
  JsonText out;
  out.BeginObject().Key("node");
  WriteNode(out, node);
  out.Key("recentAdverts").BeginArray();
  for (const StoredTransmission& advert : adverts.packets) writer.WriteTransmission(out, advert, true);
  out.EndArray().Key("cluster");
  WriteClusterOfNode(out, context, node.public_key);
  out.EndObject();
  return std::move(out).Take();
}

Route ListRoute(const RouteContext& context) {
  const std::int64_t maximum = context.config().list_limits.nodes;
  Route route;
  route.path = "/api/nodes";
  route.tag = "nodes";
  route.summary =
      "Active nodes, newest heard first; filters are applied before paging, and total counts what passes "
      "them.";
  route.parameters = {
      LimitDoc(kDefaultPage, maximum),
      OffsetDoc(),
      CursorDoc(),
      TextDoc("role", "Only this role, such as repeater."),
      TextDoc("search", "Only nodes with this in their name, in any case."),
      TimeDoc("before", "First seen then or earlier."),
      TextDoc("lastHeard", "Heard within this time before the newest packet.",
              {"1h", "6h", "24h", "7d", "30d"}),
      TextDoc("sortBy", "The order; lastSeen unless given.", {"lastSeen", "name", "packetCount"}),
      RegionDoc(),
      AreaDoc()};
  // A cache holds one generation, and answers that count from the data time have generations of their own.
  auto whole = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 16 * 1024 * 1024});
  auto recent = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 4 * 1024 * 1024});
  route.handler =
      WhenReady(context, [context, whole, recent, maximum](const Request& request, const MeshView& view) {
        Generation generation = NodesGeneration(context, view);
        ResponseCache* cache = whole.get();
        if (request.FindQuery("lastHeard") != nullptr) {
          generation.epoch +=
              '/' + std::to_string(ListTime(view).value_or(UtcMillis()).time_since_epoch().count());
          cache = recent.get();
        }
        return RespondCached(request, generation, *cache, [&] {
          return BuildNodePage(view, context.visibility(), ReadPage(request, view, maximum));
        });
      });
  return route;
}

Route SearchRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/nodes/search";
  route.tag = "nodes";
  route.summary = "At most 10 active nodes whose name contains the text or whose key begins with it.";
  route.parameters = {TextDoc("q", "The text; nothing is found without one.")};
  auto cache = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 2 * 1024 * 1024});
  route.handler = WhenReady(context, [context, cache](const Request& request, const MeshView& view) {
    return RespondCached(request, NodesGeneration(context, view), *cache, [&] {
      const std::string* text = request.FindQuery("q");
      return BuildSearch(view, context.visibility(), text == nullptr ? std::string_view() : *text);
    });
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/nodes/{pubkey}";
  route.tag = "nodes";
  route.summary = "One node, active or not, with its newest adverts and its cluster.";
  route.parameters = {
      PathDoc("pubkey", "The public key in hexadecimal, or 8 digits or more that only it begins with.")};
  route.responses = {{200, "The node, recentAdverts, at most 20, and cluster.", "application/json"},
                     ProblemDoc(404, "No such node."),
                     ProblemDoc(409, "More than one key begins so.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    const NodeView& node = FindNamedNode(view, context.visibility(), request.PathParameter("pubkey"));
    return TaggedJson(request, BuildNode(context, view, node));
  });
  return route;
}

}  // namespace

void RegisterNodeRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(SearchRoute(context));
  router.Add(DetailRoute(context));
}

}  // namespace heliograph::server
