#include "common/multibyte_snapshot.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

namespace heliograph {
namespace {

using Json = nlohmann::json;

/// What is wrong with one entry; caught at the boundary, where it becomes the returned text.
struct Fault {
  std::string text;
};

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

/// Reads the members of one entry, each at most once, and knows which one it is at for the messages.
class EntryReader {
 public:
  explicit EntryReader(const Json& json) : json_(json) {
    if (!json.is_object()) throw Fault{"is no object"};
  }

  const std::string& Text(const char* name) const {
    const Json& value = Member(name);
    if (!value.is_string()) throw Fault{std::string(name) + " is no text"};
    return value.get_ref<const std::string&>();
  }
  bool Flag(const char* name) const {
    const Json& value = Member(name);
    if (!value.is_boolean()) throw Fault{std::string(name) + " is neither true nor false"};
    return value.get<bool>();
  }
  std::int64_t Integer(const char* name, std::int64_t least, std::int64_t most) const {
    const Json& value = Member(name);
    const bool fits =
        value.is_number_integer() &&
        (!value.is_number_unsigned() ||
         value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!fits || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most)
      throw Fault{std::string(name) + " is no integer between " + std::to_string(least) + " and " +
                  std::to_string(most)};
    return value.get<std::int64_t>();
  }
  double Fraction(const char* name) const {
    const Json& value = Member(name);
    if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1))
      throw Fault{std::string(name) + " is no number between 0 and 1"};
    return value.get<double>();
  }
  bool IsNull(const char* name) const { return Member(name).is_null(); }

 private:
  const Json& Member(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) throw Fault{std::string(name) + " is missing"};
    return *found;
  }

  const Json& json_;
};

void ReadStatus(const EntryReader& reader, CapabilityEntry& entry) {
  const auto status = ParseCapabilityStatus(reader.Text("status"));
  if (!status) throw Fault{"status '" + reader.Text("status") + "' is not known"};
  entry.status = *status;
  if (!reader.IsNull("evidence")) {
    entry.evidence = ParseCapabilityEvidence(reader.Text("evidence"));
    if (!entry.evidence) throw Fault{"evidence '" + reader.Text("evidence") + "' is not known"};
  }
  const CapabilityStatus allowed = !entry.evidence ? CapabilityStatus::kUnknown
                                   : entry.evidence == CapabilityEvidence::kPath
                                       ? CapabilityStatus::kSuspected
                                       : CapabilityStatus::kConfirmed;
  if (allowed != entry.status) {
    throw Fault{"status " + std::string(Name(entry.status)) + " cannot rest on " +
                (entry.evidence ? "evidence " + std::string(Name(*entry.evidence)) : "no evidence")};
  }
}

CapabilityEntry DecodeEntry(const Json& json) {
  constexpr std::int64_t kMostCount = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMostMillis = 253'402'300'799'999;  // the end of the year 9999
  const EntryReader reader(json);
  CapabilityEntry entry;
  const auto key = PublicKey::FromHex(reader.Text("public_key"));
  if (!key) throw Fault{"public_key is no public key of 64 hexadecimal digits"};
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
  return text + "]}";
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
    } catch (const Fault& fault) {
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
  return snapshot;
}

}  // namespace heliograph
