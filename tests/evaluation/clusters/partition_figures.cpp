#include "tests/evaluation/clusters/partition_figures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace heliograph::evaluation {
namespace {

using server::Grouping;
/// How many groups have a size, by size.
using Sizes = std::map<std::size_t, std::size_t>;

std::unordered_map<std::uint32_t, std::size_t> CountsOf(const Grouping& labels) {
  std::unordered_map<std::uint32_t, std::size_t> counts;
  for (const std::uint32_t label : labels) ++counts[label];
  return counts;
}

Sizes SizesOf(const std::unordered_map<std::uint32_t, std::size_t>& counts) {
  Sizes sizes;
  for (const auto& [label, count] : counts) ++sizes[count];
  return sizes;
}

double Entropy(const Sizes& sizes, double all) {
  double entropy = 0;
  for (const auto& [size, groups] : sizes) {
    const double share = static_cast<double>(size) / all;
    entropy -= static_cast<double>(groups) * share * std::log(share);
  }
  return entropy;
}

/// The mean mutual information of all pairs of groupings with these sizes.
class ChanceInformation {
 public:
  explicit ChanceInformation(std::size_t items) : items_(items), log_factorials_(items + 1) {
    for (std::size_t i = 2; i <= items; ++i)
      log_factorials_[i] = log_factorials_[i - 1] + std::log(static_cast<double>(i));
  }

  double Of(const Sizes& rows, const Sizes& columns) const {
    double expected = 0;
    for (const auto& [row, row_count] : rows) {
      for (const auto& [column, column_count] : columns)
        expected += static_cast<double>(row_count * column_count) * OfCell(row, column);
    }
    return expected;
  }

 private:
  /// What two groups of these sizes contribute: their overlap is hypergeometric.
  double OfCell(std::size_t row, std::size_t column) const {
    const auto& f = log_factorials_;
    const auto all = static_cast<double>(items_);
    const double fixed = f[row] + f[column] + f[items_ - row] + f[items_ - column] - f[items_];
    double expected = 0;
    const std::size_t least = row + column > items_ ? row + column - items_ : 1;
    for (std::size_t n = std::max<std::size_t>(1, least); n <= std::min(row, column); ++n) {
      const double chance =
          std::exp(fixed - f[n] - f[row - n] - f[column - n] - f[items_ + n - row - column]);
      const double share = static_cast<double>(n) / all;
      expected += chance * share *
                  std::log(share * all / static_cast<double>(row) * all / static_cast<double>(column));
    }
    return expected;
  }

  std::size_t items_;
  std::vector<double> log_factorials_;
};

}  // namespace

double AdjustedMutualInformation(const Grouping& a, const Grouping& b) {
  if (a.empty()) return 1;
  const auto counts_a = CountsOf(a), counts_b = CountsOf(b);
  // A single group against a single one, and all alone against all alone, leave nothing to tell.
  const bool trivial = (counts_a.size() == 1 && counts_b.size() == 1) ||
                       (counts_a.size() == a.size() && counts_b.size() == b.size());
  if (trivial) return 1;
  const auto all = static_cast<double>(a.size());
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> both;
  for (std::size_t i = 0; i < a.size(); ++i) ++both[{a[i], b[i]}];
  double information = 0;
  for (const auto& [pair, count] : both) {
    const auto n = static_cast<double>(count);
    information += n / all *
                   std::log(n * all / static_cast<double>(counts_a.at(pair.first)) /
                            static_cast<double>(counts_b.at(pair.second)));
  }
  const Sizes sizes_a = SizesOf(counts_a), sizes_b = SizesOf(counts_b);
  const double chance = ChanceInformation(a.size()).Of(sizes_a, sizes_b);
  const double most = (Entropy(sizes_a, all) + Entropy(sizes_b, all)) / 2;
  const double room = most - chance;
  return std::abs(room) < 1e-12 ? 0 : (information - chance) / room;
}

PartitionFigures Compare(const Grouping& truth, const Grouping& found) {
  return {server::AdjustedRandIndex(truth, found), AdjustedMutualInformation(truth, found)};
}

}  // namespace heliograph::evaluation
