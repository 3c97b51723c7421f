#include "common/cluster_snapshot.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/bytes.h"
#include "common/json_reader.h"
#include "common/public_key.h"

namespace heliograph {
namespace {

using Json = nlohmann::json;

constexpr double kMostQuality = 1e18;

/// Digests hash texts with their lengths, so that no two lists run into the same bytes.
void Append(std::string& bytes, std::string_view text) {
  bytes += std::to_string(text.size());
  bytes += ':';
  bytes += text;
}

Json EncodeCluster(const SnapshotCluster& cluster) {
  Json members = Json::array();
  for (const SnapshotMember& member : cluster.members)
    members.push_back(Json::array({member.key, member.strength}));
  return Json{{"representative", cluster.representative},
              {"cohesion", cluster.cohesion},
              {"label", cluster.label},
              {"summary", cluster.summary},
              {"members", std::move(members)}};
}

std::string DecodeKey(const Json& json, ClusterCollection collection) {
  if (!json.is_string()) throw JsonFault{"a member's key is no text"};
  const auto& key = json.get_ref<const std::string&>();
  if (key.empty() || key.size() > kMaxClusterText)
    throw JsonFault{"a member's key is empty or longer than " + std::to_string(kMaxClusterText) + " bytes"};
  if (collection == ClusterCollection::kMesh) {
    const auto node = PublicKey::FromHex(key);
    if (!node || node->ToHex() != key)
      throw JsonFault{"a member's key is no public key of 64 lower-case hexadecimal digits"};
  }
  return key;
}

SnapshotMember DecodeMember(const Json& json, ClusterCollection collection) {
  if (!json.is_array() || json.size() != 2) throw JsonFault{"a member is no pair of key and strength"};
  SnapshotMember member;
  member.key = DecodeKey(json[0], collection);
  if (!json[1].is_number() || !(json[1].get<double>() >= 0 && json[1].get<double>() <= 1))
    throw JsonFault{"a member's strength is no number between 0 and 1"};
  member.strength = json[1].get<double>();
  return member;
}

SnapshotCluster DecodeCluster(const Json& json, ClusterCollection collection) {
  const JsonReader members(json);
  SnapshotCluster cluster;
  cluster.representative = members.Text("representative", kMaxClusterText);
  cluster.cohesion = members.Number("cohesion", 0, 1);
  cluster.label = members.Text("label", kMaxClusterText);
  cluster.summary = members.Text("summary", kMaxClusterSummary);
  const Json& list = members.Array("members");
  if (list.empty()) throw JsonFault{"has no members"};
  cluster.members.reserve(list.size());
  for (const Json& member : list) cluster.members.push_back(DecodeMember(member, collection));
  if (std::none_of(cluster.members.begin(), cluster.members.end(),
                   [&](const SnapshotMember& member) { return member.key == cluster.representative; }))
    throw JsonFault{"representative is none of its members"};
  members.RefuseAllBut({"representative", "cohesion", "label", "summary", "members"});
  return cluster;
}

std::vector<SnapshotCluster> DecodeClusters(const Json& list, ClusterCollection collection) {
  std::vector<SnapshotCluster> clusters;
  clusters.reserve(list.size());
  for (const Json& json : list) {
    try {
      clusters.push_back(DecodeCluster(json, collection));
    } catch (const JsonFault& fault) {
      throw JsonFault{"cluster " + std::to_string(clusters.size()) + ": " + fault.text};
    }
  }
  return clusters;
}

void RefuseDuplicates(const ClusterSnapshot& snapshot) {
  std::vector<std::string_view> keys(snapshot.unclustered.begin(), snapshot.unclustered.end());
  for (const SnapshotCluster& cluster : snapshot.clusters)
    for (const SnapshotMember& member : cluster.members) keys.push_back(member.key);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) throw JsonFault{"the key " + std::string(*twice) + " appears twice"};
}

Sha256Digest DecodeDigest(const std::string& hex) {
  Sha256Digest digest{};
  if (!FromHexInto(hex, digest)) throw JsonFault{"input_digest is no SHA-256 of 64 hexadecimal digits"};
  return digest;
}

std::string DecodeParameters(const Json& json) {
  std::string text = json.dump();
  if (text.size() > kMaxClusterParameters)
    throw JsonFault{"parameters is longer than " + std::to_string(kMaxClusterParameters) + " bytes"};
  return text;
}

std::map<std::string, double> DecodeQuality(const Json& json) {
  const JsonReader figures(json);
  std::map<std::string, double> quality;
  for (const auto& [name, value] : json.items())
    quality[name] = figures.Number(name.c_str(), -kMostQuality, kMostQuality);
  return quality;
}

ClusterSnapshot DecodeRun(const Json& json) {
  const JsonReader members(json);
  ClusterSnapshot snapshot;
  const auto collection = ParseClusterCollection(members.Text("collection", kMaxClusterText));
  if (!collection) throw JsonFault{"collection is neither mesh nor items"};
  snapshot.collection = *collection;
  const auto coverage = ParseRunCoverage(members.Text("coverage", kMaxClusterText));
  if (!coverage) throw JsonFault{"coverage is neither full nor partial"};
  snapshot.coverage = *coverage;
  const auto rule = ParseMatchRule(members.Text("match_rule", kMaxClusterText));
  if (!rule) throw JsonFault{"match_rule is neither memory nor plain-jaccard"};
  snapshot.match_rule = *rule;
  snapshot.algorithm = members.Text("algorithm", kMaxClusterText);
  if (snapshot.algorithm.empty()) throw JsonFault{"algorithm is empty"};
  snapshot.parameters = DecodeParameters(members.Object("parameters"));
  snapshot.input_digest = DecodeDigest(members.Text("input_digest", kMaxClusterText));
  snapshot.watermark = members.Integer("watermark", 0, std::numeric_limits<std::int64_t>::max());
  if (!members.IsNull("data_time")) snapshot.data_time = members.Time("data_time");
  if (!members.IsNull("job")) {
    snapshot.job = Ulid::Parse(members.Text("job", kMaxClusterText));
    if (!snapshot.job) throw JsonFault{"job is no ULID"};
  }
  snapshot.quality = DecodeQuality(members.Object("quality"));
  snapshot.clusters = DecodeClusters(members.Array("clusters"), snapshot.collection);
  for (const Json& key : members.Array("unclustered"))
    snapshot.unclustered.push_back(DecodeKey(key, snapshot.collection));
  members.RefuseAllBut({"collection", "coverage", "match_rule", "algorithm", "parameters", "input_digest",
                        "watermark", "data_time", "job", "quality", "clusters", "unclustered"});
  RefuseDuplicates(snapshot);
  SortSnapshot(snapshot);
  return snapshot;
}

}  // namespace

std::string_view Name(ClusterCollection collection) {
  return collection == ClusterCollection::kMesh ? "mesh" : "items";
}

std::optional<ClusterCollection> ParseClusterCollection(std::string_view name) {
  for (const auto collection : {ClusterCollection::kMesh, ClusterCollection::kItems})
    if (name == Name(collection)) return collection;
  return std::nullopt;
}

std::string_view Name(RunCoverage coverage) {
  return coverage == RunCoverage::kFull ? "full" : "partial";
}

std::optional<RunCoverage> ParseRunCoverage(std::string_view name) {
  for (const auto coverage : {RunCoverage::kFull, RunCoverage::kPartial})
    if (name == Name(coverage)) return coverage;
  return std::nullopt;
}

std::string_view Name(MatchRule rule) {
  return rule == MatchRule::kMemory ? "memory" : "plain-jaccard";
}

std::optional<MatchRule> ParseMatchRule(std::string_view name) {
  for (const auto rule : {MatchRule::kMemory, MatchRule::kPlainJaccard})
    if (name == Name(rule)) return rule;
  return std::nullopt;
}

void SortSnapshot(ClusterSnapshot& snapshot) {
  for (SnapshotCluster& cluster : snapshot.clusters) {
    std::sort(cluster.members.begin(), cluster.members.end(),
              [](const SnapshotMember& a, const SnapshotMember& b) { return a.key < b.key; });
  }
  std::sort(snapshot.clusters.begin(), snapshot.clusters.end(),
            [](const SnapshotCluster& a, const SnapshotCluster& b) {
              return a.members.front().key < b.members.front().key;
            });
  std::sort(snapshot.unclustered.begin(), snapshot.unclustered.end());
}

std::string EncodeClusterSnapshot(ClusterSnapshot snapshot) {
  SortSnapshot(snapshot);
  Json head{{"collection", Name(snapshot.collection)},
            {"coverage", Name(snapshot.coverage)},
            {"match_rule", Name(snapshot.match_rule)},
            {"algorithm", snapshot.algorithm},
            {"parameters", Json::parse(snapshot.parameters)},
            {"input_digest", ToHexLower(snapshot.input_digest)},
            {"watermark", snapshot.watermark},
            {"data_time", nullptr},
            {"job", nullptr},
            {"quality", snapshot.quality},
            {"unclustered", snapshot.unclustered}};
  if (snapshot.data_time) head["data_time"] = snapshot.data_time->time_since_epoch().count();
  if (snapshot.job) head["job"] = snapshot.job->ToText();
  std::string text = head.dump();
  text.pop_back();
  // Cluster by cluster, so that the tree of only one is in memory.
  text += R"(,"clusters":[)";
  for (const SnapshotCluster& cluster : snapshot.clusters) {
    if (&cluster != &snapshot.clusters.front()) text += ',';
    text += EncodeCluster(cluster).dump();
  }
  return text + "]}";
}

tl::expected<ClusterSnapshot, std::string> DecodeClusterSnapshot(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the run is no JSON"));
  try {
    return DecodeRun(json);
  } catch (const JsonFault& fault) {
    return tl::unexpected("the run " + fault.text);
  }
}

Sha256Digest ContentDigest(const ClusterSnapshot& snapshot) {
  std::string bytes;
  Append(bytes, snapshot.algorithm);
  Append(bytes, snapshot.parameters);
  Append(bytes, Name(snapshot.coverage));
  Append(bytes, Name(snapshot.match_rule));
  for (const SnapshotCluster& cluster : snapshot.clusters) {
    bytes += std::to_string(cluster.members.size()) + ';';
    for (const SnapshotMember& member : cluster.members) Append(bytes, member.key);
  }
  for (const std::string& key : snapshot.unclustered) Append(bytes, key);
  return Sha256(AsBytes(bytes));
}

}  // namespace heliograph
