#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heliograph::ingestor {

/// What pairing a track with a cluster is worth: first the score, then the number of shared members, then the
/// age of the track and the key of the cluster. Compared and added member by member.
struct PairWorth {
  std::int64_t score = 0;  ///< in billionths
  std::int64_t shared = 0;
  std::int64_t seniority =
      0;  ///< the sum of the ranks, negated: the oldest track and the smallest key come first

  auto operator<=>(const PairWorth&) const = default;
  PairWorth& operator+=(const PairWorth& other);
  friend PairWorth operator+(PairWorth a, const PairWorth& b) { return a += b; }
  friend PairWorth operator-(const PairWorth& a, const PairWorth& b) {
    return {a.score - b.score, a.shared - b.shared, a.seniority - b.seniority};
  }
};

/// A track and a cluster that may belong together, as positions in lists of the caller's.
struct CandidatePair {
  std::size_t track = 0;
  std::size_t cluster = 0;
  PairWorth worth;
};

/// Components with more tracks or clusters than this are paired greedily, best pair first: an exact solution
/// takes time that grows with the cube.
inline constexpr std::size_t kLargestExactComponent = 200;

/// The one-to-one choice among `candidates` whose worth in total is the greatest (Kuhn 1955, by shortest
/// augmenting paths as Jonker and Volgenant 1987), as positions in `candidates`, ascending by track. Each
/// connected component is solved by itself. The result depends on the positions and worths, not on the order
/// of the candidates. REQUIRED: no pair appears twice, every score is positive.
std::vector<std::size_t> BestAssignment(const std::vector<CandidatePair>& candidates, std::size_t tracks,
                                        std::size_t clusters,
                                        std::size_t largest_exact = kLargestExactComponent);

}  // namespace heliograph::ingestor
