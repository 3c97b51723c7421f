#include "server/routes/cluster_explanation.h"

#include <limits>

#include "server/http/parameters.h"
#include "server/http/problem.h"
#include "server/routes/cluster_json.h"
#include "server/routes/cluster_request.h"
#include "server/routes/multibyte_json.h"
#include "server/state/row_values.h"

namespace heliograph::server {
namespace {

// Older runs are thinned out, and say little about today.
constexpr std::int64_t kRunsLookedAt = 50;

using Placed = std::optional<std::pair<ClusterTrack, TrackMember>>;

/// One of the two that are asked about.
struct Asked {
  std::string key;
  std::optional<std::int64_t> member;  ///< nothing: no run looked at anybody with this key
  Placed place;
};

/// How often two members were in one cluster in the newest runs that are still whole.
struct TimeTogether {
  std::int64_t runs = 0, both_present = 0, together = 0;
};

TimeTogether CountTogether(ReaderConnection& reader, const ClusterMoment& moment,
                           ClusterCollection collection, const Asked& a, const Asked& b) {
  const auto newest = [](const char* on_line) {
    return std::string(
               "SELECT * FROM (SELECT run_id, commit_seq FROM cluster_runs INDEXED BY cluster_runs_whole "
               "WHERE collection=?4 AND pruned_at "
               "IS"
               " NULL AND ") +
           on_line + " ORDER BY commit_seq DESC LIMIT ?5)";
  };
  SQLite::Statement& row = reader.Prepared(
      "SELECT count(*), sum(x.member_key IS NOT NULL AND y.member_key IS NOT NULL), sum(x.ordinal=y.ordinal)"
      " FROM (SELECT run_id FROM (" +
      newest("branch_id=?1 AND commit_seq<=?3") + " UNION ALL " +
      newest("?1<>1 AND branch_id=1 AND commit_seq<=min(?2, ?3)") +
      ") ORDER BY commit_seq DESC LIMIT ?5) AS r LEFT JOIN cluster_members AS x ON x.run_id=r.run_id AND "
      "x.member_key=?6"
      " LEFT JOIN cluster_members AS y ON y.run_id=r.run_id AND y.member_key=?7");
  BindMoment(row, moment);
  row.bind(4, std::string(Name(collection)));
  row.bind(5, kRunsLookedAt);
  row.bind(6, a.member.value_or(-1));
  row.bind(7, b.member.value_or(-1));
  row.executeStep();
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getInt64()};
}

void WritePlace(JsonText& out, const Asked& asked) {
  const Placed& placed = asked.place;
  out.BeginObject().Member("key", asked.key).Key("cluster");
  if (placed) {
    out.BeginObject()
        .Member("id", placed->first.id)
        .Member("slug", placed->first.slug)
        .Member("title", placed->first.title)
        .Member("cohesion", placed->first.cohesion)
        .EndObject();
  } else {
    out.Null();
  }
  const bool by_hand = placed && placed->second.included_by_hand;
  out.Member("strength", placed && !by_hand ? std::optional(placed->second.strength) : std::nullopt)
      .Member("by_hand", by_hand)
      .EndObject();
}

std::string Percent(double share) {
  return std::to_string(static_cast<int>(share * 100 + 0.5)) + " %";
}

std::string StrengthInWords(const std::string& name, const Placed& placed) {
  if (placed->second.included_by_hand) return "A person put " + name + " there. ";
  return name + " belongs to its cluster with " + Percent(placed->second.strength) + " of its weight. ";
}

std::string InWords(const Placed& a, const Placed& b, const std::optional<TimeTogether>& time) {
  std::string words;
  if (!a || !b) {
    words = std::string(!a && !b ? "Neither is"
                        : !a     ? "a is not"
                                 : "b is not") +
            " in any cluster of the active run, or was excluded from it. ";
  } else if (a->first.key == b->first.key) {
    words = "Both are in " + a->first.title + ". ";
  } else {
    words = "a is in " + a->first.title + " and b in " + b->first.title + ". ";
  }
  if (a && b) words += StrengthInWords("a", a) + StrengthInWords("b", b);
  if (!time) return words.substr(0, words.size() - 1);
  return words + "Of the newest " + std::to_string(time->runs) +
         " runs that are kept, both were looked at in " + std::to_string(time->both_present) +
         ", and put together in " + std::to_string(time->together) + ".";
}

std::string ExplainPair(const Request& request, const RouteContext& context, const MeshView& view,
                        const std::string& a, const std::string& b) {
  const ClusterCollection collection = CollectionParameter(request);
  for (const std::string& key : {a, b})
    if (!ShowsMember(context, view, collection, key)) throw ProblemError(404, "there is no member " + key);
  Asked first, second;
  AskedMoment asked;
  const auto time = context.services().readers->Read([&](ReaderConnection& reader) {
    asked = ReadMoment(request, reader);
    WholeActiveRun(reader, asked.moment, collection);
    const auto look_up = [&](const std::string& key) {
      Asked member{key, MemberNumber(reader, collection, key),
                   ClusterOfMember(reader, asked.moment, collection, key)};
      if (member.place) MeasureTracks(reader, asked.moment, collection, {&member.place->first});
      return member;
    };
    first = look_up(a);
    second = look_up(b);
    // Which runs are kept changes with time, and the past must not.
    if (asked.as_of) return std::optional<TimeTogether>();
    return std::optional(CountTogether(reader, asked.moment, collection, first, second));
  });
  JsonText out;
  out.BeginObject().Key("a");
  WritePlace(out, first);
  out.Key("b");
  WritePlace(out, second);
  out.Member("together", first.place && second.place && first.place->first.key == second.place->first.key)
      .Member("runs_looked_at", time ? std::optional(time->runs) : std::nullopt)
      .Member("runs_with_both", time ? std::optional(time->both_present) : std::nullopt)
      .Member("runs_together", time ? std::optional(time->together) : std::nullopt)
      .Member("words", InWords(first.place, second.place, time))
      .Key("as_of");
  WriteMoment(out, asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

std::string ExplainDecision(const Request& request, const RouteContext& context, std::int64_t number) {
  AskedMoment asked;
  const auto decisions = context.services().readers->Read([&](ReaderConnection& reader) {
    asked = ReadMoment(request, reader);
    DecisionFilter filter;
    filter.decision = number;
    return DecisionsAt(reader, asked.moment, filter);
  });
  if (decisions.empty()) throw ProblemError(404, "there is no decision " + std::to_string(number));
  JsonText out;
  out.BeginObject().Key("decision");
  WriteDecision(out, decisions.front());
  out.Member("words", decisions.front().reason).Key("as_of");
  WriteMoment(out, asked.as_of);
  out.EndObject();
  return std::move(out).Take();
}

}  // namespace

std::string BuildExplanation(const Request& request, const RouteContext& context, const MeshView& view) {
  if (const auto decision =
          IntegerParameter(request, "decision", 1, std::numeric_limits<std::int64_t>::max()))
    return ExplainDecision(request, context, *decision);
  const std::string* a = request.FindQuery("a");
  const std::string* b = request.FindQuery("b");
  if (a == nullptr || b == nullptr || a->empty() || b->empty())
    throw ProblemError(400, "give a and b, the keys of two members, or decision, the id of a decision");
  return ExplainPair(request, context, view, *a, *b);
}

}  // namespace heliograph::server
