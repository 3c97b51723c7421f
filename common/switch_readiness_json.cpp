#include "common/switch_readiness_json.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/json_reader.h"

namespace heliograph {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestRegion = 16;

Json Encode(const std::optional<ShareEstimate>& estimate) {
  if (!estimate) return nullptr;
  return {{"share", estimate->share}, {"low", estimate->low}, {"high", estimate->high}};
}

Json Encode(const SwitchForecast& forecast) {
  Json blockers = Json::array();
  for (const SwitchBlocker& blocker : forecast.blockers)
    blockers.push_back({{"public_key", blocker.public_key.ToHex()}, {"gain", blocker.gain}});
  return {{"observer_share", Encode(forecast.observer_share)},
          {"node_share", Encode(forecast.node_share)},
          {"blockers", blockers}};
}

Json EncodeFigures(const ReadinessScope& scope) {
  const RelayedTraffic& traffic = scope.traffic;
  const ReadinessKnowledge& knowledge = scope.knowledge;
  return {{"traffic",
           {{"confirmed", traffic.confirmed},
            {"suspected", traffic.suspected},
            {"likely_legacy", traffic.likely_legacy},
            {"unknown", traffic.unknown}}},
          {"knowledge",
           {{"observers", knowledge.observers},
            {"multibyte_floods", knowledge.multibyte_floods},
            {"nodes", knowledge.nodes},
            {"nodes_with_evidence", knowledge.nodes_with_evidence},
            {"traffic_with_evidence", knowledge.traffic_with_evidence}}},
          {"two_bytes", Encode(scope.two_bytes)},
          {"three_bytes", Encode(scope.three_bytes)}};
}

std::optional<ShareEstimate> DecodeShare(const JsonReader& forecast, const char* name) {
  if (forecast.IsNull(name)) return std::nullopt;
  const JsonReader reader(forecast.Member(name));
  const ShareEstimate estimate{reader.Fraction("share"), reader.Fraction("low"), reader.Fraction("high")};
  if (estimate.low > estimate.share || estimate.share > estimate.high)
    throw JsonFault{std::string(name) + " lies outside its interval"};
  return estimate;
}

SwitchForecast DecodeForecast(const Json& json) {
  const JsonReader reader(json);
  SwitchForecast forecast;
  forecast.observer_share = DecodeShare(reader, "observer_share");
  forecast.node_share = DecodeShare(reader, "node_share");
  const Json& blockers = reader.Array("blockers");
  if (blockers.size() > kMaxSwitchBlockers)
    throw JsonFault{"blockers has more than " + std::to_string(kMaxSwitchBlockers) + " entries"};
  for (const Json& entry : blockers) {
    const JsonReader blocker(entry);
    const auto key = PublicKey::FromHex(blocker.Text("public_key"));
    if (!key) throw JsonFault{"a blocker's public_key is no public key of 64 hexadecimal digits"};
    forecast.blockers.push_back({*key, blocker.Fraction("gain")});
  }
  return forecast;
}

ReadinessScope DecodeFigures(const Json& json) {
  constexpr std::int64_t kMostCount = std::numeric_limits<std::int64_t>::max();
  const JsonReader reader(json);
  const JsonReader traffic(reader.Member("traffic")), knowledge(reader.Member("knowledge"));
  ReadinessScope scope;
  scope.traffic = {traffic.Fraction("confirmed"), traffic.Fraction("suspected"),
                   traffic.Fraction("likely_legacy"), traffic.Fraction("unknown")};
  scope.knowledge.observers = knowledge.Integer("observers", 0, kMostCount);
  scope.knowledge.multibyte_floods = knowledge.Integer("multibyte_floods", 0, kMostCount);
  scope.knowledge.nodes = knowledge.Integer("nodes", 0, kMostCount);
  scope.knowledge.nodes_with_evidence = knowledge.Integer("nodes_with_evidence", 0, kMostCount);
  scope.knowledge.traffic_with_evidence = knowledge.Fraction("traffic_with_evidence");
  scope.two_bytes = DecodeForecast(reader.Member("two_bytes"));
  scope.three_bytes = DecodeForecast(reader.Member("three_bytes"));
  return scope;
}

ReadinessScope DecodeScope(const Json& json) {
  const JsonReader reader(json);
  ReadinessScope scope = DecodeFigures(reader.Member("figures"));
  if (reader.IsNull("region")) return scope;
  scope.region = reader.Text("region");
  if (scope.region.empty() || scope.region.size() > kLongestRegion)
    throw JsonFault{"region is no text of 1 to " + std::to_string(kLongestRegion) + " bytes"};
  return scope;
}

}  // namespace

std::string EncodeReadinessFigures(const ReadinessScope& scope) {
  return EncodeFigures(scope).dump();
}

tl::expected<ReadinessScope, std::string> DecodeReadinessFigures(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the figures are no JSON"));
  try {
    return DecodeFigures(json);
  } catch (const JsonFault& fault) {
    return tl::unexpected(fault.text);
  }
}

std::string EncodeReadiness(const SwitchReadiness& readiness) {
  Json scopes = Json::array();
  for (const ReadinessScope& scope : readiness.scopes) {
    const Json region = scope.region.empty() ? Json(nullptr) : Json(scope.region);
    scopes.push_back({{"region", region}, {"figures", EncodeFigures(scope)}});
  }
  return scopes.dump();
}

tl::expected<SwitchReadiness, std::string> DecodeReadiness(const Json& json) {
  if (!json.is_array()) return tl::unexpected(std::string("it is no list"));
  if (json.size() > kMaxReadinessRegions + 1)
    return tl::unexpected("it has more than " + std::to_string(kMaxReadinessRegions) + " regions");
  SwitchReadiness readiness;
  for (const Json& entry : json) {
    try {
      readiness.scopes.push_back(DecodeScope(entry));
    } catch (const JsonFault& fault) {
      return tl::unexpected("entry " + std::to_string(readiness.scopes.size()) + ": " + fault.text);
    }
  }
  const auto by_region = [](const ReadinessScope& a, const ReadinessScope& b) { return a.region < b.region; };
  std::sort(readiness.scopes.begin(), readiness.scopes.end(), by_region);
  const auto twice = std::adjacent_find(readiness.scopes.begin(), readiness.scopes.end(),
                                        [](const auto& a, const auto& b) { return a.region == b.region; });
  if (twice != readiness.scopes.end())
    return tl::unexpected("the region '" + twice->region + "' appears twice");
  if (readiness.Find("") == nullptr) return tl::unexpected(std::string("the whole mesh is missing"));
  return readiness;
}

}  // namespace heliograph
