#include "common/cluster_override.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "common/cluster_snapshot.h"
#include "common/json_reader.h"
#include "common/public_key.h"
#include "common/text.h"

namespace heliograph {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 8> kActions{"rename", "exclude", "include", "merge",
                                                   "split",  "close",   "reopen",  "undo"};

bool HasMembers(OverrideAction action) {
  return action == OverrideAction::kExclude || action == OverrideAction::kInclude ||
         action == OverrideAction::kSplit;
}

bool HasTitle(OverrideAction action) {
  return action == OverrideAction::kRename || action == OverrideAction::kSplit;
}

std::string RequiredText(const JsonReader& members, const char* name, std::size_t max_bytes) {
  const std::string text(TrimSpace(members.Text(name, max_bytes)));
  if (text.empty()) throw JsonFault{std::string(name) + " is empty"};
  return text;
}

/// Public keys are the same in any case; what else a key may be is as it is written.
std::string NormalKey(const std::string& key) {
  const auto public_key = PublicKey::FromHex(key);
  return public_key ? public_key->ToHex() : key;
}

std::vector<std::string> DecodeKeys(const Json& list) {
  if (list.empty() || list.size() > kMaxOverrideMembers)
    throw JsonFault{"members is empty, or longer than " + std::to_string(kMaxOverrideMembers)};
  std::vector<std::string> keys;
  for (const Json& key : list) {
    if (!key.is_string() || key.get_ref<const std::string&>().empty() ||
        key.get_ref<const std::string&>().size() > kMaxClusterText)
      throw JsonFault{"a member is no key"};
    keys.push_back(NormalKey(key.get_ref<const std::string&>()));
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) throw JsonFault{"a member appears twice"};
  return keys;
}

ClusterOverride Decode(const Json& json) {
  const JsonReader members(json);
  ClusterOverride request;
  const auto action = ParseOverrideAction(members.Text("action", kMaxClusterText));
  if (!action) throw JsonFault{"action is not known"};
  request.action = *action;
  request.reason = members.Has("reason") ? members.Text("reason", kMaxOverrideReason) : "";
  if (request.action == OverrideAction::kUndo) {
    request.undoes = Ulid::Parse(members.Text("undoes", kMaxClusterText));
    if (!request.undoes) throw JsonFault{"undoes is no id of an override"};
  } else {
    request.cluster = RequiredText(members, "cluster", kMaxClusterText);
  }
  if (request.action == OverrideAction::kMerge)
    request.other = RequiredText(members, "other", kMaxClusterText);
  if (HasMembers(request.action)) request.members = DecodeKeys(members.Array("members"));
  if (request.action == OverrideAction::kRename || (HasTitle(request.action) && members.Has("title")))
    request.title = RequiredText(members, "title", kMaxClusterTitle);
  if (ToPrintable(request.title) != request.title) throw JsonFault{"title is not one printable line"};
  // Each action has members of its own; one of another action is a mistake that must not pass unnoticed.
  members.RefuseAllBut({"action", "reason", request.undoes ? "undoes" : "cluster",
                        request.action == OverrideAction::kMerge ? "other" : "action",
                        HasMembers(request.action) ? "members" : "action",
                        HasTitle(request.action) ? "title" : "action"});
  return request;
}

}  // namespace

std::string_view Name(OverrideAction action) {
  return kActions.at(static_cast<std::size_t>(action));
}

std::optional<OverrideAction> ParseOverrideAction(std::string_view name) {
  const auto found = std::find(kActions.begin(), kActions.end(), name);
  if (found == kActions.end()) return std::nullopt;
  return static_cast<OverrideAction>(found - kActions.begin());
}

std::string EncodeClusterOverride(const ClusterOverride& request) {
  Json json{{"action", Name(request.action)}, {"reason", request.reason}};
  if (request.undoes) {
    json["undoes"] = request.undoes->ToText();
  } else {
    json["cluster"] = request.cluster;
  }
  if (request.action == OverrideAction::kMerge) json["other"] = request.other;
  if (HasMembers(request.action)) json["members"] = request.members;
  if (HasTitle(request.action) && !request.title.empty()) json["title"] = request.title;
  return json.dump();
}

tl::expected<ClusterOverride, std::string> DecodeClusterOverride(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the request is no JSON"));
  try {
    return Decode(json);
  } catch (const JsonFault& fault) {
    return tl::unexpected("the request " + fault.text);
  }
}

}  // namespace heliograph
