#include "server/routes/multibyte.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/http/response_cache.h"
#include "server/routes/guard.h"
#include "server/routes/json_response.h"
#include "server/routes/multibyte_json.h"
#include "server/routes/node_selection.h"
#include "server/routes/opportunity_json.h"
#include "server/routes/parameter_docs.h"

namespace heliograph::server {
namespace {

constexpr std::int64_t kDefaultPage = 100;
constexpr std::size_t kMaxIntervals = 200;
constexpr std::string_view kListOrder = "multibyte/public_key";

struct Summary {
  std::int64_t confirmed = 0, suspected = 0, unknown = 0, adopted = 0, likely_legacy = 0;

  void Add(const NodeCapability& capability) {
    if (capability.status == CapabilityStatus::kConfirmed) ++confirmed;
    if (capability.status == CapabilityStatus::kSuspected) ++suspected;
    if (capability.status == CapabilityStatus::kUnknown) ++unknown;
    if (capability.adopted) ++adopted;
    if (capability.likely_legacy) ++likely_legacy;
  }
};

/// The key that the page begins after; nothing for the first page.
std::optional<PublicKey> ReadCursor(const Request& request) {
  const auto fields = CursorParameter(request, kListOrder, 1);
  if (!fields) return std::nullopt;
  const auto* text = std::get_if<std::string>(&fields->front());
  const auto key = text == nullptr ? std::nullopt : PublicKey::FromHex(*text);
  if (!key)
    throw ProblemError(400, "cursor: this is no cursor of this list; give the `next` of an answer as it was");
  return key;
}

std::string CursorAfter(const PublicKey& key) {
  const CursorField field = key.ToHex();
  return EncodeCursor(kListOrder, {&field, 1});
}

std::vector<MultibyteRow> PresentRows(const MeshView& view, const Visibility& visibility,
                                      const RegionFilter& region) {
  std::vector<MultibyteRow> rows;
  for (const auto& node : view.nodes) {
    if (visibility.Shows(*node) && IsInRegion(*node, region)) {
      rows.push_back({node->public_key, node.get(), node->capability});
    }
  }
  return rows;
}

std::vector<MultibyteRow> PastRows(const std::vector<DatedCapability>& capabilities, const MeshView& view,
                                   const Visibility& visibility) {
  std::vector<MultibyteRow> rows;
  for (const DatedCapability& dated : capabilities) {
    if (IsShown(dated.public_key, view, visibility))
      rows.push_back({dated.public_key, nullptr, dated.capability});
  }
  return rows;
}

void WriteSummary(JsonText& out, const Summary& summary, const MeshView& view,
                  const std::optional<CommitMoment>& moment) {
  out.BeginObject()
      .Member("confirmed", summary.confirmed)
      .Member("suspected", summary.suspected)
      .Member("unknown", summary.unknown)
      .Member("adopted", summary.adopted)
      .Member("likely_legacy", summary.likely_legacy)
      .Member("watermark", moment ? moment->watermark : std::optional(view.watermark))
      .Member("data_time", moment ? std::nullopt : view.data_time);
  out.Key("as_of");
  WriteMoment(out, moment);
  const char* progress = view.progress == AnalyticsProgress::kComplete ? "complete" : "warm";
  out.Member("progress", moment ? std::nullopt : std::optional<std::string>(progress)).EndObject();
}

std::string BuildList(const Request& request, const MeshView& view, const std::vector<MultibyteRow>& rows,
                      std::int64_t maximum, const std::optional<CommitMoment>& moment) {
  const auto status = EnumParameter<CapabilityStatus>(request, "status",
                                                      {{"confirmed", CapabilityStatus::kConfirmed},
                                                       {"suspected", CapabilityStatus::kSuspected},
                                                       {"unknown", CapabilityStatus::kUnknown}});
  const auto limit = static_cast<std::size_t>(LimitParameter(request, {kDefaultPage, maximum}));
  const auto after = ReadCursor(request);

  Summary summary;
  std::size_t total = 0, shown = 0;
  const MultibyteRow* last = nullptr;
  bool has_more = false;
  JsonText out;
  out.BeginObject().Key("nodes").BeginArray();
  for (const MultibyteRow& row : rows) {
    summary.Add(row.capability);
    if (status && row.capability.status != *status) continue;
    ++total;
    if (after && row.public_key <= *after) continue;
    if (shown == limit) {
      has_more = true;
      continue;
    }
    out.BeginObject();
    WriteMultibyteMembers(out, row);
    out.EndObject();
    last = &row;
    ++shown;
  }
  out.EndArray().Member("total", total);
  out.Member("next", has_more ? std::optional(CursorAfter(last->public_key)) : std::nullopt);
  out.Key("summary");
  WriteSummary(out, summary, view, moment);
  out.EndObject();
  return std::move(out).Take();
}

Response AnswerPast(const Request& request, const RouteContext& context, const MeshView& view,
                    std::int64_t maximum) {
  if (!RegionParameter(request).all()) {
    throw ProblemError(400,
                       "region cannot be combined with as_of or branch: which observers heard a node has no "
                       "history");
  }
  CommitMoment moment;
  const auto capabilities = context.services().readers->Read([&](ReaderConnection& reader) {
    const BranchLine line = BranchParameter(reader, request);
    moment = MomentParameter(reader, request, line);
    return CapabilitiesAt(reader, line, moment.seq);
  });
  return TaggedJson(
      request, BuildList(request, view, PastRows(capabilities, view, context.visibility()), maximum, moment));
}

/// All that the database tells about one node's capability, of one moment.
struct NodeEvidence {
  std::optional<CommitMoment> moment;
  CapabilityHistory history;
  CapabilityProofs proofs;
};

/// False when no packet can be found whose path names the node: counters never go back, and all are counted.
bool MayBeInPaths(const PublicKey& key, const MeshView& view) {
  const NodeView* node = view.FindNode(key);
  return node == nullptr || view.progress != AnalyticsProgress::kComplete ||
         node->capability.relay_proofs > 0 || node->capability.path_hints > 0;
}

NodeEvidence LoadEvidence(const RouteContext& context, const MeshView& view, const PublicKey& key,
                          const std::optional<std::string>& as_of) {
  ProofSearch search;
  search.with_hops = MayBeInPaths(key, view);
  std::optional<ScanSlots::Lease> slot;
  if (search.with_hops) slot.emplace(context.scans());
  return context.services().readers->Read([&](ReaderConnection& reader) {
    NodeEvidence evidence;
    if (as_of) {
      evidence.moment = ResolveAsOf(reader, *as_of);
      search.watermark = evidence.moment->watermark.value_or(0);
    }
    evidence.history = HistoryOf(reader, key, evidence.moment, kMaxIntervals);
    evidence.proofs = FindProofs(reader, key, search);
    return evidence;
  });
}

/// The row of the node now, or at the moment; nothing when it was not known.
std::optional<MultibyteRow> RowOf(const PublicKey& key, const MeshView& view, const NodeEvidence& evidence) {
  if (!evidence.moment) {
    const NodeView* node = view.FindNode(key);
    if (node == nullptr) return std::nullopt;
    return MultibyteRow{key, node, node->capability};
  }
  const auto& intervals = evidence.history.intervals;
  if (intervals.empty() || intervals.back().to_seq) return std::nullopt;
  return MultibyteRow{key, nullptr, intervals.back().capability};
}

Response AnswerNode(const Request& request, const RouteContext& context, const MeshView& view) {
  const PublicKey key = PublicKeyInPath(request);
  const auto as_of = AsOfText(request);
  const bool is_known = as_of || view.FindNode(key) != nullptr;
  if (!is_known || !IsShown(key, view, context.visibility())) {
    throw ProblemError(404, "no node has the key " + key.ToHex());
  }
  const NodeEvidence evidence = LoadEvidence(context, view, key, as_of);
  const auto row = RowOf(key, view, evidence);
  if (!row)
    throw ProblemError(404,
                       "nothing was known of the node " + key.ToHex() + " as of " + as_of.value_or("now"));

  JsonText out;
  out.BeginObject();
  WriteMultibyteMembers(out, *row);
  out.Key("as_of");
  WriteMoment(out, evidence.moment);
  out.Key("history");
  WriteHistory(out, evidence.history);
  out.Member("history_truncated", evidence.history.truncated).Key("proofs");
  WriteProofs(out, *row, evidence.proofs, context, view);
  out.Member("proofs_truncated", evidence.proofs.truncated).Key("model");
  if (as_of) {
    out.Null();
  } else {
    WriteModel(out, key, context, view);
  }
  out.EndObject();
  return TaggedJson(request, std::move(out).Take());
}

Route ListRoute(const RouteContext& context) {
  const std::int64_t maximum = context.config().list_limits.nodes;
  Route route;
  route.path = "/api/multibyte";
  route.tag = "multibyte";
  route.summary =
      "Which nodes can forward multi-byte path hashes, in the order of their keys, active and inactive "
      "alike. The summary "
      "counts all nodes of the region. As of a commit or on a branch, what has no history (name, role, "
      "active, counters, "
      "last proof) is "
      "null.";
  route.parameters = {TextDoc("status", "Only this status.", {"confirmed", "suspected", "unknown"}),
                      RegionDoc(),
                      AsOfDoc(),
                      BranchDoc(),
                      LimitDoc(kDefaultPage, maximum),
                      CursorDoc()};
  route.responses = {{200, "nodes, total, next and summary.", "application/json"},
                     ProblemDoc(404, "No such commit or branch."),
                     ProblemDoc(409, "The commit is not in the history of the branch."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  auto cache = std::make_shared<ResponseCache>(ResponseCache::Limits{.max_bytes = 8 * 1024 * 1024});
  route.handler = WhenReady(context, [context, cache, maximum](const Request& request, const MeshView& view) {
    if (AsOfText(request) || NamesBranch(request)) return AnswerPast(request, context, view, maximum);
    return RespondCached(request, ViewGeneration(context, view), *cache, [&] {
      return BuildList(request, view, PresentRows(view, context.visibility(), RegionParameter(request)),
                       maximum, std::nullopt);
    });
  });
  return route;
}

Route DetailRoute(const RouteContext& context) {
  Route route;
  route.path = "/api/multibyte/{pubkey}";
  route.tag = "multibyte";
  route.summary =
      "One node's capability, its history, and the newest packets that prove it. proofs_truncated says that "
      "there may be more of them. The candidates of a hop have the probability that it was they; the rest to "
      "1 is a node nobody has heard. model tells what the probability rests on (null as of a commit): the "
      "share of capable nodes in the mesh (prior), of those whose own packets stay at 1 byte (stays_at_one), "
      "and of capable relays that are never seen to forward a multi-byte flood (unseen), and the "
      "opportunity: "
      "multi-byte floods in which neighbours were seen to send (floods), how many of them a capable node "
      "would have been seen to relay (relays_expected, before relay_yield, the ratio of seen to expected of "
      "nodes proven by adverts) or to report as an observer (reports_expected), and how many it was. For "
      "each "
      "neighbour: the rate at which the node takes up its 1-byte floods, its multi-byte floods, and what was "
      "expected of the node from them.";
  route.parameters = {PathDoc("pubkey", "The public key, 64 hexadecimal digits in any case."), AsOfDoc()};
  route.responses = {{200, "The node with history and proofs.", "application/json"},
                     ProblemDoc(404, "No such node or commit."),
                     ProblemDoc(410, "The history of that commit is no longer kept.")};
  route.handler = WhenReady(context, [context](const Request& request, const MeshView& view) {
    return AnswerNode(request, context, view);
  });
  return route;
}

}  // namespace

void RegisterMultibyteRoutes(Router& router, const RouteContext& context) {
  router.Add(ListRoute(context));
  router.Add(DetailRoute(context));
}

}  // namespace heliograph::server
