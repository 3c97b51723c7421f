#include "server/routes/entity_visibility.h"

#include <nlohmann/json.hpp>

#include "server/routes/node_selection.h"

namespace heliograph::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRepresentative = "representative";

bool IsHidden(const Json& value, const Visibility& visibility, const MeshView& view) {
  if (!value.is_object()) return false;
  const auto key = value.find("public_key");
  return key != value.end() && key->is_string() &&
         !ShowsEntity(visibility, view, "node", key->get_ref<const std::string&>());
}

void RemoveHidden(Json& value, const Visibility& visibility, const MeshView& view) {
  if (value.is_array()) {
    for (auto entry = value.begin(); entry != value.end();)
      entry = IsHidden(*entry, visibility, view) ? value.erase(entry) : std::next(entry);
  }
  if (!value.is_structured()) return;
  for (Json& entry : value) RemoveHidden(entry, visibility, view);
  const auto representative = value.is_object() ? value.find(kRepresentative) : value.end();
  if (representative != value.end() && representative->is_string() &&
      !ShowsEntity(visibility, view, "node", representative->get_ref<const std::string&>()))
    *representative = nullptr;
}

}  // namespace

bool ShowsEntity(const Visibility& visibility, const MeshView& view, std::string_view kind,
                 std::string_view id) {
  if (kind != "node") return true;
  const auto key = PublicKey::FromHex(id);
  return !key || IsShown(*key, view, visibility);
}

std::string ShownState(const Visibility& visibility, const MeshView& view, const std::string& json) {
  if (json.find("public_key") == std::string::npos && json.find(kRepresentative) == std::string::npos)
    return json;
  Json value = Json::parse(json, nullptr, false);
  if (value.is_discarded()) return "null";
  RemoveHidden(value, visibility, view);
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace heliograph::server
