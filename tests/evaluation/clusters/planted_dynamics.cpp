#include "tests/evaluation/clusters/planted_dynamics.h"

#include <algorithm>
#include <iterator>

namespace heliograph::evaluation {
namespace {

constexpr std::size_t kLeastToSplit = 24;
constexpr double kLeastPart = 0.3;  // of a group that splits
constexpr int kShortestSilence = 2, kLongestSilence = 4;

void Erase(std::vector<int>& items, int item) {
  items.erase(std::find(items.begin(), items.end(), item));
}

}  // namespace

PlantedDynamics::PlantedDynamics(Settings settings, std::uint64_t seed) : settings_(settings), random_(seed) {
  for (int i = 0; i < settings_.groups; ++i) NewGroup(Between(settings_.smallest, settings_.largest));
  for (int i = 0; i < settings_.loners; ++i) loners_.push_back(next_item_++);
}

bool PlantedDynamics::Chance(double probability) {
  return static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
}

int PlantedDynamics::Between(int least, int most) {
  return least + static_cast<int>(random_() % static_cast<std::uint64_t>(most - least + 1));
}

int PlantedDynamics::NewGroup(int size) {
  Group group;
  for (int i = 0; i < size; ++i) group.members.push_back(next_item_++);
  groups_[next_group_] = std::move(group);
  return next_group_++;
}

/// A group that holds together and has at least so many members; -1 when there is none.
int PlantedDynamics::AnyGroup(std::size_t least_members) {
  std::vector<int> fit;
  for (const auto& [number, group] : groups_)
    if (!IsSilent(group) && group.members.size() >= least_members) fit.push_back(number);
  if (fit.empty()) return -1;
  return fit[static_cast<std::size_t>(Between(0, static_cast<int>(fit.size()) - 1))];
}

void PlantedDynamics::Turnover() {
  for (auto& [number, group] : groups_) {
    const auto present = group.members;
    for (const int member : present) {
      if (!Chance(settings_.turnover / 2)) continue;
      if (static_cast<int>(group.members.size()) <= settings_.smallest / 2) break;
      Erase(group.members, member);
      group.members.push_back(next_item_++);
    }
  }
}

void PlantedDynamics::Merge() {
  const int to = AnyGroup(static_cast<std::size_t>(settings_.smallest));
  const int from = AnyGroup(static_cast<std::size_t>(settings_.smallest));
  if (to < 0 || from < 0 || to == from) return;
  Group &into = groups_[to], &gone = groups_[from];
  // The larger one goes on.
  if (gone.members.size() > into.members.size()) return;
  into.members.insert(into.members.end(), gone.members.begin(), gone.members.end());
  groups_.erase(from);
  Upset(into);
  events_.push_back({PlantedEvent::Kind::kMerge, run_, from, to});
}

void PlantedDynamics::Split() {
  const int from = AnyGroup(kLeastToSplit);
  if (from < 0) return;
  Group& whole = groups_[from];
  const auto size = static_cast<int>(whole.members.size());
  const int part = Between(static_cast<int>(kLeastPart * size), (size - 1) / 2);
  std::shuffle(whole.members.begin(), whole.members.end(), random_);
  Upset(whole);
  Group off;
  off.members.assign(whole.members.end() - part, whole.members.end());
  whole.members.resize(static_cast<std::size_t>(size - part));
  groups_[next_group_] = std::move(off);
  events_.push_back({PlantedEvent::Kind::kSplit, run_, from, next_group_++});
}

void PlantedDynamics::Birth() {
  const int born = NewGroup(Between(settings_.smallest, settings_.largest / 2));
  events_.push_back({PlantedEvent::Kind::kBirth, run_, -1, born});
}

void PlantedDynamics::Death() {
  const int dead = AnyGroup(0);
  if (dead < 0) return;
  groups_.erase(dead);
  events_.push_back({PlantedEvent::Kind::kDeath, run_, dead, -1});
}

void PlantedDynamics::Silence() {
  const int silent = AnyGroup(0);
  if (silent < 0) return;
  Upset(groups_[silent]);
  groups_[silent].silent_until = static_cast<int>(run_) + Between(kShortestSilence, kLongestSilence);
}

void PlantedDynamics::Redraw(const PlantedRun& run) {
  std::set<int> present(run.items.begin(), run.items.end());
  const auto holds = [&](const std::pair<int, int>& edge) {
    return present.contains(edge.first) && present.contains(edge.second);
  };
  const auto is_inner = [&](const std::pair<int, int>& edge) {
    const auto a = run.group_of.find(edge.first), b = run.group_of.find(edge.second);
    return a != run.group_of.end() && b != run.group_of.end() && a->second == b->second;
  };
  std::map<int, int> inner, outer;
  for (auto edge = edges_.begin(); edge != edges_.end();) {
    const bool upset = upset_.contains(edge->first) && upset_.contains(edge->second);
    if (!holds(*edge) || upset || Chance(settings_.redrawn)) {
      edge = edges_.erase(edge);
      continue;
    }
    auto& degrees = is_inner(*edge) ? inner : outer;
    ++degrees[edge->first];
    ++degrees[edge->second];
    ++edge;
  }
  std::map<int, std::vector<int>> members;
  for (const auto& [item, group] : run.group_of) members[group].push_back(item);
  const auto draw = [&](int item, const std::vector<int>& among, std::map<int, int>& degrees, int wanted) {
    // Edges that were inside a group are outside after it split, and count as such.
    for (int tries = 0; degrees[item] < wanted && tries < 4 * wanted; ++tries) {
      const int other = among[static_cast<std::size_t>(Between(0, static_cast<int>(among.size()) - 1))];
      const auto edge = std::minmax(item, other);
      if (other == item || !edges_.insert({edge.first, edge.second}).second) continue;
      ++degrees[item];
      ++degrees[other];
    }
  };
  for (const int item : run.items) {
    const auto group = run.group_of.find(item);
    if (group != run.group_of.end()) draw(item, members[group->second], inner, settings_.inner_degree);
    draw(item, run.items, outer, settings_.outer_degree);
  }
}

PlantedRun PlantedDynamics::Step() {
  if (run_ > 0) {
    Turnover();
    if (Chance(settings_.event_rate)) Merge();
    if (Chance(settings_.event_rate)) Split();
    if (Chance(settings_.event_rate)) Birth();
    if (Chance(settings_.event_rate)) Death();
    if (Chance(settings_.event_rate)) Silence();
  }
  PlantedRun run;
  run.items = loners_;
  for (const auto& [number, group] : groups_) {
    run.items.insert(run.items.end(), group.members.begin(), group.members.end());
    if (IsSilent(group)) continue;
    for (const int member : group.members) run.group_of[member] = number;
  }
  std::sort(run.items.begin(), run.items.end());
  Redraw(run);
  run.edges.assign(edges_.begin(), edges_.end());
  upset_.clear();
  ++run_;
  return run;
}

}  // namespace heliograph::evaluation
