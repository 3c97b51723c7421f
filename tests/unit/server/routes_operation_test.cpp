#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a reader of Prometheus' text format 0.0.4 would refuse: a family or a series that stands twice, and a
/// sample that does not follow the head of its family.
std::vector<std::string> FaultsOf(const std::string& exposition) {
  constexpr std::string_view kHead = "# TYPE ";
  std::vector<std::string> faults;
  std::set<std::string> families, samples;
  std::string family;
  std::istringstream lines(exposition);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kHead)) {
      family = line.substr(kHead.size(), line.find(' ', kHead.size()) - kHead.size());
      if (!families.insert(family).second) faults.push_back(family + ": two families");
    } else if (!line.starts_with("# HELP ")) {
      const std::string name = line.substr(0, line.find_first_of("{ "));
      const bool fits = name == family || name == family + "_bucket" || name == family + "_sum" ||
                        name == family + "_count";
      if (!fits) faults.push_back(line + ": no sample of " + family);
      if (!samples.insert(line.substr(0, line.rfind(' '))).second) faults.push_back(line + ": two samples");
    }
  }
  return faults;
}

class OperationRoutesTest : public RoutesTest {
 protected:
  void AddSource() {
    mesh_.Run("INSERT INTO ingest_status VALUES ('broker', 'mqtt', 'mqtt://host', 1, " +
              std::to_string(kStartOfData) + ", NULL, " + std::to_string(kStartOfData + 5000) +
              ", 2, 1, 77, 70, 4, 3, 7, 0, 0, NULL, " + std::to_string(kStartOfData + 6000) + ")");
    mesh_.Run("INSERT INTO ingest_counter VALUES ('dropped_invalid_signature', 3)");
    mesh_.Run("INSERT INTO process VALUES ('ingestor', 'b', '0.1', 0, NULL, " +
              std::to_string(kStartOfData + 3'599'000) + ")");
    mesh_.Run("INSERT INTO maintenance_task VALUES ('retention', 60, 4, 1, 2, 'done', NULL)");
  }
};

TEST_F(OperationRoutesTest, UntilTheDatabaseIsReadyDataRoutesSayWhatIsMissing) {
  mesh_.Run("DROP INDEX transmissions_by_hash");
  for (const char* path : {"/api/nodes", "/api/packets", "/api/multibyte", "/api/observers", "/api/stats",
                           "/api/mqtt/status", "/api/requests/x", "/api/nodes/search", "/api/readyz"}) {
    const Json answer = GetJson(path, 503);
    EXPECT_THAT(answer.at("missing").dump(), HasSubstr("transmissions_by_hash")) << path;
  }
  EXPECT_EQ(GetJson("/api/healthz", 503).at("ready"), false);
  EXPECT_THAT(GetJson("/api/healthz", 503).at("missing").dump(), HasSubstr("transmissions_by_hash"));
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_EQ(Get("/api/spec").status, 200);
  EXPECT_EQ(Post("/api/decode", R"({"hex":"0500AABB"})").status, 200);
}

TEST_F(OperationRoutesTest, ReadyFollowsTheSchemaWithoutARestart) {
  mesh_.Run("DROP INDEX transmissions_by_hash");
  GetJson("/api/readyz", 503);
  mesh_.Run("CREATE UNIQUE INDEX transmissions_by_hash ON transmissions(content_hash)");
  EXPECT_EQ(GetJson("/api/readyz").at("ready"), true);
}

TEST_F(OperationRoutesTest, HealthTellsOfSourcesDataQueueAndTheLastFailure) {
  AddSource();
  Hear(Text(1), mesh_.AddObserver(KeyOf({9})), 0);
  mesh_.Run(
      "INSERT INTO ledger(id, kind, applied_at, boot_id, outcome, reason) VALUES "
      "('X', 'prune-request', 5, 'b', 'rejected', 'it is broken')");
  std::filesystem::create_directories(mesh_.volume().queue_failed());
  std::ofstream(mesh_.volume().queue_failed() / "a.kind") << "x";
  std::ofstream(mesh_.volume().queue_failed() / "a.kind.reason") << "x";
  const Json health = GetJson("/api/healthz");
  EXPECT_EQ(health.at("ready"), true);
  EXPECT_EQ(health.at("loadedObs"), 1);
  EXPECT_EQ(health.at("data_age_seconds"), 3600);
  EXPECT_EQ(health.at("ingestor").at("alive"), true);
  EXPECT_EQ(health.at("sources").at(0).at("connected"), true);
  EXPECT_EQ(health.at("ingest_liveness").at("broker").at("lastReceiptUnix"), kStartOfData / 1000 + 5);
  EXPECT_EQ(health.at("queue").at("failed"), 1);
  EXPECT_TRUE(health.at("queue").at("waiting").is_null());
  EXPECT_EQ(health.at("last_failure").at("reason"), "it is broken");
}

TEST_F(OperationRoutesTest, MetricsNameTheFiguresOfBothProcesses) {
  AddSource();
  mesh_.AddNode(KeyOf({1}));
  const std::string text = Get("/metrics").Text();
  for (const char* line :
       {"heliograph_ready 1\n", "heliograph_nodes{active=\"true\",multibyte=\"unknown\"} 1\n",
        "heliograph_source_received_total{source=\"broker\",kind=\"mqtt\"} 77\n",
        "heliograph_ingest_total{what=\"dropped_invalid_signature\"} 3\n",
        "heliograph_maintenance_runs_total{task=\"retention\"} 4\n", "heliograph_wal_bytes ",
        "heliograph_resident_memory_bytes ", "heliograph_database_readable 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(OperationRoutesTest, EachMetricFamilyStandsOnceWhoeverCountsIt) {
  AddSource();
  mesh_.AddNode(KeyOf({1}));
  metrics_.AddGaugeCallback("heliograph_ready", "The process says so too.", [] { return 1; });
  metrics_.AddCounter("heliograph_ingest_total", "Counted twice.", {{"what", "else"}}).Increment();
  cycle_.ended_at = At(1000);
  cycle_.assessed = true;
  EXPECT_THAT(FaultsOf(Get("/metrics").Text()), IsEmpty());
  EXPECT_THAT(FaultsOf("# TYPE a gauge\na 1\n# TYPE a gauge\na 1\n"),
              ElementsAre("a: two families", "a 1: two samples"));
  EXPECT_THAT(FaultsOf("# TYPE a gauge\nb 1\n"), ElementsAre("b 1: no sample of a"));
}

TEST_F(OperationRoutesTest, HealthAndMetricsTellWhatTheLastCycleDid) {
  EXPECT_TRUE(GetJson("/api/healthz").at("analytics").is_null());
  cycle_.result = CycleReport::Result::kPending;
  cycle_.id = Ulid::FromParts(At(0), {1});
  cycle_.assessed = true;
  cycle_.confirmed = 3;
  cycle_.ended_at = At(2000);
  cycle_.duration = std::chrono::milliseconds(1500);
  const Json analytics = GetJson("/api/healthz").at("analytics");
  EXPECT_EQ(analytics.at("result"), "pending");
  EXPECT_EQ(analytics.at("pending_file"), cycle_.id->ToText());
  EXPECT_EQ(analytics.at("nodes").at("confirmed"), 3);
  EXPECT_EQ(analytics.at("duration_ms"), 1500);
  const std::string text = Get("/metrics").Text();
  for (const char* line :
       {"heliograph_analytics_cycle_result{result=\"pending\"} 1\n",
        "heliograph_analytics_cycle_result{result=\"failed\"} 0\n",
        "heliograph_analytics_cycle_duration_seconds 1.5\n", "heliograph_analytics_file_pending 1\n",
        "heliograph_analytics_nodes{multibyte=\"confirmed\"} 3\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(OperationRoutesTest, StatsHaveTheShapeOfCoreScope) {
  AddSource();
  mesh_.AddNode(KeyOf({1}), "room");
  Hear(Text(1), mesh_.AddObserver(KeyOf({9})), 0);
  const Json stats = GetJson("/api/stats");
  EXPECT_EQ(stats.at("totalPackets"), 1);
  EXPECT_EQ(stats.at("totalObservations"), 1);
  EXPECT_EQ(stats.at("totalNodes"), 1);
  EXPECT_EQ(stats.at("totalObservers"), 1);
  EXPECT_EQ(stats.at("counts").at("rooms"), 1);
  EXPECT_EQ(stats.at("signatureDrops"), 3);
  EXPECT_TRUE(stats.at("goSysMB").is_null());
}

TEST_F(OperationRoutesTest, MqttStatusHasTheShapeOfCoreScope) {
  AddSource();
  const Json status = GetJson("/api/mqtt/status");
  const Json& source = status.at("sources").at(0);
  EXPECT_EQ(source.at("name"), "broker");
  EXPECT_EQ(source.at("lastPacketUnix"), kStartOfData / 1000 + 5);
  EXPECT_EQ(source.at("packetsLast5m"), 7);
  EXPECT_TRUE(source.at("lastDisconnectUnix").is_null());
  EXPECT_TRUE(source.at("lastError").is_null());
}

TEST_F(OperationRoutesTest, TheSpecificationAndTheRoutesAgreeBothWays) {
  const Json spec = GetJson("/api/spec");
  std::set<std::string> described, served;
  for (const auto& [path, methods] : spec.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) described.insert(method + " " + path);
  }
  for (const auto& route : router_->routes()) {
    if (!route->path.starts_with("/api/")) continue;
    std::string method(Name(route->method));
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c | 0x20); });
    served.insert(method + " " + route->path);
    EXPECT_FALSE(route->summary.empty()) << route->path;
  }
  EXPECT_EQ(described, served);
  EXPECT_GE(served.size(), 19U);
}

TEST_F(OperationRoutesTest, EveryReadCarriesAnEntityTagThatItHonours) {
  mesh_.AddNode(KeyOf({1}));
  mesh_.AddObserver(KeyOf({9}));
  const std::string packet = std::to_string(mesh_.AddTransmission(kTextType));
  for (const std::string& path :
       {std::string("/api/nodes"), "/api/nodes/" + KeyOf({1}).ToHex(), std::string("/api/nodes/search?q=a"),
        std::string("/api/observers"), "/api/observers/" + KeyOf({9}).ToHex(), std::string("/api/packets"),
        "/api/packets/" + packet, std::string("/api/multibyte"), "/api/multibyte/" + KeyOf({1}).ToHex(),
        std::string("/api/mqtt/status"), std::string("/api/spec"), std::string("/api/readyz")}) {
    const Response response = Get(path);
    ASSERT_NE(response.FindHeader("ETag"), nullptr) << path;
    EXPECT_EQ(Get(path, *response.FindHeader("ETag")).status, 304) << path;
  }
}

TEST_F(OperationRoutesTest, ARouteThatIsNotThereIsAProblem) {
  EXPECT_TRUE(GetJson("/api/nothing", 404).contains("error"));
  EXPECT_EQ(Post("/api/nodes", "{}").status, 405);
}

TEST_F(OperationRoutesTest, ObserversAreFoundInAnyCaseAndInactiveOnesAreNotListed) {
  mesh_.AddObserver(KeyOf({0xAA}), "SFO");
  mesh_.AddObserver(KeyOf({0xBB}), "OAK");
  mesh_.AddObserver(KeyOf({0xCC}), "OAK");
  mesh_.AddNode(KeyOf({0xAA}));
  mesh_.Run("UPDATE nodes SET lat = 37.5, lon = -122.25");
  mesh_.Run("UPDATE observers SET inactive = 1, revision = 50 WHERE id = '" + KeyOf({0xBB}).ToObserverId() +
            "'");
  config_.observer_blacklist = {KeyOf({0xCC}).ToHex()};
  const Json answer = GetJson("/api/observers");
  EXPECT_THAT(Column(answer.at("observers"), "id"), ElementsAre(KeyOf({0xAA}).ToObserverId()));
  EXPECT_EQ(answer.at("server_time"), FormatTime(At(3'600'000)));
  EXPECT_EQ(GetJson("/api/observers/" + KeyOf({0xBB}).ToHex()).at("inactive"), true);
  const Json observer = GetJson("/api/observers/" + KeyOf({0xAA}).ToHex());
  EXPECT_EQ(observer.at("lat"), 37.5);
  EXPECT_EQ(observer.at("nodeRole"), "repeater");
  EXPECT_EQ(observer.at("clock_naive"), false);
  EXPECT_TRUE(observer.at("can_relay").is_null());
  GetJson("/api/observers/" + KeyOf({0xCC}).ToHex(), 404);
  GetJson("/api/observers/nobody", 404);
}

TEST_F(OperationRoutesTest, AClockWithoutAZoneIsForgottenAfterADay) {
  const std::int64_t observer = mesh_.AddObserver(KeyOf({0xAA}));
  mesh_.Run("UPDATE observers SET clock_skew_seconds = 30, clock_skew_count_24h = 2, clock_last_naive_at = " +
            std::to_string(kStartOfData) + ", revision = 50");
  Hear(Text(1), observer, 1000);
  const std::string path = "/api/observers/" + KeyOf({0xAA}).ToHex();
  EXPECT_EQ(GetJson(path).at("clock_naive"), true);
  EXPECT_EQ(GetJson(path).at("clock_skew_seconds"), 30);
  Hear(Text(2), observer, 25 * 3'600'000);
  Refresh();
  EXPECT_EQ(GetJson(path).at("clock_naive"), false);
  EXPECT_TRUE(GetJson(path).at("clock_skew_seconds").is_null());
}

}  // namespace
}  // namespace heliograph::server
