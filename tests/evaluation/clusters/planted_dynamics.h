#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace heliograph::evaluation {

/// What was done to the groups on purpose.
struct PlantedEvent {
  enum class Kind { kMerge, kSplit, kBirth, kDeath };
  Kind kind{};
  std::size_t run = 0;  ///< the first run that shows it
  int from = -1;        ///< the group that went into another, that another split off from, or that ended
  int to = -1;          ///< where it went, what split off, or what was born
};

/// One moment of the planted world.
struct PlantedRun {
  std::vector<int> items;                  ///< who is there, ascending
  std::map<int, int> group_of;             ///< of the items that belong to a group which holds together now
  std::vector<std::pair<int, int>> edges;  ///< each once
};

/// A world of groups that change in known ways: members come and go, groups merge, split, are born, die, and
/// fall silent for a while. A fifth of all edges is drawn anew in every run. The same seed gives the same
/// world.
class PlantedDynamics {
 public:
  struct Settings {
    int groups = 40;
    int smallest = 8, largest = 50;
    int inner_degree = 7, outer_degree = 2;
    double redrawn = 0.2;      ///< of the edges, in each run
    double turnover = 0.02;    ///< of the items, in each run: half of them leave, and as many come
    double event_rate = 0.35;  ///< of each kind of event, in each run
    int loners = 80;           ///< items of no group
  };

  PlantedDynamics(Settings settings, std::uint64_t seed);

  /// The next run.
  PlantedRun Step();

  const std::vector<PlantedEvent>& events() const { return events_; }
  /// Groups that ever were.
  int groups_made() const { return next_group_; }

 private:
  struct Group {
    std::vector<int> members;
    int silent_until = -1;  ///< the run in which it holds together again
  };

  bool Chance(double probability);
  int Between(int least, int most);
  int AnyGroup(std::size_t least_members);
  int NewGroup(int size);
  void Turnover();
  void Merge();
  void Split();
  void Birth();
  void Death();
  void Silence();
  void Upset(const Group& group) { upset_.insert(group.members.begin(), group.members.end()); }
  void Redraw(const PlantedRun& run);
  bool IsSilent(const Group& group) const { return group.silent_until > static_cast<int>(run_); }

  Settings settings_;
  std::mt19937_64 random_;
  std::size_t run_ = 0;
  int next_item_ = 0, next_group_ = 0;
  std::map<int, Group> groups_;
  std::vector<int> loners_;
  std::set<std::pair<int, int>> edges_;
  std::set<int> upset_;  ///< items of groups that something happened to in this run
  std::vector<PlantedEvent> events_;
};

}  // namespace heliograph::evaluation
