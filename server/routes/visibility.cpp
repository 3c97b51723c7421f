#include "server/routes/visibility.h"

#include <algorithm>

#include "common/text.h"

namespace heliograph::server {
Visibility::Visibility(const Config& config) {
  for (const std::string& text : config.node_blacklist) {
    if (const auto key = PublicKey::FromHex(TrimSpace(text))) hidden_nodes_.insert(*key);
  }
  for (const std::string& prefix : config.hidden_name_prefixes) {
    if (!prefix.empty()) hidden_prefixes_.push_back(prefix);
  }
  for (const std::string& text : config.observer_blacklist) {
    if (const auto key = PublicKey::FromHex(TrimSpace(text))) hidden_observers_.insert(key->ToObserverId());
  }
}

bool Visibility::Shows(const NodeView& node) const {
  if (!ShowsKey(node.public_key)) return false;
  return !node.name ||
         std::none_of(hidden_prefixes_.begin(), hidden_prefixes_.end(),
                      [&](const std::string& prefix) { return node.name->starts_with(prefix); });
}

bool Visibility::ShowsObserver(std::string_view upper_case_id) const {
  return hidden_observers_.empty() || !hidden_observers_.contains(std::string(upper_case_id));
}

const ObserverView* Visibility::ShownObserver(const MeshView& view, std::int64_t key) const {
  const auto found = view.observer_by_key.find(key);
  if (found == view.observer_by_key.end()) return nullptr;
  const ObserverView* observer = view.observers[found->second].get();
  return Shows(*observer) ? observer : nullptr;
}

std::vector<IdentityKey> Visibility::HiddenNodes(const MeshView& view) const {
  std::vector<IdentityKey> hidden;
  if (hidden_nodes_.empty() && hidden_prefixes_.empty()) return hidden;
  for (const auto& node : view.nodes) {
    if (!Shows(*node)) hidden.push_back(node->key);
  }
  return hidden;
}

}  // namespace heliograph::server
