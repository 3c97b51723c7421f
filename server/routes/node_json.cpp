#include "server/routes/node_json.h"

namespace heliograph::server {

void WriteNode(JsonText& out, const NodeView& node) {
  const NodeCapability& capability = node.capability;
  out.BeginObject()
      .Member("public_key", node.public_key.ToHex())
      .Member("name", node.name)
      .Member("role", node.role)
      .Member("lat", node.lat)
      .Member("lon", node.lon)
      .Member("last_seen", node.last_seen)
      .Member("first_seen", node.first_seen)
      .Member("last_heard", node.last_seen)
      .Member("advert_count", node.advert_count)
      .Member("battery_mv", node.battery_mv)
      .Member("temperature_c", node.temperature_c)
      .Member("hash_size", node.hash_size.newest)
      .Member("hash_size_inconsistent", node.hash_size.inconsistent);
  out.Key("hash_sizes_seen").BeginArray();
  for (const std::uint8_t size : node.hash_size.seen) out.Value(size);
  out.EndArray()
      .Member("foreign", node.foreign)
      .Member("default_scope", node.default_scope)
      .Member("active", node.active)
      .Member("multi_byte_status", Name(capability.status));
  out.Key("multi_byte_evidence");
  if (capability.evidence) {
    out.Value(Name(*capability.evidence));
  } else {
    out.Null();
  }
  out.Member("multi_byte_max_hash_size", capability.max_hash_size).EndObject();
}

void RoleCounts::Add(std::string_view role) {
  if (role == "repeater") ++repeaters;
  if (role == "room") ++rooms;
  if (role == "companion") ++companions;
  if (role == "sensor") ++sensors;
}

void WriteRoleCounts(JsonText& out, const RoleCounts& counts) {
  out.BeginObject()
      .Member("repeaters", counts.repeaters)
      .Member("rooms", counts.rooms)
      .Member("companions", counts.companions)
      .Member("sensors", counts.sensors)
      .EndObject();
}

}  // namespace heliograph::server
