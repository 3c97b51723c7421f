#include "tests/evaluation/clusters/static_graphs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace heliograph::evaluation {
namespace {

constexpr int kItems = 1000;
constexpr int kLeastDegree = 5, kMostDegree = 50;
constexpr double kDegreeExponent = 2.5;
constexpr int kSmallestGroup = 15, kLargestGroup = 80;
constexpr double kSizeExponent = 1.5;
constexpr int kBlockSize = 40;
constexpr double kMeanDegree = 10;

using Edges = std::set<std::pair<int, int>>;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  double Unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  std::size_t Below(std::size_t size) { return random_() % size; }
  /// Of a density that falls with this power.
  double PowerLaw(double least, double most, double exponent) {
    const double power = 1 - exponent;
    const double low = std::pow(least, power), high = std::pow(most, power);
    return std::pow(low + Unit() * (high - low), 1 / power);
  }
  template <typename T>
  void Shuffle(std::vector<T>& values) {
    std::shuffle(values.begin(), values.end(), random_);
  }

 private:
  std::mt19937_64 random_;
};

void AddEdge(Edges& edges, int a, int b) {
  if (a != b) edges.insert(std::minmax(a, b));
}

/// Joins the ends of edges at random; pairs that `may` forbids stay without.
template <typename May>
void Pair(std::vector<int> ends, Edges& edges, Draw& draw, const May& may) {
  draw.Shuffle(ends);
  for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
    // A few tries to find another end for one that does not fit.
    for (int tries = 0; tries < 20 && i + 2 < ends.size() && !may(ends[i], ends[i + 1]); ++tries)
      std::swap(ends[i + 1], ends[i + 2 + draw.Below(ends.size() - i - 2)]);
    if (may(ends[i], ends[i + 1])) AddEdge(edges, ends[i], ends[i + 1]);
  }
}

Edges DrawLfr(double mixing, Draw& draw, std::map<int, int>& group_of) {
  std::vector<std::vector<int>> groups;
  for (int item = 0; item < kItems;) {
    const auto size = static_cast<int>(draw.PowerLaw(kSmallestGroup, kLargestGroup, kSizeExponent));
    auto& group = groups.emplace_back();
    for (const int end = std::min(kItems, item + size); item < end; ++item) {
      group.push_back(item);
      group_of[item] = static_cast<int>(groups.size()) - 1;
    }
  }
  Edges edges;
  std::vector<int> outer;
  for (const auto& group : groups) {
    std::vector<int> inner;
    for (const int item : group) {
      const double degree = draw.PowerLaw(kLeastDegree, kMostDegree, kDegreeExponent);
      const double inside = std::min(degree * (1 - mixing), static_cast<double>(group.size()) - 1);
      // A fraction of an edge is one with that probability.
      inner.insert(inner.end(), static_cast<std::size_t>(inside + draw.Unit()), item);
      outer.insert(outer.end(), static_cast<std::size_t>(degree * mixing + draw.Unit()), item);
    }
    Pair(std::move(inner), edges, draw,
         [&](int a, int b) { return a != b && !edges.contains(std::minmax(a, b)); });
  }
  Pair(std::move(outer), edges, draw, [&](int a, int b) { return group_of.at(a) != group_of.at(b); });
  return edges;
}

Edges DrawBlocks(double mixing, Draw& draw, std::map<int, int>& group_of) {
  std::vector<double> attraction(kItems), of_group(kItems / kBlockSize);
  double all = 0;
  for (int item = 0; item < kItems; ++item) {
    group_of[item] = item / kBlockSize;
    attraction[static_cast<std::size_t>(item)] = draw.PowerLaw(kLeastDegree, kMostDegree, kDegreeExponent);
    of_group[static_cast<std::size_t>(item / kBlockSize)] += attraction[static_cast<std::size_t>(item)];
    all += attraction[static_cast<std::size_t>(item)];
  }
  // The expected degree of an item is in proportion to its attraction.
  const double degree_of_one = kMeanDegree * kItems / all;
  Edges edges;
  for (int a = 0; a < kItems; ++a) {
    for (int b = a + 1; b < kItems; ++b) {
      const double of_group_a = of_group[static_cast<std::size_t>(group_of[a])];
      const bool inside = group_of[a] == group_of[b];
      const double share = inside ? (1 - mixing) / of_group_a : mixing / (all - of_group_a);
      const double expected = degree_of_one * attraction[static_cast<std::size_t>(a)] *
                              attraction[static_cast<std::size_t>(b)] * share;
      if (draw.Unit() < expected) AddEdge(edges, a, b);
    }
  }
  return edges;
}

}  // namespace

const char* NameOf(StaticModel model) {
  switch (model) {
    case StaticModel::kLfr:
      return "LFR";
    case StaticModel::kBlock:
      return "block model";
  }
  return "";
}

Moment DrawStaticGraph(StaticModel model, double mixing, std::uint64_t seed) {
  Draw draw(seed);
  PlantedRun run;
  const Edges edges = model == StaticModel::kLfr ? DrawLfr(mixing, draw, run.group_of)
                                                 : DrawBlocks(mixing, draw, run.group_of);
  run.edges.assign(edges.begin(), edges.end());
  for (int item = 0; item < kItems; ++item) run.items.push_back(item);
  return MomentOf(run);
}

}  // namespace heliograph::evaluation
