#include "common/neighbor_snapshot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

namespace heliograph {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kColumns = 8;
constexpr double kMostFloods = 1e15;
constexpr std::int64_t kMostMillis = 253'402'300'799'999;  // the end of the year 9999
constexpr double kMostDecibels = 200;

/// What is wrong with one entry; caught at the boundary, where it becomes the returned text.
struct Fault {
  std::string text;
};

std::vector<PublicKey> KeysOf(const NeighborSnapshot& snapshot) {
  std::vector<PublicKey> keys;
  for (const NeighborEdge& edge : snapshot.edges) {
    keys.push_back(edge.a);
    keys.push_back(edge.b);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::int64_t Integer(const Json& value, const char* what, std::int64_t most) {
  // A number above the range of a signed one is kept unsigned, and is out of range here anyway.
  const bool fits =
      value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
  if (!fits) throw Fault{std::string(what) + " is no integer between 0 and " + std::to_string(most)};
  return value.get<std::int64_t>();
}

double Number(const Json& value, const char* what, double least, double most) {
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most))
    throw Fault{std::string(what) + " is no number in its range"};
  return value.get<double>();
}

NeighborEdge DecodeEdge(const Json& row, const std::vector<PublicKey>& keys) {
  if (!row.is_array() || row.size() != kColumns) throw Fault{"is no list of " + std::to_string(kColumns)};
  const auto key = [&](std::size_t column) {
    const auto place =
        static_cast<std::size_t>(Integer(row[column], "a node", std::numeric_limits<std::int64_t>::max()));
    if (place >= keys.size())
      throw Fault{"names node " + std::to_string(place) + " of " + std::to_string(keys.size())};
    return keys[place];
  };
  NeighborEdge edge;
  edge.a = key(0);
  edge.b = key(1);
  if (edge.b <= edge.a) throw Fault{"has its nodes not in ascending order"};
  edge.a_to_b = Number(row[2], "a_to_b", 0, kMostFloods);
  edge.b_to_a = Number(row[3], "b_to_a", 0, kMostFloods);
  edge.first_seen = UtcMillis(std::chrono::milliseconds(Integer(row[4], "first_seen", kMostMillis)));
  edge.last_seen = UtcMillis(std::chrono::milliseconds(Integer(row[5], "last_seen", kMostMillis)));
  if (edge.last_seen < edge.first_seen) throw Fault{"was last seen before it was first seen"};
  edge.observers =
      static_cast<std::uint32_t>(Integer(row[6], "observers", std::numeric_limits<std::uint32_t>::max()));
  if (!row[7].is_null()) edge.snr_db = Number(row[7], "snr_db", -kMostDecibels, kMostDecibels);
  return edge;
}

std::vector<PublicKey> DecodeKeys(const Json& nodes) {
  std::vector<PublicKey> keys;
  keys.reserve(nodes.size());
  for (const Json& node : nodes) {
    const auto key = node.is_string() ? PublicKey::FromHex(node.get_ref<const std::string&>()) : std::nullopt;
    if (!key)
      throw Fault{"node " + std::to_string(keys.size()) + " is no public key of 64 hexadecimal digits"};
    if (!keys.empty() && *key <= keys.back())
      throw Fault{"node " + std::to_string(keys.size()) + " is not above the one before it"};
    keys.push_back(*key);
  }
  return keys;
}

std::vector<NeighborEdge> DecodeEdges(const Json& rows, const std::vector<PublicKey>& keys) {
  std::vector<NeighborEdge> edges;
  edges.reserve(rows.size());
  for (const Json& row : rows) {
    try {
      edges.push_back(DecodeEdge(row, keys));
      const std::size_t n = edges.size();
      if (n > 1 && std::tie(edges[n - 1].a, edges[n - 1].b) <= std::tie(edges[n - 2].a, edges[n - 2].b))
        throw Fault{"is not above the one before it"};
    } catch (const Fault& fault) {
      throw Fault{"edge " + std::to_string(&row - &rows.front()) + " " + fault.text};
    }
  }
  return edges;
}

const Json& ListIn(const Json& json, const char* name) {
  const auto list = json.find(name);
  if (list == json.end() || !list->is_array())
    throw Fault{std::string("the snapshot has no list `") + name + "`"};
  return *list;
}

}  // namespace

std::string EncodeNeighborSnapshot(const NeighborSnapshot& snapshot) {
  const std::vector<PublicKey> keys = KeysOf(snapshot);
  const auto place = [&](const PublicKey& key) {
    return std::lower_bound(keys.begin(), keys.end(), key) - keys.begin();
  };
  // Row by row, so that the tree of only one is in memory.
  std::string text = R"({"nodes":[)";
  for (const PublicKey& key : keys) {
    if (&key != &keys.front()) text += ',';
    text += '"' + key.ToHex() + '"';
  }
  text += R"(],"edges":[)";
  for (const NeighborEdge& edge : snapshot.edges) {
    if (&edge != &snapshot.edges.front()) text += ',';
    Json row = Json::array({place(edge.a), place(edge.b), edge.a_to_b, edge.b_to_a,
                            edge.first_seen.time_since_epoch().count(),
                            edge.last_seen.time_since_epoch().count(), edge.observers, nullptr});
    if (edge.snr_db) row.back() = *edge.snr_db;
    text += row.dump();
  }
  return text + "]}";
}

tl::expected<NeighborSnapshot, std::string> DecodeNeighborSnapshot(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return tl::unexpected(std::string("the snapshot is no JSON"));
  if (!json.is_object()) return tl::unexpected(std::string("the snapshot is no object"));
  try {
    return NeighborSnapshot{DecodeEdges(ListIn(json, "edges"), DecodeKeys(ListIn(json, "nodes")))};
  } catch (const Fault& fault) {
    return tl::unexpected(fault.text);
  }
}

}  // namespace heliograph
