#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/config.h"
#include "common/public_key.h"
#include "server/state/mesh_view.h"

namespace heliograph::server {

/// What the operator does not want shown: `nodeBlacklist`, `hiddenNamePrefixes`, `observerBlacklist`. The one
/// place that decides it, for every route. Immutable, thread-safe.
class Visibility {
 public:
  /// Entries that are no key are ignored: the configuration's reader warns about them.
  explicit Visibility(const Config& config);

  bool Shows(const NodeView& node) const;
  bool Shows(const ObserverView& observer) const { return ShowsObserver(observer.id); }
  /// `node` is null for a key that is no node's.
  bool Shows(const PublicKey& key, const NodeView* node) const {
    return node != nullptr ? Shows(*node) : ShowsKey(key);
  }
  /// For a node of which no more than the key is known.
  bool ShowsKey(const PublicKey& key) const { return !hidden_nodes_.contains(key); }
  bool ShowsObserver(std::string_view upper_case_id) const;
  /// The observer with this key of the database; null when the view has none, or it is not shown. Valid as
  /// long as `view`.
  const ObserverView* ShownObserver(const MeshView& view, std::int64_t key) const;

  /// The keys that are never shown, whether a node has them or not.
  const std::unordered_set<PublicKey>& hidden_keys() const { return hidden_nodes_; }

  /// The identity keys of the view's nodes that are not shown; what they sign is not shown either.
  std::vector<IdentityKey> HiddenNodes(const MeshView& view) const;

 private:
  std::unordered_set<PublicKey> hidden_nodes_;
  std::vector<std::string> hidden_prefixes_;
  std::unordered_set<std::string> hidden_observers_;
};

}  // namespace heliograph::server
