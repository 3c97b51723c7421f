#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ingestor/clusters/matcher.h"

namespace heliograph::ingestor {

/// Where each member of a run is, for many questions.
class MemberTable {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFFFFFF;
  static constexpr std::uint32_t kUnclustered = 0xFFFFFFFE;

  explicit MemberTable(const ProposedRun& run);

  /// The index of the member's cluster, kUnclustered, or kAbsent.
  std::uint32_t Find(MemberKey member) const;

 private:
  void Insert(MemberKey member, std::uint32_t place);
  std::size_t Slot(MemberKey member) const;

  std::vector<std::pair<MemberKey, std::uint32_t>> slots_;  // kAbsent: empty
  std::size_t mask_ = 0;
};

/// How a set of members lies in the clusters of a run.
struct Overlap {
  std::size_t present = 0;                                    ///< of its members, at all
  std::vector<std::pair<std::size_t, std::size_t>> clusters;  ///< index and number of members, by index
};

/// Finds overlaps; keeps its scratch space between calls.
class OverlapCounter {
 public:
  OverlapCounter(const MemberTable& table, std::size_t clusters) : table_(table), counts_(clusters) {}
  Overlap Of(const MemberSet& members);

 private:
  const MemberTable& table_;
  std::vector<std::size_t> counts_;
};

}  // namespace heliograph::ingestor
