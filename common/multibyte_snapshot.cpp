#include "common/multibyte_snapshot.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "common/json_reader.h"
#include "common/switch_readiness_json.h"

namespace heliograph {
namespace {

using Json = nlohmann::json;

Json EncodeEntry(const CapabilityEntry& entry) {
  Json json{{"public_key", entry.public_key.ToHex()},
            {"status", Name(entry.status)},
            {"evidence", nullptr},
            {"max_hash_size", nullptr},
            {"adopted", entry.adopted},
            {"likely_legacy", entry.likely_legacy},
            {"probability", nullptr},
            {"advert_proofs", entry.advert_proofs},
            {"relay_proofs", entry.relay_proofs},
            {"path_hints", entry.path_hints},
            {"last_proof_at", nullptr}};
  if (entry.evidence) json["evidence"] = Name(*entry.evidence);
  if (entry.max_hash_size) json["max_hash_size"] = *entry.max_hash_size;
  if (entry.probability) json["probability"] = *entry.probability;
  if (entry.last_proof_at) json["last_proof_at"] = entry.last_proof_at->time_since_epoch().count();
  return json;
}

void ReadStatus(const JsonReader& reader, CapabilityEntry& entry) {
  const auto status = ParseCapabilityStatus(reader.Text("status"));
  if (!status) throw JsonFault{"status '" + reader.Text("status") + "' is not known"};
  entry.status = *status;
  if (!reader.IsNull("evidence")) {
    entry.evidence = ParseCapabilityEvidence(reader.Text("evidence"));
    if (!entry.evidence) throw JsonFault{"evidence '" + reader.Text("evidence") + "' is not known"};
  }
  const CapabilityStatus allowed = !entry.evidence ? CapabilityStatus::kUnknown
                                   : entry.evidence == CapabilityEvidence::kPath
                                       ? CapabilityStatus::kSuspected
                                       : CapabilityStatus::kConfirmed;
  if (allowed != entry.status) {
    throw JsonFault{"status " + std::string(Name(entry.status)) + " cannot rest on " +
                    (entry.evidence ? "evidence " + std::string(Name(*entry.evidence)) : "no evidence")};
  }
}

CapabilityEntry DecodeEntry(const Json& json) {
  constexpr std::int64_t kMostCount = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMostMillis = 253'402'300'799'999;  // the end of the year 9999
  const JsonReader reader(json);
  CapabilityEntry entry;
  const auto key = PublicKey::FromHex(reader.Text("public_key"));
  if (!key) throw JsonFault{"public_key is no public key of 64 hexadecimal digits"};
  entry.public_key = *key;
  ReadStatus(reader, entry);
  if (!reader.IsNull("max_hash_size"))
    entry.max_hash_size = static_cast<std::uint8_t>(reader.Integer("max_hash_size", 1, 3));
  entry.adopted = reader.Flag("adopted");
  entry.likely_legacy = reader.Flag("likely_legacy");
  if (!reader.IsNull("probability")) entry.probability = reader.Fraction("probability");
  entry.advert_proofs = static_cast<std::uint64_t>(reader.Integer("advert_proofs", 0, kMostCount));
  entry.relay_proofs = static_cast<std::uint64_t>(reader.Integer("relay_proofs", 0, kMostCount));
  entry.path_hints = static_cast<std::uint64_t>(reader.Integer("path_hints", 0, kMostCount));
  if (!reader.IsNull("last_proof_at")) {
    const std::int64_t millis = reader.Integer("last_proof_at", 0, kMostMillis);
    entry.last_proof_at = UtcMillis(std::chrono::milliseconds(millis));
  }
  return entry;
}

}  // namespace

std::string EncodeMultibyteSnapshot(const MultibyteSnapshot& snapshot) {
  // Entry by entry, so that the tree of only one is in memory.
  std::string text = R"({"nodes":[)";
  for (const CapabilityEntry& entry : snapshot.entries) {
    if (&entry != &snapshot.entries.front()) text += ',';
    text += EncodeEntry(entry).dump();
  }
  text += ']';
  if (snapshot.readiness) text += R"(,"readiness":)" + EncodeReadiness(*snapshot.readiness);
  return text + '}';
}

tl::expected<MultibyteSnapshot, std::string> DecodeMultibyteSnapshot(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the snapshot is no JSON"));
  const auto nodes = json.is_object() ? json.find("nodes") : json.end();
  if (!json.is_object() || nodes == json.end() || !nodes->is_array())
    return tl::unexpected(std::string("the snapshot has no list `nodes`"));
  MultibyteSnapshot snapshot;
  snapshot.entries.reserve(nodes->size());
  for (const Json& node : *nodes) {
    try {
      snapshot.entries.push_back(DecodeEntry(node));
    } catch (const JsonFault& fault) {
      return tl::unexpected("entry " + std::to_string(snapshot.entries.size()) + ": " + fault.text);
    }
  }
  const auto by_key = [](const CapabilityEntry& a, const CapabilityEntry& b) {
    return a.public_key < b.public_key;
  };
  std::sort(snapshot.entries.begin(), snapshot.entries.end(), by_key);
  const auto twice =
      std::adjacent_find(snapshot.entries.begin(), snapshot.entries.end(),
                         [](const auto& a, const auto& b) { return a.public_key == b.public_key; });
  if (twice != snapshot.entries.end())
    return tl::unexpected("the key " + twice->public_key.ToHex() + " appears twice");
  if (const auto readiness = json.find("readiness"); readiness != json.end()) {
    auto decoded = DecodeReadiness(*readiness);
    if (!decoded) return tl::unexpected("readiness: " + decoded.error());
    snapshot.readiness = std::move(*decoded);
  }
  return snapshot;
}

}  // namespace heliograph
