#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heliograph::server {

/// One kind of entry that the feed has.
struct ChangeKind {
  std::string_view name;
  std::string_view entity_kind;
  std::string_view id;       ///< what the entity's id is
  std::string_view members;  ///< of `data`, joined by ", "; empty for an object without any
};

/// All kinds that triggers of the schema write.
std::span<const ChangeKind> ChangeKinds();

/// The names of all kinds, and those of all kinds of entities, for a person.
std::string ListChangeKinds();
std::string ListChangedEntityKinds();
/// What each kind tells, for a person.
std::string DescribeChangeKinds();

}  // namespace heliograph::server
