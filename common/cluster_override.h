#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/ulid.h"

namespace heliograph {

/// What a person may do to a cluster. All of it binds later runs.
enum class OverrideAction : std::uint8_t {
  kRename,   ///< another title, which no run changes
  kExclude,  ///< members that do not belong to it
  kInclude,  ///< members that belong to it
  kMerge,    ///< another cluster is part of it
  kSplit,    ///< some of its members are a cluster of their own
  kClose,    ///< it needs no more attention, and stays closed whatever it gains
  kReopen,
  kUndo,  ///< takes one of the others back
};
/// "rename", "exclude", …
std::string_view Name(OverrideAction action);
std::optional<OverrideAction> ParseOverrideAction(std::string_view name);

inline constexpr std::size_t kMaxOverrideMembers = 10'000;
inline constexpr std::size_t kMaxClusterTitle = 200;     ///< bytes of UTF-8
inline constexpr std::size_t kMaxOverrideReason = 2000;  ///< bytes of UTF-8

/// The payload of an `override`. Who did it, when, and on which state it is based is in the file's header.
struct ClusterOverride {
  OverrideAction action{};
  std::string cluster;               ///< id, slug or alias; empty exactly for kUndo
  std::string other;                 ///< of kMerge: the cluster that goes into `cluster`
  std::vector<std::string> members;  ///< keys, each once; of kExclude, kInclude and kSplit at least one
  std::string title;                 ///< of kRename, and of kSplit if it is to have one
  std::optional<Ulid> undoes;        ///< of kUndo: the request that is taken back
  std::string reason;                ///< for whoever reads the history; may be empty

  bool operator==(const ClusterOverride&) const = default;
};

/// JSON with just the members that the action has.
std::string EncodeClusterOverride(const ClusterOverride& request);

/// The request, or what is wrong with the text, in words for a person. Refuses members that the action does
/// not have.
tl::expected<ClusterOverride, std::string> DecodeClusterOverride(std::string_view json);

}  // namespace heliograph
