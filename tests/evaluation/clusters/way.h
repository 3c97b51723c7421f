#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/evaluation/clusters/divider.h"
#include "tests/evaluation/clusters/identity_rule.h"
#include "tests/evaluation/clusters/partition_figures.h"

namespace heliograph::evaluation {

/// A world as it went, with the truth about it.
struct History {
  std::vector<Moment> moments;
  std::vector<PlantedEvent> events;
  int groups_made = 0;
  std::size_t tolerance = 2;  ///< runs by which a report of an event may be off
};

/// The world of a seed, for so many runs.
History PlantedHistory(std::uint64_t seed, int runs);

/// A way to divide a world, which each identity rule then follows.
struct Way {
  std::string name;
  std::function<std::unique_ptr<Divider>()> make;
};

/// What a way makes of one world.
struct Outcome {
  IdentityFigures identity;
  EventFigures events;         ///< merges and splits
  EventFigures comings;        ///< births and deaths
  PartitionFigures partition;  ///< means over the runs
};

/// Sums up one identity rule on a world: its ids of the items, moment by moment, and what it reported.
Outcome Score(const History& history, const std::vector<std::map<int, int>>& ids,
              const std::vector<ReportedEvent>& reported, PartitionFigures partition);

/// The outcomes of a way on one world, by the name of the identity rule: "memory" and "plain Jaccard".
std::map<std::string, Outcome> Follow(const Way& way, const History& history);

/// Outcomes by "way / rule", each with one for each world, and the names in the order of the table.
struct OutcomeTable {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Outcome>> rows;

  void Add(const std::string& name, const Outcome& outcome);
};

double Mean(const std::vector<double>& values);
/// The 95 % interval of the mean, by resampling the values.
std::pair<double, double> Interval(const std::vector<double>& values);
/// One figure of each world.
std::vector<double> Column(const std::vector<Outcome>& outcomes,
                           const std::function<double(const Outcome&)>& of);
/// The events of all worlds together.
EventFigures Pooled(const std::vector<Outcome>& outcomes, EventFigures Outcome::*of = &Outcome::events);

/// Prints two Markdown tables, of identity and of events and the partition, and returns the figures.
nlohmann::json Print(const OutcomeTable& table);

}  // namespace heliograph::evaluation
