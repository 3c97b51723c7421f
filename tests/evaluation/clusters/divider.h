#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "server/analytics/clusters/partition.h"
#include "tests/evaluation/clusters/planted_dynamics.h"

namespace heliograph::evaluation {

/// A graph with the truth about it. Items are the numbers that the truth knows its vertices by.
struct Moment {
  server::ItemGraph graph;
  std::vector<int> items;       ///< by vertex
  std::map<int, int> group_of;  ///< of the items that belong to a group
};

Moment MomentOf(const PlantedRun& run);

/// Clusters of items, and those that are in none.
struct Groups {
  std::vector<std::vector<int>> clusters;
  std::vector<int> unclustered;
};

/// By vertex: the number of its cluster; every unclustered item is a group of its own.
server::Grouping LabelsOf(const Moment& moment, const Groups& groups);
/// By vertex: the number of its true group; every item without one is a group of its own.
server::Grouping TruthOf(const Moment& moment);

/// Something that divides the moments of a world, in their order.
class Divider {
 public:
  Divider() = default;
  Divider(const Divider&) = delete;
  Divider& operator=(const Divider&) = delete;
  virtual ~Divider() = default;
  virtual Groups Divide(const Moment& moment) = 0;
};

/// By the partition of the cluster engine.
class EngineDivider : public Divider {
 public:
  /// `warm`: each begins from the groups of the one before.
  EngineDivider(server::PartitionParameters parameters, bool warm) : parameters_(parameters), warm_(warm) {}
  Groups Divide(const Moment& moment) override;

 private:
  server::PartitionParameters parameters_;
  bool warm_;
  server::FormerGroups former_;
};

/// The truth, with some of the items in wrong groups.
class OracleDivider : public Divider {
 public:
  OracleDivider(double noise, std::uint64_t seed) : noise_(noise), random_(seed) {}
  Groups Divide(const Moment& moment) override;

 private:
  double noise_;
  std::mt19937_64 random_;
};

/// What hangs together at all: the union-find of the earlier systems. With a bound, the edges are taken the
/// strongest first, and none that would make a group larger than it.
class ComponentDivider : public Divider {
 public:
  explicit ComponentDivider(std::size_t bound = SIZE_MAX) : bound_(bound) {}
  Groups Divide(const Moment& moment) override;

 private:
  std::size_t bound_;
};

}  // namespace heliograph::evaluation
