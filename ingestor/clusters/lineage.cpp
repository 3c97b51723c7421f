#include "ingestor/clusters/lineage.h"

#include <array>
#include <cmath>

namespace heliograph::ingestor {
namespace {

constexpr std::array<std::string_view, 3> kOutcomes{"updated", "new", "dissolved"};
constexpr std::array<std::string_view, 10> kClasses{"continuation", "growth",    "contraction", "merge",
                                                    "absorb",       "split",     "shed",        "birth",
                                                    "end",          "resurgence"};
constexpr std::array<std::string_view, 3> kStates{"tentative", "confirmed", "reverted"};

template <class Enum, std::size_t N>
std::optional<Enum> Parse(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

std::string Percent(double share) {
  return std::to_string(std::lround(share * 100)) + " %";
}

std::string Count(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string Clusters(std::size_t count) {
  return Count(count, "cluster", "clusters");
}

std::string Kept(const LineageFigures& figures) {
  return "Keeps " + Count(figures.shared, "member", "members") + ": " + Percent(figures.share_old) +
         " of those it had and that are still there, " + Percent(figures.share_new) +
         " of those it has and that were there before. ";
}

std::string Sizes(const LineageFigures& figures) {
  return "from " + std::to_string(figures.old_size) + " to " + Count(figures.new_size, "member", "members");
}

std::string OfUpdated(const LineageDecision& decision) {
  const LineageFigures& figures = decision.figures;
  const std::string kept = Kept(figures);
  switch (decision.kind) {
    case LineageClass::kMerge:
      return kept + "More than half of " + Clusters(decision.other_tracks.size()) +
             " came into it, each a fair part of the whole: a merge.";
    case LineageClass::kAbsorb:
      return kept + "It took in " + Clusters(decision.other_tracks.size()) + ", small beside it.";
    case LineageClass::kSplit:
      return kept + Clusters(decision.other_clusters.size()) +
             " split off, each a fair part of what it was; this part keeps the most.";
    case LineageClass::kShed:
      return kept + "It shed " + Clusters(decision.other_clusters.size()) + ", small beside it.";
    case LineageClass::kGrowth:
      return kept + "It grew " + Sizes(figures) + ".";
    case LineageClass::kContraction:
      return kept + "It shrank " + Sizes(figures) + ".";
    case LineageClass::kResurgence:
      return kept + "It had been away, and is back.";
    case LineageClass::kContinuation:
    case LineageClass::kBirth:
    case LineageClass::kEnd:
      break;
  }
  return kept + "The turnover since the last run is " + Percent(figures.turnover) + ".";
}

std::string OfNew(const LineageDecision& decision) {
  const LineageFigures& figures = decision.figures;
  const std::string members = Count(figures.new_size, "member", "members");
  if (decision.kind == LineageClass::kSplit)
    return members + " that split off: " + Percent(figures.share_new) +
           " of those that were there before come from one cluster, a fair part of it.";
  if (decision.kind == LineageClass::kShed)
    return members + " that another cluster shed: " + Percent(figures.share_new) +
           " of those that were there before come from it, a small part of it.";
  return members + " that no earlier cluster accounts for.";
}

std::string OfDissolved(const LineageDecision& decision) {
  const LineageFigures& figures = decision.figures;
  const std::string went = std::to_string(figures.shared) + " of its " +
                           Count(figures.old_size, "member", "members") + " are in another cluster now, ";
  if (decision.kind == LineageClass::kMerge) return went + "a fair part of that one: a merge.";
  if (decision.kind == LineageClass::kAbsorb) return went + "a small part of that one.";
  return "Its " + Count(figures.old_size, "member is", "members are") +
         " gone or scattered: no cluster holds more than half of those that are still there.";
}

}  // namespace

std::string_view Name(LineageOutcome outcome) {
  return kOutcomes.at(static_cast<std::size_t>(outcome));
}
std::string_view Name(LineageClass kind) {
  return kClasses.at(static_cast<std::size_t>(kind));
}
std::string_view Name(DecisionState state) {
  return kStates.at(static_cast<std::size_t>(state));
}
std::optional<LineageOutcome> ParseLineageOutcome(std::string_view name) {
  return Parse<LineageOutcome>(kOutcomes, name);
}
std::optional<LineageClass> ParseLineageClass(std::string_view name) {
  return Parse<LineageClass>(kClasses, name);
}
std::optional<DecisionState> ParseDecisionState(std::string_view name) {
  return Parse<DecisionState>(kStates, name);
}

std::string Reason(const LineageDecision& decision) {
  switch (decision.outcome) {
    case LineageOutcome::kUpdated:
      return OfUpdated(decision);
    case LineageOutcome::kNew:
      return OfNew(decision);
    case LineageOutcome::kDissolved:
      return OfDissolved(decision);
  }
  return {};
}

}  // namespace heliograph::ingestor
