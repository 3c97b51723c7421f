#include "server/analytics/relay_graph.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace heliograph::server {
namespace {

/// Where the links of each node begin, when they are sorted by `node_of`.
template <typename NodeOf>
std::vector<std::uint32_t> Begins(std::size_t nodes, const std::vector<RelayLink>& links, NodeOf node_of) {
  std::vector<std::uint32_t> begins(nodes + 1, 0);
  for (const RelayLink& link : links) ++begins[node_of(link) + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  return begins;
}

}  // namespace

RelayGraph::RelayGraph(std::size_t nodes, std::vector<RelayLink> links) : links_(std::move(links)) {
  std::erase_if(links_, [](const RelayLink& link) { return link.from == link.to || link.probability <= 0; });
  std::sort(links_.begin(), links_.end(), [](const RelayLink& a, const RelayLink& b) {
    return std::tuple(a.from, a.to, b.probability) < std::tuple(b.from, b.to, a.probability);
  });
  const auto same = [](const RelayLink& a, const RelayLink& b) { return a.from == b.from && a.to == b.to; };
  links_.erase(std::unique(links_.begin(), links_.end(), same), links_.end());

  out_begin_ = Begins(nodes, links_, [](const RelayLink& link) { return link.from; });
  in_begin_ = Begins(nodes, links_, [](const RelayLink& link) { return link.to; });
  into_.resize(links_.size());
  std::vector<std::uint32_t> next(in_begin_.begin(), in_begin_.end());
  for (std::uint32_t i = 0; i < links_.size(); ++i) into_[next[links_[i].to]++] = i;
}

}  // namespace heliograph::server
