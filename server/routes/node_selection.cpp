#include "server/routes/node_selection.h"

#include <algorithm>

namespace heliograph::server {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool Passes(const NodeView& node, const NodeFilter& filter) {
  if (filter.role && node.role != *filter.role) return false;
  if (!filter.search.empty() && !(node.name && ContainsIgnoringCase(*node.name, filter.search))) return false;
  if (filter.before && node.first_seen > *filter.before) return false;
  if (filter.heard_since && node.last_seen < *filter.heard_since) return false;
  return IsInRegion(node, filter.region);
}

int CompareNames(const NodeView& a, const NodeView& b) {
  if (!a.name || !b.name) return static_cast<int>(b.name.has_value()) - static_cast<int>(a.name.has_value());
  return a.name->compare(*b.name);
}

bool ComesBefore(const NodeView& a, const NodeView& b, NodeOrder order) {
  switch (order) {
    case NodeOrder::kLastSeen:
      if (a.last_seen != b.last_seen) return a.last_seen > b.last_seen;
      break;
    case NodeOrder::kName:
      if (const int difference = CompareNames(a, b); difference != 0) return difference < 0;
      break;
    case NodeOrder::kPacketCount:
      if (a.advert_count != b.advert_count) return a.advert_count > b.advert_count;
      break;
  }
  return a.public_key < b.public_key;
}

}  // namespace

NodeList SelectNodes(const MeshView& view, const Visibility& visibility, const NodeFilter& filter) {
  NodeList selected;
  for (const auto& node : view.nodes) {
    if (node->active && Passes(*node, filter) && visibility.Shows(*node)) {
      selected.push_back(node.get());
    }
  }
  return selected;
}

void SortFront(NodeList& nodes, NodeOrder order, std::size_t count) {
  const auto middle = nodes.begin() + static_cast<std::ptrdiff_t>(std::min(count, nodes.size()));
  std::partial_sort(nodes.begin(), middle, nodes.end(),
                    [order](const NodeView* a, const NodeView* b) { return ComesBefore(*a, *b, order); });
}

bool IsShown(const PublicKey& key, const MeshView& view, const Visibility& visibility) {
  return visibility.Shows(key, view.FindNode(key));
}

bool IsInRegion(const NodeView& node, const RegionFilter& region) {
  if (region.all()) return true;
  return std::any_of(region.codes.begin(), region.codes.end(), [&](const std::string& code) {
    return std::binary_search(node.regions.begin(), node.regions.end(), code);
  });
}

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return Lower(a) == Lower(b); }) != text.end() ||
         part.empty();
}

NodeList NodesWithPrefix(const MeshView& view, const Visibility& visibility, std::string_view digits,
                         std::size_t limit) {
  std::string first_key(digits);
  first_key.resize(2 * PublicKey::kSize, '0');
  const PublicKey lowest = PublicKey::FromHex(first_key).value();
  auto at = std::lower_bound(view.nodes.begin(), view.nodes.end(), lowest,
                             [](const auto& node, const PublicKey& key) { return node->public_key < key; });
  NodeList found;
  for (; at != view.nodes.end() && found.size() < limit; ++at) {
    if (!(*at)->public_key.ToHex().starts_with(digits)) break;
    if (visibility.Shows(**at)) found.push_back(at->get());
  }
  return found;
}

}  // namespace heliograph::server
