#include "tests/evaluation/clusters/identity_figures.h"

#include <algorithm>
#include <limits>

#include "ingestor/clusters/assignment.h"

namespace heliograph::evaluation {
namespace {

constexpr double kThousand = 1000;

double Ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

double EventFigures::precision() const {
  return Ratio(static_cast<double>(right), static_cast<double>(reported));
}
double EventFigures::recall() const {
  return Ratio(static_cast<double>(right), static_cast<double>(planted));
}
double EventFigures::f() const {
  return Ratio(2 * precision() * recall(), precision() + recall());
}

void IdentityScore::AddRun(const std::map<int, int>& truth, const std::map<int, int>& ids) {
  std::map<int, std::pair<int, int>> now;
  truth_pairs_ += truth.size();
  id_pairs_ += ids.size();
  for (const auto& [item, id] : ids) ids_.insert(id);
  for (const auto& [item, group] : truth) {
    const auto id = ids.find(item);
    if (id == ids.end()) continue;
    ++common_[{group, id->second}];
    now[item] = {group, id->second};
    const auto before = last_.find(item);
    if (before == last_.end() || before->second.first != group) continue;
    ++steps_;
    if (before->second.second != id->second) ++switches_;
  }
  last_ = std::move(now);
}

std::map<int, int> IdentityScore::GroupOfId() const {
  std::map<int, std::size_t> groups, ids;
  for (const auto& [pair, count] : common_) {
    groups.emplace(pair.first, groups.size());
    ids.emplace(pair.second, ids.size());
  }
  std::vector<ingestor::CandidatePair> candidates;
  std::vector<std::pair<int, int>> pairs;
  for (const auto& [pair, count] : common_) {
    candidates.push_back(
        {groups.at(pair.first), ids.at(pair.second), {static_cast<std::int64_t>(count), 0, 0}});
    pairs.push_back(pair);
  }
  std::map<int, int> group_of;
  for (const std::size_t chosen : ingestor::BestAssignment(candidates, groups.size(), ids.size(),
                                                           std::numeric_limits<std::size_t>::max()))
    group_of[pairs[chosen].second] = pairs[chosen].first;
  return group_of;
}

IdentityFigures IdentityScore::Identity(int true_groups) const {
  double right = 0;
  for (const auto& [id, group] : GroupOfId()) right += static_cast<double>(common_.at({group, id}));
  IdentityFigures figures;
  figures.idf1 = Ratio(2 * right, static_cast<double>(truth_pairs_ + id_pairs_));
  figures.switches = Ratio(kThousand * static_cast<double>(switches_), static_cast<double>(steps_));
  figures.ids_for_each_true = Ratio(static_cast<double>(ids_.size()), true_groups);
  return figures;
}

EventFigures IdentityScore::Events(const std::vector<PlantedEvent>& planted,
                                   const std::vector<ReportedEvent>& reported,
                                   const std::set<PlantedEvent::Kind>& kinds, std::size_t tolerance) const {
  const auto group_of = GroupOfId();
  const auto names = [&](const std::set<int>& ids, int group) {
    // Of a birth there is none before, of a death none after.
    return group < 0 || std::any_of(ids.begin(), ids.end(), [&](int id) {
             const auto stands_for = group_of.find(id);
             return stands_for != group_of.end() && stands_for->second == group;
           });
  };
  EventFigures figures;
  for (const PlantedEvent& wanted : planted) figures.planted += kinds.contains(wanted.kind) ? 1 : 0;
  std::vector<bool> found(planted.size());
  double delays = 0;
  for (const ReportedEvent& event : reported) {
    if (!kinds.contains(event.kind)) continue;
    ++figures.reported;
    for (std::size_t i = 0; i < planted.size(); ++i) {
      const PlantedEvent& wanted = planted[i];
      const std::size_t apart = event.run > wanted.run ? event.run - wanted.run : wanted.run - event.run;
      if (found[i] || event.kind != wanted.kind || apart > tolerance) continue;
      if (!names(event.sources, wanted.from) || !names(event.results, wanted.to)) continue;
      found[i] = true;
      ++figures.right;
      delays += static_cast<double>(event.run) - static_cast<double>(wanted.run);
      break;
    }
  }
  figures.delay = Ratio(delays, static_cast<double>(figures.right));
  return figures;
}

}  // namespace heliograph::evaluation
