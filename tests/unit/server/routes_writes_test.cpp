#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "common/advert.h"
#include "common/crypto.h"
#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WriteRoutesTest : public RoutesTest {
 protected:
  void AddAt(int first, double latitude) {
    mesh_.AddNode(KeyOf({first}));
    mesh_.Run("UPDATE nodes SET lat = " + std::to_string(latitude) + ", lon = 0.5, revision = " +
              std::to_string(mesh_.NextRevision()) + " WHERE public_key = '" + KeyOf({first}).ToHex() + "'");
  }
  /// A square of a degree with one node in it and two outside.
  void AddSquare() {
    config_.geo_filter.polygon = {{0, 0}, {0, 1}, {1, 1}, {1, 0}};
    AddAt(1, 0.5);
    AddAt(2, 40);
    AddAt(3, 50);
    mesh_.AddNode(KeyOf({4}));
  }
  static Packet SignedAdvert() {
    const Ed25519KeyPair pair({1, 2, 3});
    Advert advert;
    advert.public_key = pair.public_key();
    advert.timestamp = 1'790'000'000;
    advert.app_data = EncodeAdvertAppData(NodeType::kRepeater, std::nullopt, "hill");
    const Bytes signature = pair.Sign(SignedPart(advert));
    std::copy(signature.begin(), signature.end(), advert.signature.begin());
    return Flood(PayloadType::kAdvert, EncodeAdvert(advert));
  }
  static std::string Body(const Packet& packet, const std::string& more = {}) {
    return R"({"hex":")" + ToHexUpper(EncodeFrame(packet)) + R"(","observer":")" + KeyOf({0xAB}).ToHex() +
           "\"" + more + "}";
  }
};

TEST_F(WriteRoutesTest, DecodeTakesAPacketApartAndVerifiesItsSignature) {
  const Json good = PostJson("/api/decode", Body(SignedAdvert()), 200).at("decoded");
  EXPECT_EQ(good.at("header").at("payloadTypeName"), "ADVERT");
  EXPECT_EQ(good.at("payload").at("signatureValid"), true);
  EXPECT_TRUE(good.at("path").at("hops").is_array());
  Packet forged = SignedAdvert();
  forged.payload.back() ^= 1;
  EXPECT_EQ(PostJson("/api/decode", Body(forged), 200).at("decoded").at("payload").at("signatureValid"),
            false);
}

TEST_F(WriteRoutesTest, DecodeRefusesWhatIsNoPacket) {
  for (const char* body : {"", "[]", "{}", R"({"hex":5})", R"({"hex":""})", R"({"hex":"0g"})",
                           R"({"hex":"abc"})", R"({"hex":"04"})", R"({"hex":"04ff0102"})"}) {
    EXPECT_TRUE(PostJson("/api/decode", body, 400).contains("error")) << body;
  }
}

TEST_F(WriteRoutesTest, BodiesThatNoPacketNeedsAreRefusedBeforeTheyAreParsed) {
  for (const char* path : {"/api/decode", "/api/packets"}) {
    EXPECT_EQ(Post(path, std::string(4 * 1024 * 1024, '[')).status, 413) << path;
    EXPECT_EQ(Post(path, "{" + std::string(4096, ' ') + "}").status, 413) << path;
  }
  EXPECT_EQ(Post("/api/nodes", "{}").status, 405);
}

TEST_F(WriteRoutesTest, DeepBodiesAreRefused) {
  const std::string deep = R"({"hex":)" + std::string(2000, '[') + std::string(2000, ']') + "}";
  EXPECT_THAT(Post("/api/decode", deep).Text(), HasSubstr("nested"));
  EXPECT_EQ(Post("/api/decode", R"({"hex":"110000","more":[[{}]]})").status, 200);
}

TEST_F(WriteRoutesTest, APostedPacketBecomesALineOfACaptureInTheQueue) {
  const Json answer =
      PostJson("/api/packets", Body(SignedAdvert(), R"(,"snr":-2.25,"rssi":-90,"region":"sfo")"), 202);
  ASSERT_EQ(queue_.published.size(), 1U);
  EXPECT_EQ(queue_.published[0].kind, queue::Kind::kPacketInject);
  const Json line = Json::parse(queue_.published[0].payload);
  EXPECT_EQ(line.at("topic"), "meshcore/SFO/" + KeyOf({0xAB}).ToObserverId() + "/packets");
  EXPECT_EQ(line.at("received_at"), FormatTime(At(3'600'000)));
  EXPECT_EQ(line.at("payload").at("raw"), ToHexUpper(EncodeFrame(SignedAdvert())));
  EXPECT_EQ(line.at("payload").at("SNR"), -2.25);
  EXPECT_EQ(queue_.published[0].payload.find('\n'), queue_.published[0].payload.size() - 1);
  EXPECT_TRUE(answer.at("id").is_null());
  EXPECT_EQ(answer.at("statusUrl"), "/api/requests/" + queue_.ids[0].ToText());
  EXPECT_EQ(answer.at("decoded").at("payload").at("name"), "hill");
}

TEST_F(WriteRoutesTest, APacketThatWouldBeRefusedIsNotQueued) {
  Packet forged = SignedAdvert();
  forged.payload.back() ^= 1;
  PostJson("/api/packets", Body(forged), 400);
  PostJson("/api/packets", Body(SignedAdvert(), R"(,"hash":"0000000000000000")"), 400);
  PostJson("/api/packets", Body(SignedAdvert(), R"(,"snr":"loud")"), 400);
  PostJson("/api/packets", Body(SignedAdvert(), R"(,"rssi":1e9)"), 400);
  PostJson("/api/packets", Body(SignedAdvert(), R"(,"region":"a/b")"), 400);
  PostJson("/api/packets", R"({"hex":")" + ToHexUpper(EncodeFrame(SignedAdvert())) + R"("})", 400);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(WriteRoutesTest, WithoutTheKeyNothingIsWritten) {
  AddSquare();
  EXPECT_EQ(Post("/api/packets", Body(SignedAdvert()), "").status, 401);
  EXPECT_EQ(Post("/api/admin/prune-geo-filter?confirm=true", "{}", "wrong").status, 401);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(WriteRoutesTest, ThePreviewListsNodesOutsideAndKeepsThoseWithoutAPosition) {
  AddSquare();
  const Json preview = PostJson("/api/admin/prune-geo-filter", "", 200);
  EXPECT_EQ(preview.at("dryRun"), true);
  EXPECT_EQ(preview.at("count"), 2);
  EXPECT_THAT(Column(preview.at("nodes"), "pubkey"), ElementsAre(KeyOf({2}).ToHex(), KeyOf({3}).ToHex()));
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(WriteRoutesTest, OnlyWhatIsListedAndStillOutsideIsPruned) {
  AddSquare();
  const std::string body = R"({"pubkeys":[")" + KeyOf({1}).ToHex() + R"(",")" + KeyOf({2}).ToObserverId() +
                           R"(",")" + KeyOf({9}).ToHex() + R"("]})";
  const Json answer = PostJson("/api/admin/prune-geo-filter?confirm=true", body, 202);
  EXPECT_EQ(answer.at("dryRun"), false);
  EXPECT_EQ(answer.at("accepted"), true);
  EXPECT_EQ(answer.at("count"), 1);
  ASSERT_EQ(queue_.published.size(), 1U);
  EXPECT_EQ(queue_.published[0].kind, queue::Kind::kPruneRequest);
  EXPECT_EQ(Json::parse(queue_.published[0].payload).at("public_keys"), Json::array({KeyOf({2}).ToHex()}));
  EXPECT_EQ(GetJson(answer.at("statusUrl")).at("status"), "pending");
}

TEST_F(WriteRoutesTest, APruneThatNamesNothingIsRefused) {
  EXPECT_EQ(Post("/api/admin/prune-geo-filter", "").status, 400);  // no filter
  router_.reset();
  AddSquare();
  Refresh();
  for (const char* body :
       {"", "{}", R"({"pubkeys":[]})", R"({"pubkeys":"all"})", R"({"pubkeys":["../x"]})"}) {
    EXPECT_EQ(Post("/api/admin/prune-geo-filter?confirm=true", body).status, 400) << body;
  }
  EXPECT_EQ(Post("/api/admin/prune-geo-filter?confirm=true", R"({"pubkeys":[")" + KeyOf({1}).ToHex() + "\"]}")
                .status,
            400);
  EXPECT_TRUE(queue_.published.empty());
}

TEST_F(WriteRoutesTest, TheStatusOfAPruningComesFromTheLedger) {
  const std::string id = Ulid::FromParts(At(0), {7}).ToText();
  const std::string status = "/api/admin/prune-geo-filter/status?id=";
  GetJson(status + id, 404);
  mesh_.Run(
      "INSERT INTO ledger(id, kind, created_at, applied_at, boot_id, outcome, reason, result) VALUES ('" +
      id + "', 'prune-request', 1000, 2000, 'b', 'done', '5 of 6', '{\"deleted\":5}')");
  const Json done = GetJson(status + id);
  EXPECT_EQ(done.at("status"), "done");
  EXPECT_EQ(done.at("deleted"), 5);
  EXPECT_EQ(done.at("requestedAt"), "1970-01-01T00:00:01Z");
  EXPECT_TRUE(done.at("error").is_null());
  for (const char* bad : {"", "../x", "zz"}) GetJson(status + bad, 400);
}

TEST_F(WriteRoutesTest, ARequestIsPendingThenWhatTheLedgerSays) {
  const Json posted = PostJson("/api/packets", Body(SignedAdvert()), 202);
  const std::string url = posted.at("statusUrl");
  EXPECT_EQ(GetJson(url), Json::parse(R"({"id":")" + posted.at("requestId").get<std::string>() +
                                      R"(","state":"pending"})"));
  mesh_.Run("INSERT INTO ledger(id, kind, applied_at, boot_id, outcome, reason) VALUES ('" +
            posted.at("requestId").get<std::string>() +
            "', 'packet-inject', 2000, 'b', 'rejected', 'no packet')");
  const Json finished = GetJson(url);
  EXPECT_EQ(finished.at("state"), "finished");
  EXPECT_EQ(finished.at("outcome"), "rejected");
  EXPECT_EQ(finished.at("reason"), "no packet");
  EXPECT_TRUE(finished.at("commit").is_null());
  EXPECT_TRUE(finished.at("result").is_null());
}

TEST_F(WriteRoutesTest, ARequestWhoseFileWasSetAsideIsRejectedWithTheReason) {
  const std::string id = Ulid::FromParts(At(0), {7}).ToText();
  const auto failed = mesh_.volume().queue_failed();
  std::filesystem::create_directories(failed);
  for (const char* suffix : {"", ".reason"})
    std::ofstream(failed / ("00000000000000000042-" + id + ".packet-inject.1" + suffix))
        << "it is torn\nname: x";
  const Json outcome = GetJson("/api/requests/" + id);
  EXPECT_EQ(outcome.at("state"), "finished");
  EXPECT_EQ(outcome.at("outcome"), "rejected");
  EXPECT_EQ(outcome.at("kind"), "packet-inject");
  EXPECT_EQ(outcome.at("reason"), "it is torn");
}

TEST_F(WriteRoutesTest, UnknownRequestsAre404AndMalformedIds400) {
  GetJson("/api/requests/" + Ulid::FromParts(At(0), {7}).ToText(), 404);
  GetJson("/api/requests/nothing", 400);
}

}  // namespace
}  // namespace heliograph::server
