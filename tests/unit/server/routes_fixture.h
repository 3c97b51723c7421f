#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/packet.h"
#include "server/analytics/neighbors/neighbor_view.h"
#include "server/http/problem.h"
#include "server/http/router.h"
#include "server/routes/register.h"
#include "server/state/mesh_state.h"
#include "tests/unit/server/observatory_fixture.h"

namespace heliograph::server {

using Json = nlohmann::json;

/// A view that changes only when it is told to.
class HeldView : public MeshViewSource {
 public:
  std::shared_ptr<const MeshView> Current() const override { return view; }
  std::shared_ptr<const MeshView> view;
};

/// A queue that nobody empties.
class HeldQueue : public RequestPublisher {
 public:
  Ulid Publish(const QueuedRequest& request) override {
    if (before) before();
    published.push_back(request);
    ids.push_back(Ulid::FromParts(At(0), {1, 2, 3, 4, 5, 6, 7, 8, 9, static_cast<std::uint8_t>(ids.size())}));
    if (after) after(ids.back());
    return ids.back();
  }
  bool IsPending(const Ulid& id) const override { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

  std::vector<QueuedRequest> published;
  std::vector<Ulid> ids;
  /// May throw what Publish is to throw: instead of taking the request, and although it took it.
  std::function<void()> before;
  std::function<void(const Ulid&)> after;
};

/// The routes over a real database and the view that the server's own code makes of it.
class RoutesTest : public ::testing::Test {
 protected:
  static constexpr const char* kKey = "a-key-that-only-tests-have";

  /// Reads the database into a new view.
  void Refresh();
  /// Registers the routes with `config` and makes the first view. Called by the first request when a test did
  /// not.
  void Start();

  Response Get(const std::string& target, const std::string& if_none_match = {});
  Response Delete(const std::string& target);
  Response Post(const std::string& target, const std::string& body, const std::string& key = kKey);
  /// The body; the status must be `status`.
  Json GetJson(const std::string& target, int status = 200);
  Json PostJson(const std::string& target, const std::string& body, int status);

  /// Stores the packet as heard by `observer`: a new transmission, or one more observation of a known one.
  /// Returns the transmission's id.
  std::int64_t Hear(const Packet& packet, std::int64_t observer, std::int64_t offset_ms = 0,
                    std::int64_t origin = 0, std::optional<int> snr_quarters = std::nullopt);
  /// A flood packet whose path has these hops, each in hex.
  static Packet Flood(PayloadType type, const Bytes& payload, const std::string& path = {},
                      std::size_t hash_size = 1);
  static Packet Text(std::uint8_t seed, const std::string& path = {}, std::size_t hash_size = 1);

  Observatory mesh_;
  Config config_;
  HeldView views_;
  HeldQueue queue_;
  CycleReport cycle_;
  NeighborBoard neighbors_;
  std::shared_ptr<const AssessedReadiness> assessed_;
  ClusterJobDesk* jobs_ = nullptr;
  MetricsRegistry metrics_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<ReaderPool> readers_;

 private:
  Response Handle(Method method, const std::string& target, const std::string& body,
                  std::vector<Header> headers);

  std::uint64_t generation_ = 0;
  std::unique_ptr<ReadinessGate> gate_;
};

/// The texts of this member in a list of objects.
std::vector<std::string> Column(const Json& rows, const std::string& member);

}  // namespace heliograph::server
