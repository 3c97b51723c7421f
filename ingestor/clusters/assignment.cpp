#include "ingestor/clusters/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace heliograph::ingestor {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Disjoint sets of the positions of tracks and clusters.
class Components {
 public:
  explicit Components(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0); }

  std::size_t Root(std::size_t item) {
    while (parent_[item] != item) item = parent_[item] = parent_[parent_[item]];
    return item;
  }
  void Join(std::size_t a, std::size_t b) {
    a = Root(a);
    b = Root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

/// The distinct values of a projection of the chosen candidates, ascending.
template <class Projection>
std::vector<std::size_t> Distinct(const std::vector<std::size_t>& chosen, Projection projection) {
  std::vector<std::size_t> values;
  for (const std::size_t index : chosen) values.push_back(projection(index));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::size_t PositionOf(const std::vector<std::size_t>& sorted, std::size_t value) {
  return static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin());
}

/// A square matrix of costs; what has no candidate costs nothing, and means that the two stay apart.
class CostMatrix {
 public:
  explicit CostMatrix(std::size_t size) : size_(size), costs_(size * size) {}
  PairWorth& At(std::size_t row, std::size_t column) { return costs_[row * size_ + column]; }
  const PairWorth& At(std::size_t row, std::size_t column) const { return costs_[row * size_ + column]; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::vector<PairWorth> costs_;
};

/// The row that each column is given in the assignment of the least cost.
std::vector<std::size_t> LeastCost(const CostMatrix& cost) {
  const std::size_t n = cost.size();
  constexpr PairWorth kFar{std::numeric_limits<std::int64_t>::max() / 4, 0, 0};
  // Potentials and matches count from 1; 0 is the column that stands for the row about to be placed.
  std::vector<PairWorth> row_potential(n + 1), column_potential(n + 1);
  std::vector<std::size_t> row_of(n + 1, 0), way(n + 1, 0);
  for (std::size_t row = 1; row <= n; ++row) {
    row_of[0] = row;
    std::size_t column = 0;
    std::vector<PairWorth> slack(n + 1, kFar);
    std::vector<bool> visited(n + 1, false);
    do {
      visited[column] = true;
      const std::size_t current = row_of[column];
      PairWorth least = kFar;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (visited[j]) continue;
        const PairWorth reduced = cost.At(current - 1, j - 1) - row_potential[current] - column_potential[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          way[j] = column;
        }
        if (slack[j] < least) {
          least = slack[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (visited[j]) {
          row_potential[row_of[j]] += least;
          column_potential[j] = column_potential[j] - least;
        } else {
          slack[j] = slack[j] - least;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[way[column]];
      column = way[column];
    }
  }
  std::vector<std::size_t> rows(n);
  for (std::size_t j = 1; j <= n; ++j) rows[j - 1] = row_of[j] - 1;
  return rows;
}

void SolveExactly(const std::vector<CandidatePair>& candidates, const std::vector<std::size_t>& component,
                  const std::vector<std::size_t>& tracks, const std::vector<std::size_t>& clusters,
                  std::vector<std::size_t>& chosen) {
  const std::size_t size = std::max(tracks.size(), clusters.size());
  CostMatrix cost(size);
  std::vector<std::size_t> candidate_at(size * size, kNone);
  for (const std::size_t index : component) {
    const std::size_t row = PositionOf(tracks, candidates[index].track);
    const std::size_t column = PositionOf(clusters, candidates[index].cluster);
    cost.At(row, column) = PairWorth{} - candidates[index].worth;
    candidate_at[row * size + column] = index;
  }
  const auto rows = LeastCost(cost);
  for (std::size_t column = 0; column < size; ++column) {
    const std::size_t index = candidate_at[rows[column] * size + column];
    if (index != kNone) chosen.push_back(index);
  }
}

void SolveGreedily(const std::vector<CandidatePair>& candidates, std::vector<std::size_t> component,
                   const std::vector<std::size_t>& tracks, const std::vector<std::size_t>& clusters,
                   std::vector<std::size_t>& chosen) {
  std::sort(component.begin(), component.end(), [&](std::size_t a, std::size_t b) {
    if (candidates[a].worth != candidates[b].worth) return candidates[a].worth > candidates[b].worth;
    return std::pair(candidates[a].track, candidates[a].cluster) <
           std::pair(candidates[b].track, candidates[b].cluster);
  });
  std::vector<bool> track_taken(tracks.size()), cluster_taken(clusters.size());
  for (const std::size_t index : component) {
    const std::size_t row = PositionOf(tracks, candidates[index].track);
    const std::size_t column = PositionOf(clusters, candidates[index].cluster);
    if (track_taken[row] || cluster_taken[column]) continue;
    track_taken[row] = cluster_taken[column] = true;
    chosen.push_back(index);
  }
}

}  // namespace

PairWorth& PairWorth::operator+=(const PairWorth& other) {
  score += other.score;
  shared += other.shared;
  seniority += other.seniority;
  return *this;
}

std::vector<std::size_t> BestAssignment(const std::vector<CandidatePair>& candidates, std::size_t tracks,
                                        std::size_t clusters, std::size_t largest_exact) {
  Components components(tracks + clusters);
  for (const CandidatePair& pair : candidates) components.Join(pair.track, tracks + pair.cluster);
  std::vector<std::pair<std::size_t, std::size_t>> by_component;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    by_component.emplace_back(components.Root(candidates[i].track), i);
  std::sort(by_component.begin(), by_component.end());

  std::vector<std::size_t> chosen;
  for (std::size_t first = 0; first < by_component.size();) {
    std::vector<std::size_t> component;
    const std::size_t root = by_component[first].first;
    for (; first < by_component.size() && by_component[first].first == root; ++first)
      component.push_back(by_component[first].second);
    if (component.size() == 1) {
      chosen.push_back(component.front());
      continue;
    }
    const auto rows = Distinct(component, [&](std::size_t i) { return candidates[i].track; });
    const auto columns = Distinct(component, [&](std::size_t i) { return candidates[i].cluster; });
    if (std::max(rows.size(), columns.size()) <= largest_exact) {
      SolveExactly(candidates, component, rows, columns, chosen);
    } else {
      SolveGreedily(candidates, component, rows, columns, chosen);
    }
  }
  std::sort(chosen.begin(), chosen.end(),
            [&](std::size_t a, std::size_t b) { return candidates[a].track < candidates[b].track; });
  return chosen;
}

}  // namespace heliograph::ingestor
