#include "tests/unit/server/routes_fixture.h"

#include <algorithm>

namespace heliograph::server {
namespace {

std::string Hex(ByteView bytes) {
  return "x'" + ToHexLower(bytes) + "'";
}

}  // namespace

void RoutesTest::Refresh() {
  MeshState state(MeshState::Limits(), generation_);
  ReaderConnection connection(mesh_.file());
  ReadTransaction transaction(connection, std::chrono::seconds(5));
  state.LoadWarm(connection);
  while (state.Follow(connection) == MeshState::Step::kMore) {
  }
  views_.view = state.View();
  generation_ = state.generation();
}

void RoutesTest::Start() {
  readers_ = std::make_unique<ReaderPool>(mesh_.file());
  gate_ = std::make_unique<ReadinessGate>(mesh_.file());
  if (gate_->Look().state == GateState::kReady && views_.view == nullptr) Refresh();

  RouteServices services;
  services.views = &views_;
  services.readers = readers_.get();
  services.readiness = gate_.get();
  services.requests = &queue_;
  services.cluster_jobs = jobs_;
  services.neighbors = &neighbors_;
  services.metrics = &metrics_;
  services.analytics = [this] { return cycle_; };
  services.assessed_readiness = [this] { return assessed_; };
  services.volume = mesh_.volume();
  services.boot_id = "boot";
  services.clock = [] { return At(3'600'000); };
  router_ = std::make_unique<Router>();
  router_->SetApiKeyGuard(ApiKeyGuard({.key = kKey}));
  RegisterRoutes(*router_, RouteContext(std::move(services), config_));
}

Response RoutesTest::Handle(Method method, const std::string& target, const std::string& body,
                            std::vector<Header> headers) {
  if (!router_) Start();
  Request request;
  request.method = method;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = ParseQuery(target.substr(question + 1));
  request.headers = std::move(headers);
  request.body = body;
  return router_->Handle(std::move(request));
}

Response RoutesTest::Get(const std::string& target, const std::string& if_none_match) {
  std::vector<Header> headers = {{"X-API-Key", kKey}};
  if (!if_none_match.empty()) headers.push_back({"If-None-Match", if_none_match});
  return Handle(Method::kGet, target, {}, std::move(headers));
}

Response RoutesTest::Delete(const std::string& target) {
  return Handle(Method::kDelete, target, {}, {{"X-API-Key", kKey}});
}

Response RoutesTest::Post(const std::string& target, const std::string& body, const std::string& key) {
  std::vector<Header> headers;
  if (!key.empty()) headers.push_back({"X-API-Key", key});
  return Handle(Method::kPost, target, body, std::move(headers));
}

Json RoutesTest::GetJson(const std::string& target, int status) {
  const Response response = Get(target);
  EXPECT_EQ(response.status, status) << target << ": " << response.Text();
  return Json::parse(response.Text());
}

Json RoutesTest::PostJson(const std::string& target, const std::string& body, int status) {
  const Response response = Post(target, body);
  EXPECT_EQ(response.status, status) << target << ": " << response.Text();
  return Json::parse(response.Text());
}

std::int64_t RoutesTest::Hear(const Packet& packet, std::int64_t observer, std::int64_t offset_ms,
                              std::int64_t origin, std::optional<int> snr_quarters) {
  const std::string hash = Hex(packet.Hash().bytes());
  const std::string time = std::to_string(kStartOfData + offset_ms);
  mesh_.Run(
      "INSERT INTO transmissions(content_hash, payload_type, payload, base_time, first_seen, last_seen, "
      "observation_count, origin_key) VALUES (" +
      hash + ", " + std::to_string(static_cast<int>(packet.payload_type)) + ", " + Hex(packet.payload) +
      ", " + time + ", " + time + ", " + time + ", 1, " + (origin == 0 ? "NULL" : std::to_string(origin)) +
      ") ON CONFLICT(content_hash) DO UPDATE SET observation_count = observation_count + 1, last_seen = " +
      time);
  const std::int64_t id = mesh_.Ask("SELECT id FROM transmissions WHERE content_hash = " + hash);
  const std::int64_t codes =
      packet.transport_codes ? packet.transport_codes->scope | packet.transport_codes->reserved << 16 : 0;
  mesh_.Run(
      "INSERT INTO observations(transmission_id, observer_key, received_after, route, path_len, path, "
      "transport_codes, flags, snr, rssi) SELECT " +
      std::to_string(id) + ", " + std::to_string(observer) + ", " + time + " - base_time, " +
      std::to_string(static_cast<int>(packet.route)) + ", " + std::to_string(packet.path_length.byte()) +
      ", " + (packet.path.empty() ? "NULL" : Hex(packet.path)) + ", " +
      (packet.transport_codes ? std::to_string(codes) : "NULL") + ", 1, " +
      (snr_quarters ? std::to_string(*snr_quarters) : "NULL") +
      ", -90 FROM transmissions WHERE id = " + std::to_string(id));
  return id;
}

Packet RoutesTest::Flood(PayloadType type, const Bytes& payload, const std::string& path,
                         std::size_t hash_size) {
  Packet packet;
  packet.route = RouteType::kFlood;
  packet.payload_type = type;
  packet.path = FromHex(path).value();
  packet.path_length = PathLength::Of(hash_size, packet.path.size() / hash_size).value();
  packet.payload = payload;
  return packet;
}

Packet RoutesTest::Text(std::uint8_t seed, const std::string& path, std::size_t hash_size) {
  return Flood(PayloadType::kText, Bytes{1, 2, 3, 4, seed}, path, hash_size);
}

std::vector<std::string> Column(const Json& rows, const std::string& member) {
  std::vector<std::string> texts;
  for (const Json& row : rows)
    texts.push_back(row.at(member).is_string() ? row.at(member).get<std::string>() : "null");
  return texts;
}

}  // namespace heliograph::server
